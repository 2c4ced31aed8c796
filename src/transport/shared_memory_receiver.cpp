// The receiving half of a pair: reads frames from the own ring and copies offered messages out of the neighbour.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "shared_memory_pair.hpp"

namespace hawser::transport::shared_memory {

namespace {

// The room that was read is given back in such parts of the ring.
constexpr std::size_t pieces_per_ring = 8;
// One system call copies at most this much, so that other peers are served meanwhile.
constexpr std::size_t fetch_bytes = std::size_t{1} << 20;
// For consumers; half of a small second-level cache.
constexpr std::size_t bounce_bytes = std::size_t{128} << 10;

constexpr auto word(offer_state state) {
  return static_cast<std::uint32_t>(state);
}

failure why_unreadable(rank peer, int reason) {
  const std::string who = "rank " + to_string(peer);
  if (reason == ESRCH) return {errc::peer_failed, peer, "the process of " + who + " is gone"};
  return {errc::io, peer,
          describe("the memory of " + who + " cannot be read",
                   "process_vm_readv failed: " + std::string(std::strerror(reason)),
                   "use shared_memory_options::copy::staged")};
}

}  // namespace

receiver::receiver(rank peer, const object& own, int own_slot, const object& theirs, int their_slot,
                   std::vector<std::byte>& bounce)
    : theirs_(theirs),
      control_(own.slot(own_slot)),
      offers_(theirs.slot(their_slot)),
      ring_(own.ring(own_slot)),
      ring_bytes_(own.ring_bytes()),
      bounce_(bounce),
      queue_(peer) {}

void receiver::receive(tag match, sink into, completion& done) {
  if (arrival* offered = queue_.post(match, into, done)) fetches_.push_back(offered);
}

bool receiver::progress() {
  const bool has_read = read_ring();
  const bool has_fetched = fetch();
  return has_read || has_fetched;
}

bool receiver::read_ring() {
  if (queue_.has_failed()) return false;
  const bool is_closed = control_.is_writer_closed.load(std::memory_order_acquire) != 0;  // before the tail
  const std::uint64_t tail = control_.tail.load(std::memory_order_acquire);
  const std::uint64_t first = head_;
  while (!queue_.has_failed() && head_ != tail) {
    if (tail - head_ > ring_bytes_) {
      fail_corrupt("more bytes than the ring holds");
      break;
    }
    if (!queue_.wants_data()) break;
    if (!(current_ ? deliver(tail) : start_message())) break;
    if (head_ - published_ >= ring_bytes_ / pieces_per_ring) publish_head();
  }
  if (is_closed && head_ == tail && !queue_.has_failed()) {
    const std::string who = "rank " + to_string(queue_.peer());
    fail({errc::peer_failed, queue_.peer(), who + " has shut its endpoint down"});
    return true;
  }
  return head_ != first;
}

/// Reads a frame; false when the neighbour is broken.
bool receiver::start_message() {
  frame head;  // a copy: what lies in the ring may still change
  std::memcpy(&head, ring_ + (head_ & (ring_bytes_ - 1)), sizeof head);
  const bool is_shared = head.what == frame::kind::share;
  if ((is_shared || head.what == frame::kind::offer) && head.offer_slot < offer_slots) {
    head_ += line_bytes;
    const std::uint64_t token = head.offer_slot | (is_shared ? shared_mark : 0);
    if (arrival* matched = queue_.offer(head.match, head.bytes, head.address, token)) fetches_.push_back(matched);
    return true;
  }
  if (head.what != frame::kind::message) return fail_corrupt("an unknown frame"), false;
  head_ += sizeof head;
  payload_left_ = head.bytes;
  current_ = &queue_.begin(head.match, head.bytes);
  return deliver(head_);
}

/// Hands on the payload up to the tail.
bool receiver::deliver(std::uint64_t tail) {
  while (payload_left_ > 0 && head_ != tail) {
    const std::size_t offset = head_ & (ring_bytes_ - 1);
    const std::size_t bytes = std::min(
        {payload_left_, static_cast<std::size_t>(tail - head_), ring_bytes_ - offset, ring_bytes_ / pieces_per_ring});
    queue_.append(*current_, ring_ + offset, bytes);
    head_ += bytes;
    payload_left_ -= bytes;
    if (head_ - published_ >= ring_bytes_ / pieces_per_ring) publish_head();
  }
  if (payload_left_ > 0) return true;
  head_ = (head_ + line_bytes - 1) / line_bytes * line_bytes;
  queue_.finish(*std::exchange(current_, nullptr));
  return true;
}

void receiver::publish_head() {
  published_ = head_ / line_bytes * line_bytes;
  control_.head.store(published_, std::memory_order_seq_cst);
  if (control_.is_writer_waiting.load(std::memory_order_seq_cst) != 0 &&
      control_.is_writer_waiting.exchange(0, std::memory_order_seq_cst) != 0)
    wake(theirs_);
}

bool receiver::fetch() {
  if (fetches_.empty()) return false;
  arrival& message = *fetches_.front();
  if (message.is_discarded()) {
    if (queue_.has_failed()) {
      refuse(message);
    } else {
      auto expected = word(offer_state::offered);
      state_of(message).compare_exchange_strong(expected, word(offer_state::taken));
      wake(theirs_);
    }
    end_fetch(message, nullptr);
    return true;
  }
  auto expected = word(offer_state::offered);
  if (!state_of(message).compare_exchange_strong(expected, word(offer_state::reading))) {
    const std::string who = "rank " + to_string(queue_.peer());
    const failure withdrawn{errc::peer_failed, queue_.peer(), who + " has taken its message back"};
    end_fetch(message, &withdrawn);
    return true;
  }
  std::optional<failure> unreadable = (message.token & shared_mark) != 0 ? read_shared(message) : read_offered(message);
  if (!unreadable) return true;
  state_of(message).store(word(offer_state::refused), std::memory_order_seq_cst);
  wake(theirs_);
  end_fetch(message, &*unreadable);
  return true;
}

/// Copies a piece of a message that is marked as being read through the kernel. Why it cannot, where it cannot.
std::optional<failure> receiver::read_offered(arrival& message) {
  const std::span<std::byte> place = queue_.place(message);
  if (place.empty() && bounce_.empty()) bounce_.resize(bounce_bytes);
  std::byte* into = place.empty() ? bounce_.data() : place.data();
  const std::size_t bytes =
      std::min(message.missing(), place.empty() ? bounce_bytes : std::min(fetch_bytes, place.size()));
  if (!read_process(theirs_.header().pid, message.address + message.arrived, into, bytes))
    return why_unreadable(queue_.peer(), errno);
  const bool is_last = bytes == message.missing();
  if (!end_reading(message, is_last)) return std::nullopt;
  if (place.empty())
    queue_.append(message, into, bytes);
  else
    queue_.advance(message, bytes);
  if (is_last) end_fetch(message, nullptr);
  return std::nullopt;
}

/// Takes a piece of a message that is marked as being read straight out of the neighbour's host memory.
std::optional<failure> receiver::read_shared(arrival& message) {
  try {
    if (!arena_)
      arena_ = mapped_arena(theirs_.header().pid, theirs_.header().arena_file, theirs_.header().arena_identity);
  } catch (const error& unmapped) {
    if (unmapped.native_code() == ENOENT) return why_unreadable(queue_.peer(), ESRCH);
    return failure{unmapped.code(), queue_.peer(), unmapped.what()};
  }
  const std::size_t bytes = std::min(message.missing(), fetch_bytes);
  const std::byte* from = arena_.at(message.address + message.arrived, bytes);
  if (!from)
    return failure{errc::internal, queue_.peer(),
                   "rank " + to_string(queue_.peer()) + " offered what is not in its host memory"};
  queue_.append(message, from, bytes);
  const bool is_last = message.missing() == 0;
  if (end_reading(message, is_last) && is_last) end_fetch(message, nullptr);
  return std::nullopt;
}

/// Gives the sender its memory back, for good after the last piece. False where the sender has lost patience before:
/// what was read is worth nothing, and the fetch has failed.
bool receiver::end_reading(arrival& message, bool is_last) {
  auto expected = word(offer_state::reading);
  const auto next = word(is_last ? offer_state::taken : offer_state::offered);
  if (state_of(message).compare_exchange_strong(expected, next)) {
    if (is_last) wake(theirs_);
    return true;
  }
  const std::string who = "rank " + to_string(queue_.peer());
  const failure withdrawn{errc::peer_failed, queue_.peer(), who + " has taken its message back"};
  end_fetch(message, &withdrawn);
  return false;
}

/// Ends the fetch at the front.
void receiver::end_fetch(arrival& message, const failure* why) {
  fetches_.pop_front();
  if (why)
    queue_.abandon(message, *why);
  else
    queue_.finish(message);
}

void receiver::refuse(arrival& offered) {
  auto expected = word(offer_state::offered);
  if (state_of(offered).compare_exchange_strong(expected, word(offer_state::refused))) wake(theirs_);
}

bool receiver::can_sleep() {
  if (!fetches_.empty()) return false;
  if (queue_.has_failed()) return true;
  const bool is_closed = control_.is_writer_closed.load(std::memory_order_seq_cst) != 0;
  const std::uint64_t tail = control_.tail.load(std::memory_order_seq_cst);
  return head_ == tail ? !is_closed : !queue_.wants_data();
}

void receiver::fail_corrupt(const char* what) {
  fail({errc::internal, queue_.peer(),
        describe("the memory shared with rank " + to_string(queue_.peer()) + " is corrupt", what)});
}

void receiver::fail(const failure& why) {
  queue_.fail_all(why, [this](arrival& each) { refuse(each); });
  current_ = nullptr;
  while (!fetches_.empty()) {
    arrival& message = *fetches_.front();
    refuse(message);
    end_fetch(message, nullptr);
  }
}

}  // namespace hawser::transport::shared_memory
