// See fault_points.hpp.
#include <hawser/core/fault_points.hpp>

#include <atomic>

namespace hawser {
namespace {

std::atomic<fault_hook> installed{nullptr};

}  // namespace

void set_fault_hook(fault_hook hook) noexcept {
  installed.store(hook, std::memory_order_release);
}

int detail::ask_fault_hook(fault_point at) noexcept {
  const fault_hook hook = installed.load(std::memory_order_relaxed);
  if (!hook) [[likely]]
    return no_fault;
  const int answer = hook(at);
  if (answer > 0) errno = answer;
  return answer;
}

}  // namespace hawser
