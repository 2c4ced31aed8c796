// Matches the messages that arrive from one peer to the receives posted for it, and delivers their bytes piece by
// piece.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/core/rank.hpp>
#include <hawser/transport/streaming_copy.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// One message on its way in. A match_queue owns it; a transport holds a pointer from `begin` (or `offer`, or `post`)
/// to `finish` or `abandon`.
struct arrival {
  tag match;
  std::size_t bytes = 0;      ///< as the sender says
  std::size_t arrived = 0;    ///< taken over from the transport so far
  std::uint64_t address = 0;  ///< offered messages: where the bytes lie, in terms of the transport
  std::uint64_t token = 0;    ///< offered messages: what the sender knows the transfer by

  /// Nobody wants the rest of it: the bytes need not be fetched, only `finish` must be called.
  bool is_discarded() const noexcept { return is_matched_ && done_ == nullptr; }
  std::size_t missing() const noexcept { return bytes - arrived; }

 private:
  friend class match_queue;

  sink into_;
  completion* done_ = nullptr;
  bool is_matched_ = false;   // has, or had, a receive
  bool is_offered_ = false;   // the bytes wait at the sender
  bool is_complete_ = false;  // all bytes are in buffer_
  std::size_t consumed_ = 0;  // given to into_.consume
  // An unexpected message's bytes, or the beginning of a granule that arrived in pieces.
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  arrival* previous_ = nullptr;
  arrival* next_ = nullptr;
};

/// The receiving end of one peer's messages. Equal tags match in the order of posting on both sides. Completions are
/// called as the last act of a function, so they may call back into the transport; `sink::consume` may not.
///
/// A transport reads from the peer while `wants_data()`: always while any receive from that peer is outstanding,
/// because the message that it waits for may lie behind others, and otherwise until `buffer_limit` bytes are buffered.
class match_queue {
 public:
  static constexpr std::size_t default_buffer_limit = std::size_t{1} << 20;

  /// `of_all` counts the outstanding receives of several queues; it must outlive this object.
  explicit match_queue(rank peer, std::size_t buffer_limit = default_buffer_limit, std::size_t* of_all = nullptr)
      : peer_(peer), buffer_limit_(buffer_limit), of_all_(of_all) {}
  match_queue(match_queue&&) = delete;

  /// Posts a receive. Returns the message that it matched where that one was only offered: the transport then delivers
  /// it (`place`/`advance` or `append`, then `finish`). A size mismatch completes the receive with errc::mismatch.
  arrival* post(tag match, sink into, completion& done) {
    if (failed_) return done.done(done, &*failed_), nullptr;
    begin_receive();
    if (arrival* found = unexpected_.find(match)) return match_unexpected(*found, into, done);
    arrival& waiting = take_node(posted_);
    waiting.match = match;
    attach(waiting, into, done);
    return nullptr;
  }

  /// The head of a message whose bytes follow in pieces; the transport calls `finish` after the last one, also where
  /// there is none.
  arrival& begin(tag match, std::size_t bytes) { return start(match, bytes, nullptr); }

  /// A message whose bytes stay with the sender until a receive wants them. Returns it where one is posted already;
  /// else null, and a later `post` returns it.
  arrival* offer(tag match, std::size_t bytes, std::uint64_t address, std::uint64_t token) {
    const offered_at at{address, token};
    arrival& message = start(match, bytes, &at);
    return message.is_matched_ ? &message : nullptr;
  }

  /// Where the next bytes of the message may be written, never empty while bytes are missing, except where they must
  /// go through `append` (a consuming sink, a discarded message). Valid until the next call of this object.
  std::span<std::byte> place(arrival& message) {
    if (message.missing() == 0 || message.is_discarded()) return {};
    if (message.is_matched_)
      return message.into_.consume ? std::span<std::byte>{}
                                   : std::span(message.into_.data + message.arrived, message.missing());
    if (message.arrived == message.capacity_) grow(message);
    return {message.buffer_.get() + message.arrived, std::min(message.capacity_, message.bytes) - message.arrived};
  }

  /// Says that bytes were written to `place`.
  void advance(arrival& message, std::size_t bytes) {
    message.arrived += bytes;
    if (!message.is_matched_) buffered_ += bytes;
  }

  /// Takes the next bytes of the message from the transport's memory.
  void append(arrival& message, const std::byte* from, std::size_t bytes) {
    if (message.is_discarded()) {
      message.arrived += bytes;
    } else if (message.is_matched_ && message.into_.consume) {
      message.arrived += bytes;
      feed(message, from, bytes);
    } else {
      while (bytes > 0) {
        const std::span<std::byte> room = place(message);
        const std::size_t piece = std::min(bytes, room.size());
        if (message.is_matched_ && message.into_.is_final)
          copy_past_caches(room.data(), from, piece);
        else
          std::memcpy(room.data(), from, piece);
        advance(message, piece);
        from += piece;
        bytes -= piece;
      }
    }
  }

