// See stream_device.hpp.
#include <hawser/executor/stream_device.hpp>

#include <atomic>

namespace hawser::executor {

void stream_device::write(std::uint32_t* flag, std::uint32_t value) noexcept {
  std::atomic_ref<std::uint32_t>(*flag).store(value, std::memory_order_release);
}

std::uint32_t stream_device::read(const std::uint32_t* flag) noexcept {
  return std::atomic_ref<std::uint32_t>(*const_cast<std::uint32_t*>(flag)).load(std::memory_order_acquire);
}

}  // namespace hawser::executor
