// What one rank shares with one neighbour: a ring each way, and messages that the receiver copies from the sender.
// The protocols are model-checked: tests/models/ring.hpp and offer.hpp change with them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include <hawser/transport/matching.hpp>
#include <hawser/transport/transport.hpp>

#include "host_arena.hpp"
#include "shared_memory_object.hpp"

namespace hawser::transport::shared_memory {

/// The head of a message in the ring; it lies at a multiple of line_bytes, its payload directly behind it.
struct frame {
  enum class kind : std::uint32_t { message = 0x4d, offer = 0x4f, share = 0x53 };
  kind what = kind::message;
  std::uint32_t offer_slot = 0;
  tag match;
  std::uint64_t bytes = 0;
  std::uint64_t address = 0;  // of an offered message in its sender, of a shared one in its sender's host memory
};

/// Wakes the owner of an object if it sleeps. Must follow a sequentially consistent store of what it is to see.
inline void wake(const object& sleeper) {
  std::atomic<std::uint32_t>& sleeping = sleeper.header().sleeping;
  if (sleeping.load(std::memory_order_seq_cst) != 0 && sleeping.exchange(0, std::memory_order_seq_cst) != 0)
    sleeper.ring_bell();
}

/// From how many bytes on messages to a neighbour are not staged: `offer`, read by the kernel out of any memory;
/// `share`, read by the neighbour itself out of host memory.
struct thresholds {
  std::size_t offer = SIZE_MAX;
  std::size_t share = SIZE_MAX;
};

/// The sending half.
class sender {
 public:
  sender(rank peer, const object& own, int own_slot, const object& theirs, int their_slot, thresholds from,
         std::chrono::milliseconds abort_timeout);

  void send(tag match, std::span<const std::byte> bytes, completion& done);
  bool progress();
  /// Called after the owner has declared that it sleeps: false when there is something to do at once.
  bool can_sleep();
  /// Completes what is pending, and what will come, with a failure.
  void fail(const failure& why);
  bool copies_once() const noexcept { return from_.offer != SIZE_MAX; }
  bool shares() const noexcept { return from_.share != SIZE_MAX; }

 private:
  struct outgoing {
    tag match;
    std::span<const std::byte> bytes;
    completion* done = nullptr;
    frame::kind how = frame::kind::message;
    std::uint64_t address = 0;  // where it is not staged
    bool has_head = false;
    std::size_t written = 0;
  };

  void choose_way(outgoing& message);
  bool write(outgoing& message);
  bool write_offer(const outgoing& message);
  bool write_head(outgoing& message, const frame& head);
  void copy_in(const void* from, std::size_t bytes);
  void publish();
  std::size_t room();
  bool settle_offers();
  void withdraw(unsigned slot, const failure& why);
  static bool is_offered(const outgoing& message) noexcept { return message.how != frame::kind::message; }

  rank peer_;
  const object& own_;
  const object& theirs_;
  object_slot& control_;  // in the neighbour's object
  object_slot& offers_;   // in the own object
  std::byte* ring_;
  std::size_t ring_bytes_;
  thresholds from_;
  std::chrono::milliseconds abort_timeout_;
  std::uint64_t tail_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t head_ = 0;  // as last seen
  std::deque<outgoing> queue_;
  completion* offered_[offer_slots] = {};
  std::uint64_t slots_in_use_ = 0;  // one bit per offer slot
  std::optional<failure> failed_;
};

/// The receiving half.
class receiver {
 public:
  receiver(rank peer, const object& own, int own_slot, const object& theirs, int their_slot,
           std::vector<std::byte>& bounce);

  void receive(tag match, sink into, completion& done);
  bool progress();
  bool can_sleep();
  void fail(const failure& why);

 private:
  bool read_ring();
  bool start_message();
  bool deliver(std::uint64_t tail);
  void publish_head();
  bool fetch();
  std::optional<failure> read_offered(arrival& message);
  std::optional<failure> read_shared(arrival& message);
  bool end_reading(arrival& message, bool is_last);
  void end_fetch(arrival& message, const failure* why);
  void refuse(arrival& offered);
  void fail_corrupt(const char* what);
  std::atomic<std::uint32_t>& state_of(const arrival& offered) { return offers_.offers[offered.token & ~shared_mark]; }

  static constexpr std::uint64_t shared_mark = std::uint64_t{1} << 32;  // of an arrival's token, beside its slot

  const object& theirs_;
  object_slot& control_;  // in the own object
  object_slot& offers_;   // in the neighbour's object
  const std::byte* ring_;
  std::size_t ring_bytes_;
  std::vector<std::byte>& bounce_;
  mapped_arena arena_;  // the neighbour's, from its first shared message on
  std::uint64_t head_ = 0;
  std::uint64_t published_ = 0;
  std::size_t payload_left_ = 0;
  arrival* current_ = nullptr;    // being read from the ring
  std::deque<arrival*> fetches_;  // matched offers, to be copied
  match_queue queue_;
};

/// Both halves.
struct pair {
  pair(rank peer, const object& own, int own_slot, object&& mapped, int their_slot, thresholds from,
       std::chrono::milliseconds abort_timeout, std::vector<std::byte>& bounce)
      : theirs(std::move(mapped)),
        mine(own),
        out(peer, own, own_slot, theirs, their_slot, from, abort_timeout),
        in(peer, own, own_slot, theirs, their_slot, bounce),
        own_slot_index(own_slot),
        their_slot_index(their_slot) {}
  pair(pair&&) = delete;

  void fail(const failure& why) {
    out.fail(why);
    in.fail(why);
    // The neighbour learns that nothing more will come, and that nothing more is read.
    theirs.slot(their_slot_index).is_writer_closed.store(1, std::memory_order_seq_cst);
    mine.slot(own_slot_index).is_reader_closed.store(1, std::memory_order_seq_cst);
    wake(theirs);
  }

  object theirs;
  const object& mine;
  sender out;
  receiver in;
  int own_slot_index;
  int their_slot_index;
};

}  // namespace hawser::transport::shared_memory
