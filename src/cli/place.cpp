// hawser place: what an order of ranks costs, and a better one.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/topology/describe.hpp>
#include <hawser/topology/rank_order.hpp>

#include "describe.hpp"
#include "discovery/natural_order.hpp"
#include "place_order.hpp"
#include "topology_option.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* place_schema = "hawser.place/1";
constexpr std::size_t most_shown = 16;  // ranks of a list in text for people

struct place_options {
  std::string topology;
  std::string order;
  std::string bytes = "256MiB";
  std::string form = "text";
  std::string emit;
};

/// What was asked, and the advice on it.
struct placement {
  topology::hosted_hierarchy present;
  bytes data{};
  topology::rank_order_advice advice;
  std::vector<rank> new_rank_of;
  std::vector<std::string> hosts;  // of the advised ranks in turn; empty where no names are known
};

placement place(const place_options& options) {
  topology::hosted_hierarchy loaded = hosted_topology_of(options.topology, "place ranks on");
  loaded.tree = ordered(loaded.tree, options.order);
  const bytes data = parse_bytes(options.bytes);
  topology::rank_order_advice advice = topology::advise_rank_order(loaded.tree, data);
  std::vector<rank> new_rank_of = topology::new_ranks(advice.old_rank_of);
  std::vector<std::string> hosts = hosts_of(loaded, advice.old_rank_of);
  return {std::move(loaded), data, std::move(advice), std::move(new_rank_of), std::move(hosts)};
}

// Slurm's block distribution fills the hosts in the order of its node list, sorted by number; where the advised order
// of the hosts may be another one, they have to be listed.
const char* slurm_distribution(const placement& made) {
  return std::is_sorted(made.hosts.begin(), made.hosts.end(), discovery::natural_less) ? "block" : "arbitrary";
}

// One line per rank; a slot is the number of the rank on its host.
std::string rankfile(const placement& made) {
  std::map<std::string, int> next_slot;
  std::string text;
  for (std::size_t r = 0; r < made.hosts.size(); ++r)
    text += "rank " + std::to_string(r) + "=" + made.hosts[r] + " slot=" + std::to_string(next_slot[made.hosts[r]]++) +
            "\n";
  return text;
}

std::string hostfile(const placement& made) {
  std::string text;
  for (const std::string& each : made.hosts) text += each + "\n";
  return text;
}

std::string emitted(const placement& made, const std::string& what) {
  if (what == "order") return listed(made.advice.old_rank_of) + "\n";
  if (what == "keys") return listed(made.new_rank_of) + "\n";
  if (what != "rankfile" && what != "hostfile")
    fail(errc::not_found, "there is no list \"" + what + "\" to emit", {},
         "use one of order, keys, rankfile, hostfile");
  if (made.hosts.empty())
    fail(errc::invalid_argument, "the " + what + " cannot be written", "the topology names no hosts",
         "use a topology file with hosts, or --emit order");
  return what == "rankfile" ? rankfile(made) : hostfile(made);
}

ordered_json to_json(const topology::order_cost& cost) {
  ordered_json levels = ordered_json::array();
  for (const topology::level_load& each : cost.levels)
    levels.push_back(
        {{"level", each.level}, {"units", each.units}, {"crossing", each.crossing}, {"busiest", each.busiest}});
  return {{"seconds", cost.time.count()}, {"levels", std::move(levels)}};
}
ordered_json to_json(const topology::order_comparison& costs) {
  return {{"slowdown", costs.slowdown()}, {"present", to_json(costs.present)}, {"advised", to_json(costs.advised)}};
}

ordered_json numbers(const std::vector<rank>& ranks) {
  ordered_json list = ordered_json::array();
  for (const rank each : ranks) list.push_back(each.value);
  return list;
}

