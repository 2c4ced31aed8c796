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
  /// Of a grown communicator, as `communicator_options::topology`; rank 0's counts. Shrunk ones keep their part.
  std::string topology = "hosts";
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

/// A link that carries less than the topology says: that of one rank into one level.
struct degraded_link {
  rank member;
  /// The level that the rank's unit is joined by, "node" for a NIC; empty: the outermost of more than one unit.
  std::string level{};
  /// What is left of this rank's share of its unit's link: 0 where it is broken, 1 where it is as good as new.
  double left = 0;
  friend bool operator==(const degraded_link&, const degraded_link&) = default;
};

}  // namespace hawser
