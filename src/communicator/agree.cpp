// The hierarchy that all ranks of a job plan with: where it comes from, and the proof that it is the same everywhere.
#include <algorithm>

#include <hawser/cost/graph_network.hpp>
#include <hawser/discovery/load.hpp>
#include <hawser/planner/decision_file.hpp>
#include <hawser/topology/describe.hpp>
#include <hawser/topology/fingerprint.hpp>
#include <hawser/topology/switches.hpp>

#include "state.hpp"

namespace hawser::detail {

namespace {

using topology::child_counts;
using topology::hierarchy;

/// Ranks grouped by host; nothing is concluded from the order of ranks.
hierarchy from_hosts(const std::vector<int>& host_of_rank) {
  const int hosts = *std::max_element(host_of_rank.begin(), host_of_rank.end()) + 1;
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(hosts), 0);
  std::vector<rank> rank_at;
  for (int host = 0; host < hosts; ++host)
    for (std::size_t r = 0; r < host_of_rank.size(); ++r)
      if (host_of_rank[r] == host) {
        ++sizes[static_cast<std::size_t>(host)];
        rank_at.emplace_back(static_cast<int>(r));
      }
  std::vector<topology::level> levels;
  if (hosts > 1) levels.push_back({"node", child_counts::uniform(1, hosts), network_link});
  levels.push_back({"gpu", child_counts::listed(std::move(sizes)), memory_link});
  return hierarchy(std::move(levels), std::move(rank_at));
}

/// What a graph says of the links between ranks that are placed in it; none of them may have more or fewer.
std::shared_ptr<const cost::network> placed_links(const topology::graph& machine, const hierarchy& in_file,
                                                  const hierarchy& placed) {
  const auto known = cost::network_of(machine);
  if (!known || known->links.ranks() != placed.size() || in_file.size() != placed.size()) return nullptr;
  std::vector<int> was;
  was.reserve(static_cast<std::size_t>(placed.size()));
  for (int r = 0; r < known->links.ranks(); ++r) was.push_back(in_file.rank_at(placed.position_of(rank(r))).value);
  return std::make_shared<const cost::network>(cost::with_ranks_at(*known, was));
}

planned_machine from_topology(const std::string& argument, const std::vector<std::string>& host_of_rank) {
  const discovery::loaded read = discovery::load_machine(argument);
  const topology::hosted_hierarchy& loaded = read.hosted;
  const auto ranks = static_cast<std::int64_t>(host_of_rank.size());
  if (loaded.hosts.empty() && loaded.tree.size() != ranks)
    fail(errc::invalid_argument, "the topology \"" + argument + "\" does not fit the job",
         "it has " + std::to_string(loaded.tree.size()) + " positions, the job has " + std::to_string(ranks) + " ranks",
         "start as many ranks, or name the hosts in a topology file");
  planned_machine made{loaded.hosts.empty() ? loaded.tree : place_by_host(loaded, host_of_rank), nullptr};
  if (read.machine) made.links = placed_links(*read.machine, loaded.tree, made.tree);
  return made;
}

planned_machine choose_machine(job& owner) {
  const std::string& argument = owner.options().topology;
  const std::vector<int>& hosts = owner.host_numbers();
  const bool is_one_host = *std::max_element(hosts.begin(), hosts.end()) == 0;
  if (argument == "hosts" || (argument.empty() && is_one_host)) return {from_hosts(hosts), nullptr};
  if (!argument.empty() && argument != "auto") return from_topology(argument, owner.host_names());
  const auto found = discover_hierarchy(owner, owner.report());
  return {found ? *found : from_hosts(hosts), nullptr};
}

/// Levels whose switches have an aggregator in the job reduce in the network, whatever the topology says.
hierarchy with_aggregators(const hierarchy& tree, job& owner) {
  std::vector<std::int64_t> serving(static_cast<std::size_t>(tree.depth()), 0);
  std::string known;
  for (const topology::level& each : tree.levels()) known += (known.empty() ? "" : ", ") + each.name;
  int last = 0;
  for (const std::string& name : owner.aggregated_levels()) {
    int d = 0;
    while (d < tree.depth() && (name.empty() ? tree.at(d).units.total() == 1 : tree.at(d).name != name)) ++d;
    if (d == tree.depth())
      fail(errc::not_found, "an aggregator serves the switch over level \"" + name + "\"",
           "the job's hierarchy has " + known);
    if (d < last) fail(errc::mismatch, "the aggregators are not in order", {}, "start those of outer levels first");
    ++serving[static_cast<std::size_t>(last = d)];
  }
  std::vector<bool> served, reduces;
  for (int d = 0; d < tree.depth(); ++d) {
    const std::int64_t has = serving[static_cast<std::size_t>(d)], needs = tree.at(d).units.parents();
    served.push_back(has > 0);
    reduces.push_back(has > 0 || tree.at(d).reduces_in_network);
    if (has > 0 && has != needs)
      fail(errc::mismatch, "level " + tree.at(d).name + " has " + std::to_string(needs) + " switches",
           std::to_string(has) + " aggregators serve them", "start one for each");
  }
  owner.set_served_levels(std::move(served));
  return topology::with_switches(tree, reduces);
}

/// The ranks that hold another view than rank 0: "1, 3"; empty where none does.
std::string differing_ranks(const std::vector<std::string>& views) {
  std::string differing;
  for (std::size_t r = 1; r < views.size(); ++r)
    if (views[r] != views[0]) differing += (differing.empty() ? "" : ", ") + std::to_string(r);
  return differing;
}

}  // namespace

planned_machine agree_on_machine(job& owner) {
  planned_machine made = choose_machine(owner);
  made.tree = with_aggregators(made.tree, owner);
  const std::string links = made.links ? ", links " + cost::digest(made.links.get()) : "";
  auto views = owner.exchange("hierarchy", topology::fingerprint_text(made.tree) + " " + describe(made.tree) + links +
                                               (owner.options().validate ? ", calls validated" : "") + "\n" +
                                               make_tuning_offer(owner));
  owner.set_tuning_offer(views[0].substr(views[0].find('\n') + 1));
  for (std::string& each : views) each.resize(each.find('\n'));
  const std::string differing = differing_ranks(views);
  if (!differing.empty())
    fail(errc::mismatch, "the ranks hold different hierarchies",
         "rank 0 has " + views[0] + ", ranks " + differing + " differ",
         "give all ranks the same HAWSER_TOPOLOGY and HAWSER_VALIDATE, or topology and validate options");
  return made;
}

std::shared_ptr<const planner::decision_table> agree_on_decisions(job& owner, const hierarchy& tree) {
  const std::string& file = owner.options().decisions;
  std::shared_ptr<const planner::decision_table> table;
  if (!file.empty()) table = std::make_shared<const planner::decision_table>(planner::read_decisions(file));
  const auto views = owner.exchange("decisions", digest(table.get()));
  const std::string differing = differing_ranks(views);
  if (!differing.empty())
    fail(errc::mismatch, "the ranks hold different decision files",
         "rank 0 has " + views[0] + ", ranks " + differing + " differ",
         "give all ranks the same HAWSER_DECISIONS or decisions option");
  const std::string own = topology::fingerprint_text(tree);
  if (table && table->fingerprint != own && owner.options().must_decisions_fit)
    fail(errc::mismatch, "the decision file \"" + file + "\" does not fit the job",
         "it is for " + table->hierarchy + ", fingerprint " + table->fingerprint + "; the job has " + describe(tree) +
             ", fingerprint " + own,
         "write one for it with hawser plan --map --format json");
  return table;
}

}  // namespace hawser::detail
