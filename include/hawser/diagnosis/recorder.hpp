// The flight recorder of one rank: its last calls and steps in rings of fixed size, always on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/data_type.hpp>
#include <hawser/core/rank.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/diagnosis/ticks.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/schedule/step.hpp>

namespace hawser::diagnosis {

/// What a call is: a collective, or one message between two ranks.
enum class call_kind : std::uint8_t { collective, send, receive };

/// What all calls of one shape have in common; plain data that is copied into the ring at each call.
struct call_facts {
  call_kind kind = call_kind::collective;
  schedule::collective what = schedule::collective::barrier;
  data_type type = data_type::uint8;
  reduce_kind op = reduce_kind::sum;
  schedule::mode mode = schedule::mode::fast;
  std::uint16_t communicator = 0;   ///< from `recorder::add_communicator`
  std::uint16_t algorithm = 0;      ///< from `recorder::intern`
  std::uint16_t segments = 1;       ///< at most 65,535 are recorded
  std::uint16_t element_bytes = 1;  ///< at most 65,535 are recorded
  std::int32_t root = -1;           ///< of rooted collectives; of a message the other end, numbered as in the job
  std::int64_t count = -1;          ///< elements per block that all ranks agree on, -1: none; of a message its bytes
  std::uint32_t blocks = 0;         ///< a digest of the sizes of blocks on which all ranks agree; 0: there are none
};

/// How a call stands.
enum class call_state : std::uint8_t { open, done, failed };

/// A call as it stands in the ring; times in ticks.
struct call_record {
  std::uint64_t id = 0;      ///< the order of the rank's calls
  std::uint64_t number = 0;  ///< the order of the communicator's; of a message its label
  call_facts facts{};
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< 0 while it is open
  call_state state = call_state::open;
};

/// A step of one segment as it stands in the ring; times in ticks.
struct step_record {
  std::uint64_t call = 0;  ///< `call_record::id` modulo `recorder::call_modulus`
  std::uint32_t step = 0;
  std::uint32_t segment = 0;  ///< modulo 2^20
  schedule::step_kind kind = schedule::step_kind::copy;
  std::int32_t peer = -1;  ///< numbered as in the job; -1: a step without one
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< 0 while it is open
};

/// A communicator of the rank.
struct known_communicator {
  std::string name;
  std::vector<std::int32_t> members;  ///< their numbers in the job; empty: all, numbered as in the job
  bool is_alive = true;
};

/// Everything that the rings hold at one moment, oldest first.
struct snapshot {
  std::vector<call_record> calls;
  std::vector<step_record> steps;
  std::uint64_t calls_made = 0, steps_made = 0;  ///< since the start: what is no longer in the rings, too
  std::vector<known_communicator> communicators;
  std::vector<std::string> algorithms;
  tick_scale scale;
};

/// Calls may be recorded by any thread. Steps are recorded by one thread at a time, that which drives the engine.
/// Reading takes no lock that a recording thread ever holds, so that a rank that is stuck can be read. A place of a
/// ring is a few atomic words: written word by word, and marked with its position last; the reader takes it when the
/// mark is the same before and after. On x86 all of these are plain moves.
class recorder {
 public:
  static constexpr std::size_t kept_calls = 256;
  static constexpr std::size_t kept_steps = 4096;  ///< of 32 bytes each
  static constexpr std::uint64_t call_modulus = std::uint64_t{1} << 20;
  static constexpr std::uint64_t not_recorded = 0;

  recorder() = default;
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Off, nothing is recorded: for measuring what it costs.
  void set_enabled(bool is_enabled) noexcept { is_enabled_.store(is_enabled, std::memory_order_relaxed); }

  /// A communicator's number for `call_facts`. Those that have gone are forgotten after some 128 others.
  std::uint16_t add_communicator(std::string name, std::vector<std::int32_t> members);
  void remove_communicator(std::uint16_t number);
  /// A name's number for `call_facts`; 0, "?", for new names when 65,535 are known.
  std::uint16_t intern(std::string_view algorithm);