std::string json_of(const placement& made) {
  return ordered_json{{"schema", place_schema},
                      {"hierarchy", topology::describe(made.present.tree)},
                      {"ranks", made.present.tree.size()},
                      {"bytes", made.data.value},
                      {"keep", made.advice.is_present},
                      {"ring", to_json(made.advice.ring)},
                      {"recursive_doubling", to_json(made.advice.recursive_doubling)},
                      {"order", numbers(made.advice.old_rank_of)},
                      {"keys", numbers(made.new_rank_of)},
                      {"hosts", made.hosts.empty() ? ordered_json() : ordered_json(made.hosts)},
                      {"slurm_distribution", slurm_distribution(made)}}
             .dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

std::string times(const char* name, const topology::order_comparison& costs) {
  return formatted("%-20s %10s %10s %9.3g\n", name, to_string(costs.present.time).c_str(),
                   to_string(costs.advised.time).c_str(), costs.slowdown());
}

std::string describe_loads(const topology::order_comparison& ring) {
  std::string text =
      formatted("\n%-16s %10s %21s %21s\n%-16s %10s %10s %10s %10s %10s\n", "a ring's messages", "", "present",
                "advised", "between units", "units", "crossing", "busiest", "crossing", "busiest");
  for (std::size_t level = 0; level < ring.present.levels.size(); ++level) {
    const topology::level_load& now = ring.present.levels[level];
    const topology::level_load& then = ring.advised.levels[level];
    text +=
        formatted("%-16s %10lld %10lld %10lld %10lld %10lld\n", now.level.c_str(), static_cast<long long>(now.units),
                  static_cast<long long>(now.crossing), static_cast<long long>(now.busiest),
                  static_cast<long long>(then.crossing), static_cast<long long>(then.busiest));
  }
  return text;
}

std::string describe_ways(const placement& made) {
  const bool is_block = std::string_view(slurm_distribution(made)) == "block";
  return "\nadvised order (the present rank that becomes rank 0, 1, ...; all with --emit order)\n  " +
         listed(made.advice.old_rank_of, most_shown) +
         "\nkeys (the new rank of present rank 0, 1, ...; all with --emit keys)\n  " +
         listed(made.new_rank_of, most_shown) +
         "\nways to get it\n"
         "  MPI       MPI_Comm_split(comm, 0, keys[rank], &ordered)\n"
         "  torch     RANK = keys[RANK] before init_process_group\n"
         "  Open MPI  mpirun --rankfile FILE, from --emit rankfile" +
         (made.hosts.empty() ? " (needs a topology with host names)" : "") + "\n  Slurm     " +
         (is_block ? "srun --distribution=block\n"
                   : "SLURM_HOSTFILE=FILE srun --distribution=arbitrary, FILE from --emit hostfile\n");
}

std::string text_of(const placement& made) {
  const topology::rank_order_advice& advice = made.advice;
  std::string text =
      formatted("%lld ranks on %s\n\n%-20s %10s %10s %9s\n", static_cast<long long>(made.present.tree.size()),
                topology::describe(made.present.tree).c_str(), ("all_reduce, " + to_string(made.data)).c_str(),
                "present", "advised", "slowdown") +
      times("ring", advice.ring) + times("recursive doubling", advice.recursive_doubling) +
      "all_to_all                does not depend on the order\n" + describe_loads(advice.ring);
  if (advice.is_present) return text + "\nkeep the present order: no other has fewer messages between units\n";
  return text + describe_ways(made);
}

}  // namespace

verb add_place(CLI::App& program, const context&) {
  auto options = std::make_shared<place_options>();
  CLI::App* const app = program.add_subcommand("place", "Say what an order of ranks costs, and advise a better one");
  app->add_option("--topology", options->topology, "Topology argument (docs/topology.md); default: HAWSER_TOPOLOGY")
      ->type_name("TOPOLOGY");
  app->add_option("--order", options->order,
                  "The present order: block, cyclic, random:SEED, or the rank of each position like 0-3,8,9,4-7; "
                  "default: that of the topology")
      ->type_name("ORDER");
  app->add_option("--bytes", options->bytes, "Of the all_reduce whose time is estimated")
      ->capture_default_str()
      ->type_name("SIZE");
  app->add_option("--emit", options->emit, "Print only this list: order, keys, rankfile or hostfile")
      ->type_name("LIST");
  app->add_option("--format", options->form, "text or json (docs/schema/place-1.json)")
      ->capture_default_str()
      ->type_name("FORMAT");
  return {app, [options] {
            const format form = parse_format(options->form);
            const placement made = place(*options);
            const std::string text = !options->emit.empty() ? emitted(made, options->emit)
                                     : form == format::json ? json_of(made)
                                                            : text_of(made);
            std::fputs(text.c_str(), stdout);
            return exit_success;
          }};
}

}  // namespace hawser::cli
