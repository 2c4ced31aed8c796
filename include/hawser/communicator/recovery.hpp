// What communicator::shrink, grow and join take and give.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hawser/core/rank.hpp>

namespace hawser {

class communicator;

/// How far a rank has come on its way to a communicator of other ranks.
enum class recovery_stage : std::uint8_t {
  ended,      ///< nothing of the old communicator moves on this rank any more (shrink)
  agreed,     ///< it is known who will be a member
  opened,     ///< this rank has opened its transports to the others
  committed,  ///< all members have, and go on
};

/// How `communicator::shrink` and `grow` go about it. Equal on all ranks, but for the observer.
struct recovery_options {
  /// From the first rank's call on: ranks that live and have not called by then end it on all with errc::timeout.
  std::chrono::milliseconds timeout{60'000};
  /// Called on this rank at each stage, of each attempt: for logs and tests.
  std::function<void(recovery_stage)> observer{};
};

/// A rank that is not among the survivors.
struct lost_rank {
  rank number;             ///< in the old communicator
  std::string reason;      ///< in words
  bool is_certain = true;  ///< its process has ended; false: it cannot be reached
};

/// What is left of a communicator.
struct shrunk_communicator {
  std::unique_ptr<communicator> members;  ///< the survivors, in their old order
  std::vector<rank> old_ranks;            ///< old_ranks[r]: what rank r was before
  std::vector<lost_rank> lost;
};

}  // namespace hawser