  /// A call begins. Returns its id for the following, `not_recorded` while the recorder is off.
  std::uint64_t begin_call(const call_facts& facts, std::uint64_t number) noexcept;
  /// Returns how long it took, in ticks; 0 where that is not known any more.
  std::uint64_t end_call(std::uint64_t id, call_state state) noexcept;

  /// A step begins; returns its place for `end_step`. What follows the beginning of a call or the end of a step begins
  /// when that was: looking at the counter is most of what recording costs.
  std::uint64_t begin_step(std::uint64_t call, std::uint32_t step, std::int64_t segment, schedule::step_kind kind,
                           rank peer) noexcept {
    if (call == not_recorded) return not_recorded;
    const std::uint64_t position = steps_made_.load(std::memory_order_relaxed) + 1;
    step_place& place = steps_[position % kept_steps];
    place.mark.store(0, std::memory_order_relaxed);
    place.begin.store(now_.load(std::memory_order_relaxed), std::memory_order_release);
    place.end.store(0, std::memory_order_release);
    place.what.store((call % call_modulus) << 44 | std::uint64_t{step & step_mask} << 24 |
                         (static_cast<std::uint32_t>(peer.value) & peer_mask),
                     std::memory_order_release);
    place.mark.store((position & position_mask) << 24 | (static_cast<std::uint64_t>(segment) & step_mask) << 4 |
                         static_cast<std::uint64_t>(kind),
                     std::memory_order_release);
    steps_made_.store(position, std::memory_order_release);
    return position;
  }
  /// The step that began at this place is complete; nothing where another one stands there now.
  void end_step(std::uint64_t position) noexcept {
    step_place& place = steps_[position % kept_steps];
    if (position != not_recorded && place.mark.load(std::memory_order_relaxed) >> 24 == (position & position_mask))
      place.end.store(look(), std::memory_order_release);
  }

  /// From any thread, at any time.
  snapshot read() const;
  tick_scale scale() const { return {first_look_, tick_scale::look{}}; }

 private:
  static constexpr std::uint64_t position_mask = (std::uint64_t{1} << 40) - 1;
  static constexpr std::uint32_t step_mask = (1U << 20) - 1;
  static constexpr std::uint32_t peer_mask = (1U << 24) - 1;  // all of them set: no peer

  struct alignas(32) step_place {
    std::atomic<std::uint64_t> mark{0};  // position, segment, kind; 0: empty or being written
    std::atomic<std::uint64_t> begin{0}, end{0};
    std::atomic<std::uint64_t> what{0};  // call, step, peer
  };
  struct alignas(64) call_place {
    std::atomic<std::uint64_t> mark{0};           // id; 0: empty or being written
    std::atomic<std::uint64_t> begin{0}, end{0};  // the end's lowest bit: it has failed
    std::atomic<std::uint64_t> number{0}, count{0}, kinds{0}, sizes{0}, root{0};
  };

  std::uint64_t look() noexcept {
    const std::uint64_t now = ticks();
    now_.store(now, std::memory_order_relaxed);
    return now;
  }
  bool read_call(std::uint64_t id, call_record& into) const noexcept;
  bool read_step(std::uint64_t position, step_record& into) const noexcept;

  std::atomic<bool> is_enabled_{true};
  alignas(64) std::atomic<std::uint64_t> calls_made_{0};
  alignas(64) std::atomic<std::uint64_t> steps_made_{0};
  std::atomic<std::uint64_t> now_{0};  // the last look at the counter
  std::array<call_place, kept_calls> calls_;
  std::array<step_place, kept_steps> steps_;
  tick_scale::look first_look_;
  mutable std::mutex mutex_;  // of the names, never held while recording
  std::vector<known_communicator> communicators_;
  std::size_t next_reused_ = 0;
  std::vector<std::string> algorithms_{"?"};
};

}  // namespace hawser::diagnosis
