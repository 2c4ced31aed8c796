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
  try {
    wait();
  } catch (const std::exception&) {  // reported to whoever waited; here only the buffer's safety counts
  }
}

void message_run::on_done(transport::completion& self, const transport::failure* failed) {
  auto& message = static_cast<message_run&>(self);
  if (failed != nullptr) message.failed_ = *failed;
  message.is_done_.store(true, std::memory_order_release);
}

transport::tag message_run::tag() const {
  // The label is spread over two fields, because transports may fold each of them to 8 bits.
  return {static_cast<std::uint16_t>(members_->context() + point_to_point_context),
          static_cast<std::uint16_t>(label_ / 256), static_cast<std::uint16_t>(label_ % 256), 0};
}

void message_run::send(std::span<const std::byte> data) {
  members_->owner().engine().send(peer_, tag(), data, *this);
}

void message_run::receive(std::span<std::byte> data) {
  members_->owner().engine().receive(peer_, tag(), {.data = data.data(), .bytes = data.size()}, *this);
}

void message_run::check() {
  if (!failed_) return;
  throw to_error(members_->owner().fail(*failed_), "a message");
}

bool message_run::test() {
  if (!is_done_.load(std::memory_order_acquire)) members_->owner().engine().poll();
  if (!is_done_.load(std::memory_order_acquire)) return false;
  check();
  return true;
}

void message_run::wait() {
  job& owner = members_->owner();
  const auto deadline = std::chrono::steady_clock::now() + owner.options().operation_timeout;
  if (!owner.engine().wait_for(is_done_, deadline)) {
    const std::string problem = "a message from or to rank " + to_string(peer_) + " did not complete in time";
    owner.fail({errc::timeout, rank(-1), problem});
    fail(errc::timeout, problem);
  }
  check();
}

}  // namespace hawser::detail
