// Which wires join the devices of a communicator: one inside each domain, one between all ranks, and the host's memory
// for who is reached by neither.
#include <algorithm>
#include <utility>

#include <hawser/executor/staged.hpp>
#include <hawser/executor/transport_wire.hpp>

#include "device_state.hpp"

namespace hawser::detail {

namespace {

/// Of the wire through the host: the device copies for one while the other's messages are under way.
constexpr int host_lanes = 2;

/// The ranks that only the innermost level keeps apart, in the order of the machine.
std::vector<rank> innermost_group(const topology::hierarchy& tree, rank self) {
  const std::int64_t own = tree.position_of(self);
  const auto is_near = [&](std::int64_t position) {
    return position == own || topology::crossed_level(tree, self, tree.rank_at(position)) == tree.depth() - 1;
  };
  std::int64_t first = own, last = own;
  while (first > 0 && is_near(first - 1)) --first;
  while (last + 1 < tree.size() && is_near(last + 1)) ++last;
  std::vector<rank> group;
  for (std::int64_t position = first; position <= last; ++position) group.push_back(tree.rank_at(position));
  return group;
}

}  // namespace

/// Nothing where all ranks of the wire are refused alike.
std::unique_ptr<executor::stream_wire> device_state::or_refusal(const device_backend::open_wire& open,
                                                                bootstrap::bootstrap& between) {
  try {
    return open(between);
  } catch (const error& refused) {
    if (refused.code() != errc::unsupported) throw;
    refusals_.append(refusals_.empty() ? "" : "; ").append(refused.what());
    return nullptr;
  }
}

void device_state::open_inside_domain() {
  const rank self = members_->self();
  if (!backend_.inside_domains) return;
  const std::vector<rank> ranks = innermost_group(members_->planner().tree(), self);
  if (ranks.size() < 2) return;
  const auto number = std::find(ranks.begin(), ranks.end(), self) - ranks.begin();
  domain_door_ =
      std::make_unique<communicator_door>(*members_, name_ + " domain " + to_string(ranks.front()),
                                          rank(static_cast<std::int32_t>(number)), static_cast<int>(ranks.size()));
  auto opened = or_refusal(backend_.inside_domains, *domain_door_);
  if (!opened) return;
  const std::size_t added = wire_->add(std::move(opened));
  for (std::size_t i = 0; i < ranks.size(); ++i) wire_->route(ranks[i], added, rank(static_cast<std::int32_t>(i)));
}

void device_state::open_between_all() {
  if (!backend_.between_all) return;
  if (auto opened = or_refusal(backend_.between_all, door_)) route_the_rest(std::move(opened));
}

/// The communicator's transports, driven by a thread, with pinned buffers.
void device_state::open_through_host() {
  job& owner = members_->owner();
  std::vector<int> hosts;
  hosts.reserve(static_cast<std::size_t>(members_->size()));
  for (int r = 0; r < members_->size(); ++r)
    hosts.push_back(owner.host_numbers()[static_cast<std::size_t>(members_->in_job(r).value)]);
  auto opened = owner.open_transports_beside({host_door_, hosts, owner.place().scope() + "/" + name_});
  auto staged = executor::with_staging(transport::any_transport(std::move(opened)), *backend_.device, members_->size());
  route_the_rest(executor::make_transport_wire(std::move(staged), *backend_.device, host_lanes, "host_memory"));
}

void device_state::route_the_rest(std::unique_ptr<executor::stream_wire> opened) {
  const std::size_t added = wire_->add(std::move(opened));
  for (int r = 0; r < members_->size(); ++r)
    if (!wire_->reaches(rank(r))) wire_->route(rank(r), added, rank(r));
}

std::optional<rank> device_state::unreached() const {
  for (int r = 0; r < members_->size(); ++r)
    if (rank(r) != members_->self() && !wire_->reaches(rank(r))) return rank(r);
  return std::nullopt;
}

void device_state::open_wires() {
  wire_ = std::make_unique<executor::stream_router>(*backend_.device);
  open_inside_domain();
  open_between_all();
  // Alike on all ranks: domains are either several, or one whose ranks were refused alike.
  if (unreached() && backend_.may_go_through_host) open_through_host();
  if (const auto left = unreached())
    fail(errc::unsupported, "no wire between devices reaches rank " + to_string(*left),
         refusals_.empty() ? "it is in another domain, and there is no wire between those" : refusals_,
         "add one that reaches all ranks, or set device_backend::may_go_through_host");
}

}  // namespace hawser::detail
