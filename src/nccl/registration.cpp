// A buffer is registered with each lane's communicator, since NCCL keeps registrations per communicator.
#include <hawser/nccl/registration.hpp>

#include <utility>
#include <vector>

#include "nccl/group_state.hpp"
#include "nccl/results.hpp"

namespace hawser::nccl {

struct registration::held {
  std::shared_ptr<detail::group_state> state;
  std::vector<void*> handles{};  ///< per lane

  explicit held(std::shared_ptr<detail::group_state> of) : state(std::move(of)) {}
  held(const held&) = delete;
  held& operator=(const held&) = delete;
  /// A communicator that has been aborted has taken its registrations with it.
  ~held() {
    for (std::size_t i = 0; i < handles.size(); ++i)
      state->lanes[i]->run_if_alive([&](ncclComm_t comm) { return state->calls().deregister(comm, handles[i]); });
  }
};

registration::registration(const communicators& with, void* memory, std::size_t bytes)
    : held_(std::make_unique<held>(access::of(with))) {
  if (!with.can().has_registration)
    fail(errc::unsupported, "NCCL " + version_text(with.can().version) + " cannot register buffers",
         "it can from 2.19 on", "do without: it works, and copies");
  if (memory == nullptr || bytes == 0) fail(errc::invalid_argument, "an empty buffer cannot be registered with NCCL");
  const detail::group_state& state = *held_->state;
  for (const auto& each : state.lanes) {
    void* handle = nullptr;
    each->run(
        "register a buffer", [&](ncclComm_t comm) { return state.calls().enroll(comm, memory, bytes, &handle); },
        state.bound());
    held_->handles.push_back(handle);
  }
}

registration::registration(registration&&) noexcept = default;
registration& registration::operator=(registration&&) noexcept = default;
registration::~registration() = default;

}  // namespace hawser::nccl
