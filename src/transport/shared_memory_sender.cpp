// The sending half of a pair: writes frames into the neighbour's ring and offers large messages.
#include <algorithm>
#include <bit>
#include <cstring>
#include <thread>

#include "shared_memory_pair.hpp"

namespace hawser::transport::shared_memory {

namespace {

// A long message becomes visible in pieces of this part of the ring, so that both sides copy at the same time.
constexpr std::size_t pieces_per_ring = 8;

constexpr std::uint64_t next_line(std::uint64_t position) {
  return (position + line_bytes - 1) / line_bytes * line_bytes;
}

failure departed(rank peer) {
  return {errc::peer_failed, peer, "rank " + to_string(peer) + " has shut its endpoint down"};
}

}  // namespace

sender::sender(rank peer, const object& own, int own_slot, const object& theirs, int their_slot, thresholds from,
               std::chrono::milliseconds abort_timeout)
    : peer_(peer),
      own_(own),
      theirs_(theirs),
      control_(theirs.slot(their_slot)),
      offers_(own.slot(own_slot)),
      ring_(theirs.ring(their_slot)),
      ring_bytes_(theirs.ring_bytes()),
      from_(from),
      abort_timeout_(abort_timeout) {}

void sender::send(tag match, std::span<const std::byte> bytes, completion& done) {
  if (failed_) return done.done(done, &*failed_);
  outgoing message{match, bytes, &done};
  choose_way(message);
  if (!queue_.empty() || !write(message))
    queue_.push_back(message);
  else if (!is_offered(message))
    done.done(done, nullptr);
}

/// Out of host memory the neighbour reads by itself, out of other memory through the kernel, or through the ring.
void sender::choose_way(outgoing& message) {
  const host_arena* const arena = message.bytes.size() >= from_.share ? host_arena::existing() : nullptr;
  if (const auto offset = arena ? arena->offset_of(message.bytes) : std::nullopt) {
    message.how = frame::kind::share;
    message.address = *offset;
    object_header& header = own_.header();
    if (header.arena_file >= 0) return;
    header.arena_identity = arena->identity();
    header.arena_file = arena->file();
  } else if (message.bytes.size() >= from_.offer) {
    message.how = frame::kind::offer;
    message.address = reinterpret_cast<std::uintptr_t>(message.bytes.data());
  }
}

bool sender::progress() {
  if (failed_ || (queue_.empty() && slots_in_use_ == 0)) return false;
  const bool has_departed = control_.is_reader_closed.load(std::memory_order_acquire) != 0;
  bool moved = settle_offers();
  if (has_departed) {
    fail(departed(peer_));
    return true;
  }
  while (!failed_ && !queue_.empty()) {
    outgoing& message = queue_.front();
    const std::uint64_t before = tail_;
    const bool is_written = write(message);
    moved = moved || tail_ != before;
    if (!is_written) break;
    completion* done = is_offered(message) ? nullptr : message.done;
    queue_.pop_front();
    if (done) done->done(*done, nullptr);
  }
  return moved;
}

/// Writes what there is room for; true when all of the message, or its offer, lies in the ring.
bool sender::write(outgoing& message) {
  if (is_offered(message)) return write_offer(message);
  if (!message.has_head && !write_head(message, {frame::kind::message, 0, message.match, message.bytes.size(), 0}))
    return false;
  while (message.written < message.bytes.size()) {
    const std::size_t piece = std::min({room(), message.bytes.size() - message.written, ring_bytes_ / pieces_per_ring});
    if (piece == 0) break;
    copy_in(message.bytes.data() + message.written, piece);
    message.written += piece;
    // The end of a message is published together with its padding, so that a tail behind it is a beginning.
    const bool is_last = message.written == message.bytes.size();
    if (!is_last && tail_ - published_ >= ring_bytes_ / pieces_per_ring) publish();
  }
  const bool is_written = message.written == message.bytes.size();
  if (is_written) tail_ = next_line(tail_);
  if (tail_ != published_) publish();
  return is_written;
}

bool sender::write_offer(const outgoing& message) {
  const auto slot = static_cast<unsigned>(std::countr_one(slots_in_use_));
  if (slot == offer_slots) return false;
  outgoing head = message;
  offers_.offers[slot].store(static_cast<std::uint32_t>(offer_state::offered), std::memory_order_release);
  if (!write_head(head, {message.how, slot, message.match, message.bytes.size(), message.address})) return false;
  slots_in_use_ |= std::uint64_t{1} << slot;
  offered_[slot] = message.done;
  tail_ = next_line(tail_);
  publish();
  return true;
}

bool sender::write_head(outgoing& message, const frame& head) {
  if (room() < line_bytes) return false;
  copy_in(&head, sizeof head);
  message.has_head = true;
  return true;
}

void sender::copy_in(const void* from, std::size_t bytes) {
  const std::size_t offset = tail_ & (ring_bytes_ - 1);
  const std::size_t until_end = std::min(bytes, ring_bytes_ - offset);
  std::memcpy(ring_ + offset, from, until_end);
  std::memcpy(ring_, static_cast<const std::byte*>(from) + until_end, bytes - until_end);
  tail_ += bytes;
}

void sender::publish() {
  published_ = tail_;
  control_.tail.store(tail_, std::memory_order_seq_cst);
  wake(theirs_);
}

/// Free bytes in the ring. A head that cannot be is taken for a ring without room: the neighbour is broken and will be
/// found dead or stuck by other means.
std::size_t sender::room() {
  if (tail_ - head_ >= ring_bytes_ - line_bytes) head_ = control_.head.load(std::memory_order_seq_cst);
  const std::uint64_t used = tail_ - head_;
  return used <= ring_bytes_ ? ring_bytes_ - used : 0;
}

bool sender::settle_offers() {
  bool moved = false;
  for (std::uint64_t left = slots_in_use_; left != 0 && !failed_; left &= left - 1) {
    const auto slot = static_cast<unsigned>(std::countr_zero(left));
    const auto state = static_cast<offer_state>(offers_.offers[slot].load(std::memory_order_acquire));
    if (state == offer_state::offered || state == offer_state::reading) continue;
    moved = true;
    slots_in_use_ &= ~(std::uint64_t{1} << slot);
    completion& done = *offered_[slot];
    const failure refused{errc::peer_failed, peer_, "rank " + to_string(peer_) + " did not take a message"};
    done.done(done, state == offer_state::taken ? nullptr : &refused);
  }
  return moved;
}

bool sender::can_sleep() {
  if (failed_) return true;
  for (std::uint64_t left = slots_in_use_; left != 0; left &= left - 1) {
    const auto slot = static_cast<unsigned>(std::countr_zero(left));
    const auto state = static_cast<offer_state>(offers_.offers[slot].load(std::memory_order_seq_cst));
    if (state != offer_state::offered && state != offer_state::reading) return false;
  }
  if (queue_.empty() && slots_in_use_ == 0) return true;
  if (control_.is_reader_closed.load(std::memory_order_seq_cst) != 0) return false;
  if (queue_.empty()) return true;
  control_.is_writer_waiting.store(1, std::memory_order_seq_cst);
  if (is_offered(queue_.front()) && slots_in_use_ == ~std::uint64_t{0}) return true;  // an answer will wake us
  head_ = control_.head.load(std::memory_order_seq_cst);
  return room() < line_bytes;
}

void sender::fail(const failure& why) {
  if (failed_) return;
  failed_ = why;
  for (; slots_in_use_ != 0; slots_in_use_ &= slots_in_use_ - 1)
    withdraw(static_cast<unsigned>(std::countr_zero(slots_in_use_)), *failed_);
  while (!queue_.empty()) {
    completion& done = *queue_.front().done;
    queue_.pop_front();
    done.done(done, &*failed_);
  }
}

/// Takes an offer back, waiting for the neighbour that is copying it.
void sender::withdraw(unsigned slot, const failure& why) {
  std::atomic<std::uint32_t>& state = offers_.offers[slot];
  const auto deadline = std::chrono::steady_clock::now() + abort_timeout_;
  for (;;) {
    auto expected = static_cast<std::uint32_t>(offer_state::offered);
    if (state.compare_exchange_strong(expected, static_cast<std::uint32_t>(offer_state::withdrawn))) break;
    if (expected != static_cast<std::uint32_t>(offer_state::reading)) break;
    if (std::chrono::steady_clock::now() > deadline) {
      state.store(static_cast<std::uint32_t>(offer_state::withdrawn), std::memory_order_seq_cst);
      break;
    }
    std::this_thread::yield();
  }
  completion& done = *offered_[slot];
  done.done(done, &why);
}

}  // namespace hawser::transport::shared_memory
