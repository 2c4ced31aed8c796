// communicator::report_degraded: what is said of links becomes a network that all ranks plan for from the same call on.
#include <hawser/communicator/communicator.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <hawser/algorithm/multi_rail.hpp>

#include "state.hpp"

namespace hawser {

namespace detail {
namespace {

using algorithm::capacity_unit_bytes_per_second;
using topology::hierarchy;

std::int64_t units_of(double bytes_per_second) {
  return std::max<std::int64_t>(std::llround(bytes_per_second / capacity_unit_bytes_per_second), 1);
}

double left_of(const std::vector<degraded_link>& links, const hierarchy& tree, rank member, int level) {
  for (const degraded_link& each : links)
    if (each.member == member && level_of(tree, each) == level) return each.left;
  return 1;
}

/// Racks whose ranks have a NIC each: rank to switch of the rack, and rank to switch of its rail.
cost::network railed_network(const hierarchy& tree, const std::vector<degraded_link>& links) {
  const std::vector<int> active = algorithm::active_levels(tree);
  const topology::child_counts& units = tree.at(active[1]).units;
  const auto size = static_cast<int>(tree.size());
  const auto racks = static_cast<int>(units.parents()), rails = static_cast<int>(units.size(0));
  cost::network made{algorithm::capacity_graph(size, racks + rails), capacity_unit_bytes_per_second};
  const double inside = tree.at(active[1]).up.rate.bytes_per_second;
  const double nic = tree.at(active[0]).up.rate.bytes_per_second / rails;
  for (int rack = 0; rack < racks; ++rack)
    for (int rail = 0; rail < rails; ++rail) {
      const rank member = tree.rank_at(units.first(rack) + rail);
      const double left_inside = left_of(links, tree, member, active[1]);
      const double left = left_of(links, tree, member, active[0]);
      if (left_inside > 0) made.links.join(member.value, size + rack, units_of(inside * left_inside));
      if (left > 0) made.links.join(member.value, size + racks + rail, units_of(nic * left));
    }
  return made;
}

/// How many ranks share the link of a rank's unit into a level.
std::int64_t sharers(const hierarchy& tree, rank member, int level) {
  if (level + 1 == tree.depth()) return 1;
  const std::int64_t unit = tree.unit_of(tree.position_of(member), level);
  std::int64_t count = 0;
  for (std::int64_t p = 0; p < tree.size(); ++p) count += tree.unit_of(p, level) == unit ? 1 : 0;
  return count;
}

}  // namespace

std::optional<int> level_of(const hierarchy& tree, const degraded_link& link) {
  for (int d = 0; d < tree.depth(); ++d)
    if (link.level.empty() ? tree.at(d).units.total() > 1 : tree.at(d).name == link.level) return d;
  return std::nullopt;
}

cost::network degraded_network(const hierarchy& tree, const std::vector<degraded_link>& links) {
  if (algorithm::has_rails(tree)) return railed_network(tree, links);
  cost::network made = cost::network_of(tree);
  for (const degraded_link& each : links) {
    const int level = *level_of(tree, each);
    int node = static_cast<int>(tree.size()) + 1, above = static_cast<int>(tree.size());  // as network_of numbers them
    for (int d = 0; d < level; ++d) {
      above = node;
      node += static_cast<int>(tree.at(d).units.total());
    }
    const std::int64_t position = tree.position_of(each.member);
    const bool is_rank = level + 1 == tree.depth();
    const std::int64_t unit = is_rank ? position : tree.unit_of(position, level);
    const int from = is_rank ? each.member.value : node + static_cast<int>(unit);
    const int to = above + static_cast<int>(tree.at(level).units.parent_of(unit));
    const double whole = tree.at(level).up.rate.bytes_per_second;
    const double lost = (1 - each.left) * whole / static_cast<double>(sharers(tree, each.member, level));
    const std::int64_t now = std::max<std::int64_t>(made.links.at(from, to) - units_of(lost), each.left > 0 ? 1 : 0);
    made.links.at(from, to) = made.links.at(to, from) = now;
  }
  return made;
}

void communicator_state::degrade(std::vector<degraded_link> links) {
  degraded_ = std::move(links);
  planner_.know(
      degraded_.empty() ? links_ : std::make_shared<const cost::network>(degraded_network(planner_.tree(), degraded_)));
  plans_.clear();
  refined_.clear();
  programs_.clear();
  runs_.outdate();
}

/// The link is that of the innermost level which joins ranks of different hosts.
std::optional<degraded_link> communicator_state::news_of_links() {
  const std::optional<double> share = owner_->share_of_ports();
  const int level = planner_.tree().depth() - 1 - planner_.host().memory_levels;
  if (!share || level < 0 || *share == std::exchange(told_share_, *share)) return std::nullopt;
  return degraded_link{self_, planner_.tree().at(level).name, *share};
}

}  // namespace detail

namespace {

using detail::level_of;

/// What travels of a report; a level that does not exist is -1, so that all ranks refuse it.
struct entry {
  std::int64_t member, level, left;
};

std::vector<entry> gather_reports(communicator& members, const std::vector<degraded_link>& seen) {
  const std::vector<std::int64_t> own{static_cast<std::int64_t>(seen.size())};
  std::vector<std::int64_t> counts(static_cast<std::size_t>(members.size()));
  members.all_gather(own, counts);
  const auto most = static_cast<std::size_t>(*std::max_element(counts.begin(), counts.end()));
  if (most == 0) return {};
  constexpr std::size_t words = sizeof(entry) / sizeof(std::int64_t);
  std::vector<std::int64_t> mine(most * words), all(mine.size() * counts.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    mine[i * words] = seen[i].member.value;
    mine[i * words + 1] = level_of(members.hierarchy(), seen[i]).value_or(-1);
    mine[i * words + 2] = std::bit_cast<std::int64_t>(seen[i].left);
  }
  members.all_gather(mine, all);
  std::vector<entry> told;
  for (std::size_t r = 0; r < counts.size(); ++r)
    for (std::size_t i = 0; i < static_cast<std::size_t>(counts[r]); ++i) {
      const std::int64_t* const at = &all[(r * most + i) * words];
      told.push_back({at[0], at[1], at[2]});
    }
  return told;
}

void check(const topology::hierarchy& tree, const entry& told) {
  const double left = std::bit_cast<double>(told.left);
  if (told.member >= 0 && told.member < tree.size() && told.level >= 0 && left >= 0 && left <= 1) return;
  std::string known;
  for (const topology::level& each : tree.levels()) known += (known.empty() ? "" : ", ") + each.name;
  fail(errc::invalid_argument, "a report of a degraded link cannot be right",
       "rank " + std::to_string(told.member) + ", level number " + std::to_string(told.level) + ", " +
           std::to_string(left) + " of it left",
       "there are " + std::to_string(tree.size()) + " ranks and the levels " + known + "; shares are 0 to 1");
}

}  // namespace

std::vector<degraded_link> communicator::report_degraded(const std::vector<degraded_link>& seen) {
  const topology::hierarchy& tree = hierarchy();
  const std::vector<entry> told = gather_reports(*this, seen);
  for (const entry& each : told) check(tree, each);
  std::vector<degraded_link> links = state_->degraded();
  for (const entry& each : told) {
    const degraded_link now{hawser::rank(static_cast<std::int32_t>(each.member)),
                            tree.at(static_cast<int>(each.level)).name, std::bit_cast<double>(each.left)};
    std::erase_if(links, [&](const auto& known) { return known.member == now.member && known.level == now.level; });
    if (now.left < 1) links.push_back(now);
  }
  if (links != state_->degraded()) state_->degrade(links);
  return links;
}

std::vector<degraded_link> communicator::check_links(const std::vector<degraded_link>& seen) {
  std::vector<degraded_link> all = seen;
  if (const auto news = state_->news_of_links()) {
    const auto is_same = [&](const degraded_link& each) {
      return each.member == news->member && level_of(hierarchy(), each) == level_of(hierarchy(), *news);
    };
    if (std::none_of(seen.begin(), seen.end(), is_same)) all.push_back(*news);
  }
  return report_degraded(all);
}

}  // namespace hawser
