// htsim and ASTRA-sim .topo: a tiered fat tree
#include "htsim_parse.hpp"

#include <hawser/topology/identity.hpp>

#include "../generated_parts.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

using htsim_format::fat_tree;
using htsim_format::tier;

constexpr auto max_parts = static_cast<std::int64_t>(generated_parts(3 << 19));  // hosts, switches and links

bool recognises(const document& file) {
  int settings = 0;
  for (line_reader lines(file.text.substr(0, std::size_t{64} << 10)); lines.next() && settings < 3;) {
    const auto parts = words(lines.line().substr(0, lines.line().find('#')));
    if (parts.empty()) continue;
    std::string key(parts[0]);
    for (char& c : key)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (parts.size() != 2 || (key != "nodes" && key != "tiers" && key != "podsize")) return false;
    ++settings;
  }
  return settings == 3;
}

// Pods of top-of-rack switches (LS) below aggregation switches (US), and core switches (CS) above the same aggregation
// switch of each pod; with two tiers one pod. The names are htsim's.
class builder {
 public:
  builder(const document& file, const fat_tree& from) : file_(file), from_(from) {}

  topology::graph run() {
    const auto& [leaf, spine, core] = from_.tier_of;
    const bool has_core = *from_.tiers == 3;
    check_size(*from_.nodes);
    if (bundle(leaf) != 1) fail_in_tier(leaf.line, "Bundle is not 1: htsim's hosts have one port");
    const std::int64_t hosts = *from_.nodes,
                       pods = has_core ? divide(hosts, *from_.pod_size, "Nodes", "Podsize", 0) : 1;
    const std::int64_t leaves = divide(hosts / pods, *leaf.radix_down, "the hosts of a pod", "Radix_Down", leaf.line);
    const std::int64_t spines = divide(*leaf.radix_up, bundle(spine), "Radix_Up", "the Bundle of tier 1", leaf.line);
    check(leaves * bundle(spine), *spine.radix_down, "Radix_Down", "the uplinks of its leaves need", spine.line);
    const std::int64_t per_spine =
        has_core ? divide(*spine.radix_up, bundle(core), "Radix_Up", "the Bundle of tier 2", spine.line) : 0;
    if (has_core) check(pods * bundle(core), *core.radix_down, "Radix_Down", "the uplinks of the pods need", core.line);
    check_size(hosts + pods * leaves * *leaf.radix_up);
    if (has_core) check_size(hosts + pods * spines * *spine.radix_up);
    check_oversubscription(leaf, spine, 0);
    if (has_core) check_oversubscription(spine, core, 1);
    for (std::int64_t each = 0; each < hosts; ++each) add(topology::node_kind::host, "host", each);
    const auto first_leaf = add_switches(topology::node_kind::leaf_switch, "LS", pods * leaves, leaf);
    const auto first_spine = add_switches(topology::node_kind::spine_switch, "US", pods * spines, spine);
    const auto first_core = add_switches(topology::node_kind::core_switch, "CS", spines * per_spine, core);
    for (std::int64_t each = 0; each < hosts; ++each) connect(each, first_leaf + each / *leaf.radix_down, leaf);
    for (std::int64_t each = 0; each < pods * leaves; ++each)
      for (std::int64_t up = 0; up < spines; ++up)
        connect(first_leaf + each, first_spine + each / leaves * spines + up, spine);
    for (std::int64_t each = 0; each < pods * spines; ++each)
      for (std::int64_t up = 0; up < per_spine; ++up)
        connect(first_spine + each, first_core + each % spines + spines * up, core);
    for (const topology::finding& each : from_.findings) graph_.note(each);
    for (const auto told : {topology::aspect::hosts, topology::aspect::switches, topology::aspect::links})
      graph_.tell(told);
    return std::move(graph_);
  }

 private:
  static std::int64_t bundle(const tier& each) { return each.bundle.value_or(1); }

  [[noreturn]] void fail_in_tier(std::size_t line, const std::string& reason) const {
    if (line == 0) fail_in(file_, "its header", reason);
    fail_in(file_, "the tier of line " + std::to_string(line), reason);
  }
  std::int64_t divide(std::int64_t value, std::int64_t by, const std::string& what, const std::string& of,
                      std::size_t line) const {
    if (value % by != 0 || value == 0)
      fail_in_tier(line,
                   what + ", " + std::to_string(value) + ", must be a multiple of " + of + ", " + std::to_string(by));
    return value / by;
  }
  void check(std::int64_t needed, std::int64_t given, const std::string& key, const std::string& why,
             std::size_t line) const {
    if (needed != given)
      fail_in_tier(line, key + " is " + std::to_string(given) + ", " + why + " " + std::to_string(needed));
  }
  void check_size(std::int64_t parts) const {
    if (parts > max_parts) fail_in(file_, {}, "more than " + std::to_string(max_parts) + " hosts and links");
  }
  void check_oversubscription(const tier& below, const tier& above, int number) {
    const double down = 1.0 * *below.radix_down * *below.speed_gbps;
    const double up = 1.0 * *below.radix_up * *above.speed_gbps * below.oversubscribed.value_or(1);
    if (down != up && below.oversubscribed)
      graph_.note({topology::severity::warning, "contradictory-oversubscription", "tier " + std::to_string(number),
                   "Oversubscribed is " + std::to_string(*below.oversubscribed) +
                       ", which the speeds and radixes do not give"});
  }

  topology::node_index add(topology::node_kind kind, const std::string& prefix, std::int64_t number) {
    const std::string name = prefix + std::to_string(number);
    return graph_.add_node({kind,
                            name,
                            {kind == topology::node_kind::host ? topology::identity::host(name)
                                                               : topology::identity::network_switch(name)},
                            {}});
  }
  std::int64_t add_switches(topology::node_kind kind, const std::string& prefix, std::int64_t count, const tier& of) {
    const auto first = static_cast<std::int64_t>(graph_.nodes().size());
    for (std::int64_t each = 0; each < count; ++each) {
      const topology::node_index added = add(kind, prefix, each);
      if (of.switch_latency_ns.value_or(0) > 0)
        graph_.describe(added, "latency", to_string(seconds{*of.switch_latency_ns * 1e-9}));
    }
    return first;
  }
  void connect(std::int64_t below, std::int64_t above, const tier& of) {
    topology::edge link{static_cast<topology::node_index>(below),
                        static_cast<topology::node_index>(above),
                        topology::edge_kind::ethernet,
                        bandwidth{*of.speed_gbps * 1e9 / 8},
                        {},
                        topology::provenance::file,
                        {}};
    if (of.latency_ns) link.latency = seconds{*of.latency_ns * 1e-9};
    for (std::int64_t each = 0; each < bundle(of); ++each) graph_.add_edge(link);
  }

  const document& file_;
  const fat_tree& from_;
  topology::graph graph_;
};

topology::graph read(const document& file, const read_options&) {
  return builder(file, htsim_format::parse(file)).run();
}

}  // namespace

const file_source htsim{"htsim", "htsim and ASTRA-sim .topo: a tiered fat tree", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
