// communicator::shrink: who survives, and a communicator of their own. Two agreements an attempt: on the members, and,
// when each has opened its transports, on going on (docs/recovery.md). Model: tests/models/shrink.hpp, changes with this.
#include <hawser/communicator/communicator.hpp>

#include <algorithm>

#include <hawser/core/units.hpp>
#include <hawser/topology/select.hpp>

#include "state.hpp"
#include "successor.hpp"

namespace hawser {
namespace {

using bootstrap::agreement;
using bootstrap::standing;
using detail::communicator_state;

std::string ranks_with(const agreement& made, standing state) {
  std::string list;
  for (std::size_t r = 0; r < made.members.size(); ++r)
    if (made.members[r].state == state) list += (list.empty() ? "" : ", ") + std::to_string(r);
  return list;
}

/// Ends what moves on this rank, and tells the other ranks that may still wait in a call.
void end_old(communicator_state& state, const recovery_options& options) {
  detail::job& owner = state.owner();
  owner.abort("rank " + to_string(owner.self()) + " has begun to shrink the communicator");
  owner.fail({errc::aborted, rank(-1), "the communicator has been shrunk"});
  detail::tell(options, recovery_stage::ended);
}

/// More than half of those that may be alive, or half of them with the lowest among them: of two parts that cannot
/// reach each other at most one goes on.
void check_majority(const agreement& made) {
  const std::int64_t present = made.count(standing::present);
  const std::int64_t unreachable = made.count(standing::unreachable);
  if (present > unreachable) return;
  const auto lowest = std::find_if(made.members.begin(), made.members.end(), [](const agreement::member& each) {
    return each.state == standing::present || each.state == standing::unreachable;
  });
  if (present == unreachable && lowest->state == standing::present) return;
  error minority(errc::peer_failed,
                 describe("the survivors may not go on",
                          std::to_string(present) + " ranks are here, and " + std::to_string(unreachable) + " (" +
                              ranks_with(made, standing::unreachable) + ") cannot be reached and may go on elsewhere",
                          "only a majority may; start the job again where it cannot be"));
  throw minority;
}

/// What an agreement says against this rank's going on with the others.
void check(const agreement& made, rank self, const recovery_options& options) {
  const standing own = made.members[static_cast<std::size_t>(self.value)].state;
  if (own == standing::dead || own == standing::unreachable) {
    error given_up(errc::peer_failed, describe("this rank is not among the survivors",
                                               "the others have given it up: it was silent for too long",
                                               "start it anew, and let the job grow"));
    throw given_up.with_peer(self);
  }
  if (made.count(standing::absent) > 0)
    fail(errc::timeout, "the communicator was not shrunk",
         "ranks " + ranks_with(made, standing::absent) + " are alive and have not called shrink within " +
             to_string(seconds(options.timeout)),
         "every rank that gets the error calls it");
  check_majority(made);
}

std::vector<lost_rank> lost_in(const agreement& made, bootstrap::bootstrap& root) {
  std::vector<lost_rank> lost;
  for (std::size_t r = 0; r < made.members.size(); ++r) {
    const agreement::member& each = made.members[r];
    if (each.state == standing::present) continue;
    lost_rank gone{rank(static_cast<std::int32_t>(r)), "it has left the job", each.state != standing::unreachable};
    for (const bootstrap::failure_notice& notice : root.failures().since(0))
      if (notice.peer == each.number) gone.reason = notice.reason;
    lost.push_back(std::move(gone));
  }
  return lost;
}

/// One attempt's survivors, in their old order.
struct survivors {
  std::vector<rank> numbers;    // of the root
  std::vector<rank> old_ranks;  // of the old communicator
  rank self;
};

survivors survivors_of(const agreement& made, rank self) {
  survivors left;
  for (std::size_t r = 0; r < made.members.size(); ++r) {
    if (made.members[r].state != standing::present) continue;
    const rank old(static_cast<std::int32_t>(r));
    if (old == self) left.self = rank(static_cast<std::int32_t>(left.numbers.size()));
    left.numbers.push_back(made.members[r].number);
    left.old_ranks.push_back(old);
  }
  return left;
}

/// The part of the old communicator that is left, with what is known of its links.
std::unique_ptr<communicator> make_communicator(std::shared_ptr<detail::job> owner, const communicator_state& before,
                                                const survivors& left, const std::string& name) {
  const topology::hierarchy& tree = before.planner().tree();
  std::vector<std::int64_t> positions;
  for (const rank old : left.old_ranks) positions.push_back(tree.position_of(old));
  auto state = std::make_shared<communicator_state>(std::move(owner), topology::select_positions(tree, positions),
                                                    std::vector<rank>{}, left.self, std::uint16_t{0}, name);
  std::vector<degraded_link> links = before.degraded();
  std::erase_if(links, [&](degraded_link& each) {
    const auto found = std::find(left.old_ranks.begin(), left.old_ranks.end(), each.member);
    each.member = rank(static_cast<std::int32_t>(found - left.old_ranks.begin()));
    return found == left.old_ranks.end();
  });
  if (!links.empty()) state->degrade(std::move(links));
  return std::make_unique<communicator>(std::move(state));
}

}  // namespace

shrunk_communicator communicator::shrink(const recovery_options& options) {
  detail::job& owner = state_->owner();
  if (state_->has_successor())
    fail(errc::invalid_argument, "the communicator cannot be shrunk", "it has been before", "shrink what came of it");
  end_old(*state_, options);
  const bootstrap::members_door& place = owner.place();
  bootstrap::bootstrap& root = place.shared()->root();
  bootstrap::question asked;
  asked.timeout = options.timeout;
  for (int r = 0; r < size(); ++r)
    asked.members.push_back(place.members()[static_cast<std::size_t>(state_->in_job(r).value)]);
  const communicator_options told = detail::options_for_successor(owner.options());
  for (;;) {
    asked.name = state_->name_successor();
    const agreement made = root.agree(asked);
    check(made, rank(), options);
    detail::tell(options, recovery_stage::agreed);
    const survivors left = survivors_of(made, rank());
    detail::opening opened = detail::open_together(place.shared(), asked.name, left.numbers, told, options);
    if (opened.made) {
      state_->set_successor();
      return {make_communicator(std::move(opened.made), *state_, left, asked.name), left.old_ranks,
              lost_in(made, root)};
    }
    // Each further attempt has lost a rank more, so that there are not many of them.
    if (!opened.has_lost_some) throw *opened.refused;
  }
}

}  // namespace hawser
