// An exchange is one group of point-to-point calls of bytes on a lane's communicator.
#include <hawser/nccl/wire.hpp>

#include <utility>

#include "nccl/group_state.hpp"
#include "nccl/results.hpp"

namespace hawser::nccl {
namespace {

class nccl_wire final : public executor::stream_wire {
 public:
  explicit nccl_wire(std::shared_ptr<detail::group_state> state) : state_(std::move(state)) {}

  std::string_view name() const override { return "nccl"; }
  int lanes() const override { return state_->options.lanes; }
  std::string_view why_not_capturable() const override { return {}; }

  void exchange(int number, executor::stream_handle stream,
                std::span<const executor::stream_transfer> transfers) override {
    lane& on = state_->at(number);
    for (const auto& each : transfers) check(each);
    if (transfers.empty()) return;
    const auto queue = reinterpret_cast<cudaStream_t>(stream);
    on.run(
        "send and receive",
        [&](ncclComm_t comm) { return grouped(on.calls(), [&] { return enqueue_all(comm, queue, transfers); }); },
        state_->bound());
  }

  std::optional<transport::failure> poll_failure() override {
    for (const auto& each : state_->lanes)
      if (auto failed = each->poll()) return failed;
    return std::nullopt;
  }
  void abort(std::string_view reason) noexcept override { state_->abort(reason); }

 private:
  void check(const executor::stream_transfer& each) const {
    if (state_->place_of(each.peer) == state_->place)
      fail(errc::unsupported, "rank " + to_string(each.peer) + " sends to itself over NCCL",
           "NCCL would copy through its buffers", "copy on the device");
    if (each.bytes == 0 || each.data == nullptr)
      fail(errc::invalid_argument, "an empty message to or from rank " + to_string(each.peer), {}, "leave it out");
  }

  ncclResult_t enqueue_all(ncclComm_t comm, cudaStream_t queue,
                           std::span<const executor::stream_transfer> transfers) const {
    const functions& calls = state_->calls();
    for (const auto& each : transfers) {
      const int peer = state_->place_of(each.peer);
      const ncclResult_t result = each.is_send ? calls.send(each.data, each.bytes, ncclUint8, peer, comm, queue)
                                               : calls.recv(each.data, each.bytes, ncclUint8, peer, comm, queue);
      if (!is_fine(result)) return result;
    }
    return ncclSuccess;
  }

  std::shared_ptr<detail::group_state> state_;
};

}  // namespace

std::unique_ptr<executor::stream_wire> make_wire(const communicators& over) {
  return std::make_unique<nccl_wire>(access::of(over));
}

}  // namespace hawser::nccl
