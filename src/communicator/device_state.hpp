// What a rank's device communicator holds: its end of the wire, the executor, and how failures come to both.
#pragma once

#include <hawser/communicator/device_communicator.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <hawser/executor/stream_router.hpp>

#include "communicator_door.hpp"
#include "stream_call.hpp"
#include "stream_watch.hpp"

namespace hawser::detail {

class device_state {
 public:
  device_state(std::shared_ptr<communicator_state> members, device_backend backend);
  device_state(const device_state&) = delete;
  device_state& operator=(const device_state&) = delete;
  /// Waits for what has been enqueued.
  ~device_state();

  /// Throws as `stream_forms::launch`.
  void enqueue(const call& made, executor::stream_handle stream);
  /// Throws as `device_communicator::launch`.
  void run(const call& made);
  /// Throws what is known to have gone wrong.
  void check();
  const executor::stream_router& wire() const noexcept { return *wire_; }
  const std::string& refusals() const noexcept { return refusals_; }

 private:
  enum class side : std::uint8_t { host, device };
  side side_of(const call& made);
  static void on_notice(void* self);
  std::optional<transport::failure> poll_wire();
  transport::failure fail_by_wire(const transport::failure& why);
  bool look_for_failures() noexcept;
  void fail_late() noexcept;
  std::chrono::milliseconds timeout_of(const call& made) const;
  void open_inside_domain();
  void open_between_all();
  void open_through_host();
  std::unique_ptr<executor::stream_wire> or_refusal(const device_backend::open_wire& open,
                                                    bootstrap::bootstrap& between);
  void route_the_rest(std::unique_ptr<executor::stream_wire> added);
  std::optional<rank> unreached() const;
  void open_wires();

  std::shared_ptr<communicator_state> members_;
  const std::string name_;
  communicator_door door_, host_door_;
  std::unique_ptr<communicator_door> domain_door_;
  device_backend backend_;
  std::unique_ptr<executor::stream_router> wire_;
  std::string refusals_;
  std::mutex polling_;  // of the wire's failures, by the watch and by the caller
  std::unique_ptr<executor::stream_executor> executor_;
  staged_programs programs_;
  executor::stream_handle own_stream_{};
  executor::event_handle own_end_{};
  std::unique_ptr<stream_watch> watch_;
};

}  // namespace hawser::detail
