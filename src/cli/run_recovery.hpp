// `hawser run --kill R --shrink`: a rank is lost in the middle of a call, and the others go on without it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>
#include <hawser/core/units.hpp>

#include "workload.hpp"

namespace hawser::cli {

/// What the survivors have seen.
struct recovery_report {
  std::string error;            ///< of the call in which the rank died, on this rank
  seconds shrinking{};          ///< from there to the new communicator, on this rank
  std::vector<rank> old_ranks;  ///< old_ranks[r]: what rank r was before
  std::vector<lost_rank> lost;
};

/// What is left after the loss.
struct recovered {
  std::unique_ptr<communicator> members;
  workload work;  ///< the same, its root by its new number; rank 0 where the root was lost
  recovery_report report;
};

/// Collective: makes calls of `count` elements per block until `victim`, half way through one of them, kills its own
/// process (SIGKILL), where it does not return. The others shrink the communicator; the old one is of no use any more.
/// `algorithm` forces one for the calls before. Throws, on the others, the call's error where `shrinks` is false, and
/// what shrink throws.
recovered lose_rank(communicator& members, const workload& work, std::int64_t count, const std::string& algorithm,
                    rank victim, bool shrinks);

}  // namespace hawser::cli