  /// All bytes of the message were delivered (or it is discarded); the pointer to it is no longer valid.
  void finish(arrival& message) {
    if (!message.is_matched_) {
      message.is_complete_ = true;
      return;
    }
    complete(message, nullptr);
  }

  /// The message cannot be delivered: its receive fails. It must have been matched.
  void abandon(arrival& message, const failure& why) { complete(message, &why); }

  /// Fails all receives, those to come too, and drops what is buffered. Messages that have begun stay valid until
  /// `finish`. `release(arrival&)` is called for every offered message that nobody will fetch.
  template <class Release>
  void fail_all(const failure& why, Release&& release) {
    if (failed_) return;
    failed_ = why;
    while (arrival* message = unexpected_.first()) {
      buffered_ -= message->arrived;
      if (message->is_offered_) release(*message);
      unexpected_.remove(*message);
      message->is_matched_ = true;  // and without a receive: discarded
      discarded_.add(*message);
      if (message->is_offered_ || message->is_complete_) recycle(*message, discarded_);
    }
    while (arrival* message = matched_.first()) {
      matched_.remove(*message);
      discarded_.add(*message);
      report(*message, &*failed_);
    }
    while (arrival* waiting = posted_.first()) {
      completion& done = *waiting->done_;
      recycle(*waiting, posted_);
      end_receive();
      done.done(done, &*failed_);
    }
  }
  /// The same where nothing is to be done about messages that have arrived.
  void fail_all(const failure& why) {
    fail_all(why, [](arrival&) {});
  }

  bool wants_data() const noexcept { return outstanding_ > 0 || buffered_ <= buffer_limit_; }
  bool has_failed() const noexcept { return failed_.has_value(); }
  const failure* reason() const noexcept { return failed_ ? &*failed_ : nullptr; }
  std::size_t outstanding() const noexcept { return outstanding_; }
  std::size_t buffered() const noexcept { return buffered_; }
  rank peer() const noexcept { return peer_; }

 private:
  void begin_receive() noexcept {
    ++outstanding_;
    if (of_all_) ++*of_all_;
  }
  void end_receive() noexcept {
    --outstanding_;
    if (of_all_) --*of_all_;
  }

  static constexpr std::size_t nodes_per_slab = 16;
  static constexpr std::size_t first_buffer = std::size_t{64} << 10;  // grows with the bytes that really arrive
  static constexpr std::size_t kept_buffer = 4096;                    // a free node keeps a buffer of at most this

  struct offered_at {
    std::uint64_t address;
    std::uint64_t token;
  };

  class list {
   public:
    arrival* first() const noexcept { return first_; }
    arrival* find(tag match) const noexcept {
      arrival* each = first_;
      while (each && each->match != match) each = each->next_;
      return each;
    }
    void add(arrival& node) noexcept {
      node.previous_ = last_;
      node.next_ = nullptr;
      (last_ ? last_->next_ : first_) = &node;
      last_ = &node;
    }
    void remove(arrival& node) noexcept {
      (node.previous_ ? node.previous_->next_ : first_) = node.next_;
      (node.next_ ? node.next_->previous_ : last_) = node.previous_;
    }

   private:
    arrival* first_ = nullptr;
    arrival* last_ = nullptr;
  };

  arrival& start(tag match, std::size_t bytes, const offered_at* offered) {
    arrival* message = failed_ ? nullptr : posted_.find(match);
    if (message) {
      posted_.remove(*message);
      matched_.add(*message);
    } else {
      message = &take_node(failed_ ? discarded_ : unexpected_);
      message->match = match;
    }
    message->bytes = bytes;
    message->is_matched_ = message->done_ != nullptr || failed_.has_value();
    message->is_offered_ = offered != nullptr;
    if (offered) {
      message->address = offered->address;
      message->token = offered->token;
    }
    if (message->done_ && message->into_.bytes != bytes) report_mismatch(*message);
    return *message;
  }

  arrival* match_unexpected(arrival& message, sink into, completion& done) {
    unexpected_.remove(message);
    matched_.add(message);
    buffered_ -= message.arrived;
    attach(message, into, done);
    message.is_matched_ = true;
    const bool is_offered = message.is_offered_;
    const bool is_complete = message.is_complete_;
    if (message.bytes != into.bytes) {
      if (is_complete) return complete(message, &mismatch(message)), nullptr;
      report_mismatch(message);
      return is_offered ? &message : nullptr;
    }
    if (is_offered) return &message;
    drain(message);
    if (is_complete) complete(message, nullptr);
    return nullptr;
  }

