// One point-to-point message on its way.
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "state.hpp"

namespace hawser::detail {

class message_run : transport::completion {
 public:
  /// Throws errc::invalid_argument for a peer out of range, and what made the job unusable.
  message_run(std::shared_ptr<communicator_state> members, rank peer, std::uint16_t label);
  ~message_run();
  message_run(const message_run&) = delete;
  message_run& operator=(const message_run&) = delete;

  void send(std::span<const std::byte> data);
  void receive(std::span<std::byte> data);
  bool test();
  void wait();

 private:
  static void on_done(transport::completion& self, const transport::failure* failed);
  transport::tag tag() const;
  void check();

  std::shared_ptr<communicator_state> members_;
  rank peer_;  // in the job
  std::uint16_t label_;
  std::atomic<bool> is_done_{false};
  std::optional<transport::failure> failed_;
};

}  // namespace hawser::detail
