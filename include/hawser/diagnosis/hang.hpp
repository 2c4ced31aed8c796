// What the dumps of all ranks say together: who keeps the others waiting, and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/diagnosis/dump.hpp>

namespace hawser::diagnosis {

/// What keeps a job from going on, the first of these that holds.
enum class hang_kind : std::uint8_t {
  none,             ///< no rank waits in a call
  different_calls,  ///< ranks called different things as the same call of a communicator
  missing,          ///< ranks that others wait for left no dump
  late,             ///< ranks have not made a call in which others wait
  order,            ///< ranks wait for each other in calls of different communicators
  link,             ///< a message that has been sent, or both ends of which are posted, does not arrive
  step,             ///< all ranks are in the call, and one of them holds up the others
};

/// "different_calls" and the like, as JSON has it.
constexpr std::string_view to_string(hang_kind kind) noexcept {
  switch (kind) {
    case hang_kind::none: return "none";
    case hang_kind::different_calls: return "different_calls";
    case hang_kind::missing: return "missing";
    case hang_kind::late: return "late";
    case hang_kind::order: return "order";
    case hang_kind::link: return "link";
    case hang_kind::step: return "step";
  }
  return "?";
}

/// The finding.
struct hang_report {
  hang_kind kind = hang_kind::none;
  std::string sentence{};             ///< what it is, in one sentence
  std::vector<std::int32_t> ranks{};  ///< those that hold up the others, or whose calls differ from most
  std::vector<std::int32_t> without_dump{};
  std::string communicator{};          ///< of the call concerned; empty: none
  std::uint64_t call = 0;              ///< its number there
  std::vector<std::string> waiting{};  ///< a sentence per rank that waits, what for and for how long
};

/// Reads the dumps of one job, one per rank, in rank order; not all need be there. None: errc::invalid_argument.
hang_report find_hang(const std::vector<dump>& dumps);

/// "rank 3", "ranks 0-4 and 7".
std::string ranks_in_words(const std::vector<std::int32_t>& ranks);

}  // namespace hawser::diagnosis