  /// Moves what was buffered of a message into the receive that it has just got.
  void drain(arrival& message) {
    if (!message.into_.consume) {
      if (message.arrived > 0) std::memcpy(message.into_.data, message.buffer_.get(), message.arrived);
      return;
    }
    const std::unique_ptr<std::byte[]> buffered = std::move(message.buffer_);
    message.capacity_ = 0;
    feed(message, buffered.get(), message.arrived);
  }

  /// Gives bytes to a consuming sink in whole granules; a broken one waits in the node's buffer for its rest.
  void feed(arrival& message, const std::byte* from, std::size_t bytes) {
    const sink& into = message.into_;
    std::size_t carried = message.arrived - bytes - message.consumed_;
    const bool is_last = message.arrived == message.bytes;
    if (carried > 0) {
      const std::size_t piece = std::min(bytes, into.granule - carried);
      std::memcpy(message.buffer_.get() + carried, from, piece);
      from += piece;
      bytes -= piece;
      carried += piece;
      if (carried < into.granule && !is_last) return;
      consume(message, message.buffer_.get(), carried);
    }
    const std::size_t whole = is_last ? bytes : bytes - bytes % into.granule;
    if (whole > 0) consume(message, from, whole);
    if (whole == bytes) return;
    reserve(message, into.granule);
    std::memcpy(message.buffer_.get(), from + whole, bytes - whole);
  }

  static void consume(arrival& message, const std::byte* from, std::size_t bytes) {
    message.into_.consume(message.into_.state, message.consumed_, from, bytes);
    message.consumed_ += bytes;
  }

  static void attach(arrival& message, sink into, completion& done) {
    message.into_ = into;
    message.done_ = &done;
  }

  static void reserve(arrival& message, std::size_t capacity) {
    if (message.capacity_ >= capacity) return;
    message.buffer_ = std::make_unique_for_overwrite<std::byte[]>(capacity);
    message.capacity_ = capacity;
  }

  /// Enlarges an unexpected message's buffer, not beyond twice what has arrived: the size in its head is only a claim.
  static void grow(arrival& message) {
    const std::size_t capacity = std::min(message.bytes, std::max(first_buffer, 2 * message.arrived));
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (message.arrived > 0) std::memcpy(larger.get(), message.buffer_.get(), message.arrived);
    message.buffer_ = std::move(larger);
    message.capacity_ = capacity;
  }

  const failure& mismatch(const arrival& message) {
    mismatch_ = {errc::mismatch, peer_,
                 describe("a message from rank " + to_string(peer_) + " has another size than its receive",
                          std::to_string(message.bytes) + " bytes were sent, " + std::to_string(message.into_.bytes) +
                              " expected",
                          "call the collective with the same counts and types on every rank")};
    return mismatch_;
  }

  void report_mismatch(arrival& message) {
    matched_.remove(message);
    discarded_.add(message);
    report(message, &mismatch(message));
  }

  /// Completes the receive of a message of which more will come: the rest is discarded.
  void report(arrival& message, const failure* why) {
    completion& done = *message.done_;
    message.done_ = nullptr;
    end_receive();
    done.done(done, why);
  }

  void complete(arrival& message, const failure* why) {
    completion* done = message.done_;
    recycle(message, done ? matched_ : discarded_);
    if (!done) return;
    end_receive();
    done->done(*done, why);
  }

  arrival& take_node(list& owner) {
    if (!free_) {
      slabs_.push_back(std::make_unique<arrival[]>(nodes_per_slab));
      for (std::size_t i = 0; i < nodes_per_slab; ++i) {
        slabs_.back()[i].next_ = free_;
        free_ = &slabs_.back()[i];
      }
    }
    arrival& node = *free_;
    free_ = node.next_;
    owner.add(node);
    return node;
  }

  void recycle(arrival& node, list& owner) {
    owner.remove(node);
    arrival fresh;
    if (node.capacity_ <= kept_buffer) {
      fresh.buffer_ = std::move(node.buffer_);
      fresh.capacity_ = node.capacity_;
    }
    fresh.next_ = free_;
    node = std::move(fresh);
    free_ = &node;
  }

  rank peer_;
  std::size_t buffer_limit_;
  std::size_t outstanding_ = 0;
  std::size_t* of_all_;
  std::size_t buffered_ = 0;
  list posted_;      // receives without a message
  list unexpected_;  // messages without a receive
  list matched_;     // both, and bytes are still to come
  list discarded_;   // messages whose receive has failed, and bytes are still to come
  arrival* free_ = nullptr;
  std::vector<std::unique_ptr<arrival[]>> slabs_;
  std::optional<failure> failed_;
  failure mismatch_;
};

}  // namespace hawser::transport
