// What the verifier finds: a kind for programs, a sentence for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/core/rank.hpp>
#include <hawser/schedule/step.hpp>

namespace hawser::schedule {

/// What can be wrong with a schedule.
enum class violation_kind : std::uint8_t {
  missing_contribution,  ///< a result lacks a rank's contribution, or was never written
  double_contribution,   ///< a rank's contribution enters a sum twice
  wrong_destination,     ///< data ends, or is mixed, where it does not belong
  wrong_order,           ///< a reduction does not keep the order of the ranks
  deadlock,              ///< steps wait for each other in a cycle
  unmatched_send,        ///< no receive for it
  unmatched_receive,     ///< no send for it
  size_mismatch,         ///< the ends of a message disagree in length or in their fractional coordinates
  race,                  ///< two steps touch the same data, one writes, and neither waits for the other
  scratch_overflow,      ///< scratch beyond what the schedule reserves
  out_of_bounds,         ///< input or output beyond its blocks, or not a well-formed program
  uninitialised_read,    ///< data that nobody wrote or gave
  input_overwritten,     ///< the caller's input is written to where the call does not allow it
  misaligned_move,       ///< a local move changes the fractional coordinate
};

/// In words, as reports have it.
constexpr std::string_view to_string(violation_kind kind) noexcept {
  switch (kind) {
    case violation_kind::missing_contribution: return "missing contribution";
    case violation_kind::double_contribution: return "double contribution";
    case violation_kind::wrong_destination: return "wrong destination";
    case violation_kind::wrong_order: return "wrong order";
    case violation_kind::deadlock: return "deadlock";
    case violation_kind::unmatched_send: return "unmatched send";
    case violation_kind::unmatched_receive: return "unmatched receive";
    case violation_kind::size_mismatch: return "size mismatch";
    case violation_kind::race: return "race";
    case violation_kind::scratch_overflow: return "scratch overflow";
    case violation_kind::out_of_bounds: return "out of bounds";
    case violation_kind::uninitialised_read: return "uninitialised read";
    case violation_kind::input_overwritten: return "input overwritten";
    case violation_kind::misaligned_move: return "misaligned move";
  }
  return "?";
}

/// The step of a violation that concerns a rank's result rather than one step.
inline constexpr std::size_t no_step = static_cast<std::size_t>(-1);

/// One thing wrong with a schedule.
struct violation {
  violation_kind kind = violation_kind::missing_contribution;
  rank who = -1;
  std::size_t step = no_step;
  rank peer = -1;    ///< -1 where no peer is concerned
  std::string what;  ///< a sentence that names rank, step, peer and interval
};

/// Kind and sentence in one line.
inline std::string to_string(const violation& v) {
  return std::string(to_string(v.kind)) + ": " + v.what;
}

/// The violations found so far, up to a limit.
class violation_list {
 public:
  explicit violation_list(std::size_t limit) : limit_(limit) {}

  /// Counts the kind; keeps the violation while there is room.
  void add(violation_kind kind, rank who, std::size_t step_index, rank peer, std::string what) {
    kinds_ |= 1U << static_cast<unsigned>(kind);
    if (!is_full()) found_.push_back({kind, who, step_index, peer, std::move(what)});
  }
  bool is_full() const noexcept { return found_.size() >= limit_; }
  bool is_empty() const noexcept { return found_.empty(); }
  std::size_t size() const noexcept { return found_.size(); }
  /// Whether this kind was found, be it beyond the limit.
  bool has(violation_kind kind) const noexcept { return (kinds_ >> static_cast<unsigned>(kind) & 1U) != 0; }
  std::vector<violation> take() && { return std::move(found_); }

 private:
  std::size_t limit_;
  std::uint32_t kinds_ = 0;
  std::vector<violation> found_;
};

/// "rank 3, step 5 (recv from 2 into output[1/4,1/2))": a step as a violation names it.
inline std::string describe_step(const schedule& whole, std::size_t index) {
  std::string text = "rank " + to_string(whole.self) + ", step " + std::to_string(index);
  if (index >= whole.steps.size()) return text;
  const step& s = whole.steps[index];
  text.append(" (").append(to_string(s.kind));
  if (s.sends()) text.append(" to ").append(to_string(s.peer));
  if (s.receives()) text.append(" from ").append(to_string(s.peer));
  const auto list = [&](const char* label, operand o) {
    if (o.count == 0 || std::size_t{o.first} + o.count > whole.regions.size()) return;
    text.append(label).append(to_string(whole.regions[o.first]));
    if (o.count > 1) text.append(" and ").append(std::to_string(o.count - 1)).append(" more");
  };
  list(s.sends() ? " of " : " reading ", s.source);
  list(" and ", s.other);
  list(" into ", s.target);
  return text.append(")");
}

}  // namespace hawser::schedule
