// Several algorithms measured in turns: one call of each, again and again, so that whatever else the machine does meets
// all of them alike.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <hawser/communicator/communicator.hpp>

#include "measure.hpp"

namespace hawser::detail {

struct turn_rules {
  seconds budget{};                ///< for all contenders together; overrun by a few calls at most
  int most_rounds = 0;             ///< 0: as many as the budget has room for, at most 1000
  std::function<void()> before{};  ///< done before each call's barrier, outside the time
};

/// One algorithm.
struct contender {
  std::function<void()> once;
  std::function<void()> prepare{};  ///< done before its first call, outside the time
  std::function<void()> inspect{};  ///< done after its first call, outside the time
};

/// One timing per contender, the same on every rank; none for those that time was not left for. The first contender
/// is measured whatever it takes, and so are the next three at least once.
///
/// Each contender's first call does not count, except of those that are given up after it: their only sample. A
/// contender is given up once it takes several times as long as the fastest, at first with an allowance for what only
/// first calls do. Rounds begin with another contender each, so that none always follows the same.
std::vector<std::optional<timing>> measure_in_turns(communicator& members, const turn_rules& rules,
                                                    const std::vector<contender>& all);

}  // namespace hawser::detail
