// See message.hpp.
#include "message.hpp"

#include <exception>

namespace hawser::detail {

message_run::message_run(std::shared_ptr<communicator_state> members, rank peer, std::uint16_t label)
    : members_(std::move(members)), label_(label) {
  members_->owner().check();
  if (peer.value < 0 || peer.value >= members_->size())
    fail(errc::invalid_argument, "the peer of a message is out of range",
         "rank " + to_string(peer) + " of " + std::to_string(members_->size()));
  if (peer == members_->self())
    fail(errc::invalid_argument, "a message from rank " + to_string(peer) + " to itself", {}, "copy the data instead");
  peer_ = members_->in_job(peer);
  done = &message_run::on_done;
}

message_run::~message_run() {
  if (!is_posted_ || is_complete_) return;
  job& owner = members_->owner();
  try {
    if (wait_until(std::chrono::steady_clock::now() + owner.options().abort_timeout)) return;
    owner.fail({errc::timeout, rank(-1),
                describe("a message from or to rank " + to_string(peer_) + " was given up",
                         "its handle was destroyed before it was complete")});
  } catch (...) {  // who waits is told; here only the buffer's safety counts
  }
}

void message_run::on_done(transport::completion& self, const transport::failure* failed) {
  auto& message = static_cast<message_run&>(self);
  if (failed != nullptr) message.failed_ = *failed;
  message.members_->owner().recorder().end_call(
      message.recorded_, failed != nullptr ? diagnosis::call_state::failed : diagnosis::call_state::done);
  if (message.is_unattended_) message.members_->owner().engine().end_unattended();
  message.is_done_.store(true, std::memory_order_release);  // from here on it may be gone
}

transport::tag message_run::tag() const {
  // The label is spread over two fields, because transports may fold each of them to 8 bits.
  return {static_cast<std::uint16_t>(members_->context() + point_to_point_context),
          static_cast<std::uint16_t>(label_ / 256), static_cast<std::uint16_t>(label_ % 256), 0};
}

/// Posts the transfer; where that throws, nothing is under way.
template <class Post>
void message_run::post(diagnosis::call_kind kind, const void* data, std::size_t bytes, attendance driven_by,
                       Post&& post_it) {
  if (data == nullptr && bytes > 0)
    fail(errc::invalid_argument, "the data of a message is a null pointer", std::to_string(bytes) + " bytes");
  job& owner = members_->owner();
  is_unattended_ = driven_by == attendance::background && owner.drive_in_background();
  if (is_unattended_) owner.engine().begin_unattended();
  const diagnosis::call_facts facts{.kind = kind,
                                    .communicator = members_->recorded_number(),
                                    .root = peer_.value,
                                    .count = static_cast<std::int64_t>(bytes)};
  recorded_ = owner.recorder().begin_call(facts, label_);
  try {
    post_it(owner.engine());
  } catch (...) {
    owner.recorder().end_call(recorded_, diagnosis::call_state::failed);
    if (is_unattended_) owner.engine().end_unattended();
    throw;
  }
  is_posted_ = true;
}

void message_run::send(std::span<const std::byte> data, attendance driven_by) {
  post(diagnosis::call_kind::send, data.data(), data.size(), driven_by,
       [&](executor::engine& engine) { engine.send(peer_, tag(), data, *this); });
}

void message_run::receive(std::span<std::byte> data, attendance driven_by) {
  post(diagnosis::call_kind::receive, data.data(), data.size(), driven_by, [&](executor::engine& engine) {
    engine.receive(peer_, tag(), {.data = data.data(), .bytes = data.size()}, *this);
  });
}

void message_run::finish() {
  is_complete_ = true;
  if (failed_) throw to_error(members_->owner().fail(*failed_), "a message");
}

bool message_run::test() {
  if (is_complete_) return true;
  if (!is_done_.load(std::memory_order_acquire)) members_->owner().engine().poll();
  if (!is_done_.load(std::memory_order_acquire)) return false;
  finish();
  return true;
}

bool message_run::wait_until(std::chrono::steady_clock::time_point deadline) {
  if (is_complete_) return true;
  if (!members_->owner().engine().wait_for(is_done_, deadline)) return false;
  finish();
  return true;
}

void message_run::wait() {
  job& owner = members_->owner();
  const milliseconds timeout = owner.options().operation_timeout;
  if (wait_until(std::chrono::steady_clock::now() + timeout)) return;
  const std::string problem = "a message from or to rank " + to_string(peer_) + " did not complete within " +
                              std::to_string(timeout.count()) + " ms";
  owner.fail({errc::timeout, rank(-1), problem});
  is_complete_ = true;
  fail(errc::timeout, problem, {}, "does the other rank make the matching call, with the same label?");
}

}  // namespace hawser::detail
