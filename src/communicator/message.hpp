// One point-to-point message on its way.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>

#include "state.hpp"

namespace hawser::detail {

class message_run : transport::completion {
 public:
  /// Throws errc::invalid_argument for a peer out of range, and what made the job unusable.
  message_run(std::shared_ptr<communicator_state> members, rank peer, std::uint16_t label);
  /// Gives an unfinished message `abort_timeout`, then fails the job, so that no transport touches its memory any more.
  ~message_run();
  message_run(const message_run&) = delete;
  message_run& operator=(const message_run&) = delete;

  /// Throw errc::invalid_argument for a null pointer to some bytes.
  void send(std::span<const std::byte> data, attendance driven_by);
  void receive(std::span<std::byte> data, attendance driven_by);
  bool test();
  void wait();

 private:
  static void on_done(transport::completion& self, const transport::failure* failed);
  transport::tag tag() const;
  template <class Post>
  void post(diagnosis::call_kind kind, const void* data, std::size_t bytes, attendance driven_by, Post&& post_it);
  bool wait_until(std::chrono::steady_clock::time_point deadline);
  void finish();

  std::shared_ptr<communicator_state> members_;
  rank peer_;  // in the job
  std::uint16_t label_;
  std::uint64_t recorded_ = diagnosis::recorder::not_recorded;
  bool is_posted_ = false;
  bool is_complete_ = false;  // and the caller has been told
  bool is_unattended_ = false;
  std::atomic<bool> is_done_{false};
  std::optional<transport::failure> failed_;
};

}  // namespace hawser::detail
