// A communicator's other half where ranks have devices: the same collectives on a device's memory, as work of streams.
#pragma once

#include <functional>
#include <memory>

#include <hawser/communicator/communicator.hpp>
#include <hawser/executor/stream_device.hpp>
#include <hawser/executor/stream_wire.hpp>

namespace hawser {

namespace detail {
class device_state;
}

/// What a rank's device is reached by; each of its own.
struct device_backend {
  /// Opens this rank's end of a wire between the devices of the ranks of a job, which outlives it; collective over
  /// them.
  using open_wire = std::function<std::unique_ptr<executor::stream_wire>(bootstrap::bootstrap&)>;

  std::shared_ptr<executor::stream_device> device;
  /// Between all ranks of the communicator; empty: there is none. Where it throws errc::unsupported, on all ranks
  /// alike, there is none either.
  open_wire between_all{};
  /// Between the ranks of each innermost group of the hierarchy (an NVLink domain), which it then serves in place of
  /// the other one; empty: none. Where it throws errc::unsupported, on all ranks of a group alike, the other one serves
  /// them too.
  open_wire inside_domains{};
  /// Whether ranks that neither of them reaches are reached through the host's memory, by the communicator's transports;
  /// the same on all ranks.
  bool may_go_through_host = true;
};

/// Collectives that are ordered by a stream: they return at once, begin when what is on the stream before has ended,
/// and what is enqueued on it later waits for their end. Buffers are memory that the device can touch: its own, managed
/// or pinned. Into a graph where the stream is captured.
class stream_forms : public collectives<stream_forms> {
 public:
  stream_forms(std::shared_ptr<detail::device_state> state, executor::stream_handle stream)
      : state_(std::move(state)), stream_(stream) {}
  /// Enqueues any call of `collectives`. Throws what `collectives` says before anything is enqueued; errc::unsupported
  /// for a user's operator or type, mode order_invariant, an accumulation type that is not the type's own, and
  /// all_to_all_v by an algorithm that sends sizes ahead; errc::invalid_argument for the memory of the host or of
  /// another device; what `stream_executor::enqueue` throws; and what has failed since, as
  /// `device_communicator::check`.
  void launch(const detail::call& made);

 private:
  std::shared_ptr<detail::device_state> state_;
  executor::stream_handle stream_;
};

/// One rank's. Calls come from one thread at a time, in the same order on all ranks, whatever streams they are for; a
/// replay of a graph counts as its calls. Sums are kept in the type itself, rounded at each step (on the host the small
/// floats are summed in float32). The communicator must outlive it.
class device_communicator : public collectives<device_communicator> {
 public:
  /// Collective: all ranks of the communicator call it. Throws what opening the wires throws, errc::unsupported where
  /// some rank is reached by none (with why they were refused), and as a call does.
  device_communicator(communicator& members, device_backend backend);
  device_communicator(device_communicator&&) noexcept;
  device_communicator& operator=(device_communicator&&) noexcept;
  /// Waits for what has been enqueued, or, after a failure, for its end.
  ~device_communicator();

  /// Forms that are ordered by a stream of the device.
  stream_forms on(executor::stream_handle stream) const { return {state_, stream}; }
  /// Runs any call of `collectives` to its end, wherever its buffers are: on the host as the communicator does, on the
  /// device on a stream of its own. Throws errc::invalid_argument where one buffer is the host's and the other is not,
  /// errc::timeout, and as both forms.
  void launch(const detail::call& made);

  /// What has gone wrong since, on any rank: throws errc::peer_failed with `error::peer`, errc::aborted, errc::timeout
  /// or what the wire reports. Results of calls that were under way then are undefined. Call it after a stream was
  /// waited for. Never blocks.
  void check();

  /// The wire that carries messages to a rank: "nccl", "peer_memory", "host_memory"; how many lanes all have.
  std::string_view wire_to(rank peer) const;
  /// Why wires that were asked for are not used; empty: all are.
  const std::string& refusals() const;
  int lanes() const;

 private:
  std::shared_ptr<detail::device_state> state_;
};

}  // namespace hawser
