// The PCIe tree that the paths of `nvidia-smi topo -m` determine: groups of devices within groups.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_topo_graph.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;
using topology::severity;

namespace {

constexpr std::size_t most_meshed_cpus = 16;  // more NUMA nodes than that are joined through the first

struct level_name {
  pci_path path;
  std::string_view what;
};
constexpr std::array<level_name, 3> bridge_levels = {
    {{pci_path::pix, "PCIe switch"}, {pci_path::pxb, "PCIe switches"}, {pci_path::phb, "host bridge"}}};

using group_pair = std::pair<std::size_t, std::size_t>;

class path_builder {
 public:
  path_builder(const topo_document& all, topo_graph& made)
      : all_(all), made_(made), size_(all.cells().columns.size()), sets_(size_), top_(made.node_of) {}

  void run() {
    for (const level_name& level : bridge_levels)
      if (join(level.path)) add_bridges(level.what);
    join(pci_path::node);
    note_inconsistency();
    find_distant();
    join_by_numa();
    add_cpus();
  }

 private:
  // Unites what is at most this far apart; true where some pair is exactly so far.
  bool join(pci_path path) {
    bool is_used = false;
    for_each_path([&](std::size_t a, std::size_t b, std::uint16_t code) {
      if (code != static_cast<std::uint16_t>(path)) return;
      is_used = true;
      sets_.unite(a, b);
    });
    return is_used;
  }

  template <typename Use>
  void for_each_path(Use use) const {
    for (std::size_t a = 0; a < size_; ++a)
      for (std::size_t b = a + 1; b < size_; ++b)
        if (const auto code = all_.cell(a, b); code && !is_nvlink_cell(*code)) use(a, b, *code);
  }

  // Every group gets a node, also one of a single device: so all paths of a kind have the same length.
  void add_bridges(std::string_view what) {
    std::map<std::size_t, topology::node_index> bridge_of;
    std::set<std::pair<topology::node_index, topology::node_index>> joined;
    for (std::size_t each = 0; each < size_; ++each) {
      const std::size_t group = sets_.find(each);
      if (!bridge_of.contains(group))
        bridge_of[group] = add({.kind = topology::node_kind::pci_switch,
                                .name = made_.host_name + ":" + std::string(what) + " of " + all_.cells().columns[each],
                                .identities = {topology::identity::unnamed(
                                    made_.host_name, std::string(what) + " of " + all_.cells().columns[each])},
                                .attributes = {{attribute::virtual_part, "1"}}});
      link(joined, top_[each], bridge_of[group], topology::edge_kind::pci);
      top_[each] = bridge_of[group];
    }
  }

  topology::node_index add(topology::node part) {
    const topology::node_index added = made_.into.add_node(std::move(part));
    made_.into.contain(made_.host, added);
    return added;
  }

  void link(std::set<std::pair<topology::node_index, topology::node_index>>& joined, topology::node_index below,
            topology::node_index above, topology::edge_kind kind) {
    if (joined.emplace(below, above).second)
      made_.into.add_edge({.a = below, .b = above, .kind = kind, .source = provenance::file});
  }

  // Paths that a tree cannot have: A and B share what B and C share, but A and C do not.
  void note_inconsistency() {
    std::optional<group_pair> first;
    for_each_path([&](std::size_t a, std::size_t b, std::uint16_t code) {
      const bool is_far = code >= static_cast<std::uint16_t>(pci_path::sys);
      if (is_far && !first && sets_.find(a) == sets_.find(b)) first = {a, b};
    });
    if (!first) return;
    const std::string path = topo_cell_name(*all_.cell(first->first, first->second));
    made_.into.note(
        {severity::warning, "inconsistent-pci-paths",
         all_.cells().columns[first->first] + " - " + all_.cells().columns[first->second],
         "the path is " + path + ", but other cells join the two within one NUMA node; the nearer is taken"});
  }

  void find_distant() {
    distant_.assign(size_, std::vector<bool>(size_));
    for_each_path([&](std::size_t a, std::size_t b, std::uint16_t code) {
      if (code >= static_cast<std::uint16_t>(pci_path::node)) has_cpu_.insert({a, b});
      if (code < static_cast<std::uint16_t>(pci_path::sys)) return;
      const std::size_t x = sets_.find(a), y = sets_.find(b);
      distant_[x][y] = distant_[y][x] = true;
    });
  }

  // NVLink hides the PCIe path of two GPUs: those of one NUMA node belong together unless a cell says SYS.
  void join_by_numa() {
    std::map<int, std::size_t> group_of_number;
    for (std::size_t gpu : all_.gpus()) {
      const auto number = to_integer<int>(all_.affinity_of(gpu).numa);
      if (!number || *number < 0) continue;
      const auto [entry, is_new] = group_of_number.emplace(*number, sets_.find(gpu));
      const std::size_t here = sets_.find(gpu), first = sets_.find(entry->second);
      if (is_new || here == first) continue;
      if (distant_[here][first]) {
        note_numa(gpu, *number);
        continue;
      }
      sets_.unite(here, first);
      move_distant(here, first);
    }
  }

  // After a union, what was far from either part is far from both.
  void move_distant(std::size_t a, std::size_t b) {
    const std::size_t whole = sets_.find(a), part = whole == a ? b : a;
    for (std::size_t other = 0; other < size_; ++other)
      if (distant_[part][other]) distant_[whole][other] = distant_[other][whole] = true;
  }

  void note_numa(std::size_t gpu, int number) {
    if (std::exchange(has_noted_numa_, true)) return;
    made_.into.note({severity::info, "numa-differs-from-paths", made_.host_name + ":" + all_.cells().columns[gpu],
                     "its NUMA node is " + std::to_string(number) +
                         " as that of other GPUs, but its path to one of them is SYS, which leaves the NUMA node; the "
                         "path is taken"});
  }

  // The NUMA node of each group, where its GPUs agree.
  std::map<std::size_t, std::optional<int>> numbers() {
    std::map<std::size_t, std::optional<int>> number_of;
    for (std::size_t gpu : all_.gpus()) {
      const auto number = to_integer<int>(all_.affinity_of(gpu).numa);
      if (!number || *number < 0) continue;
      const auto [entry, is_new] = number_of.try_emplace(sets_.find(gpu), *number);
      if (!is_new && entry->second != *number) entry->second.reset();
    }
    return number_of;
  }

  void add_cpus() {
    std::set<std::size_t> with_cpu;
    for (std::size_t each : has_cpu_) with_cpu.insert(sets_.find(each));
    std::map<std::size_t, std::optional<int>> number_of = numbers();
    std::map<std::size_t, topology::node_index> cpu_of;
    std::set<int> taken;
    std::set<std::pair<topology::node_index, topology::node_index>> joined;
    for (std::size_t each = 0; each < size_; ++each) {
      const std::size_t group = sets_.find(each);
      if (!cpu_of.contains(group)) {
        const std::optional<int> number = number_of[group];
        if (!number && !with_cpu.contains(group)) continue;
        cpu_of[group] = add_cpu(number && taken.insert(*number).second ? number : std::nullopt, each);
        cpus_.push_back(cpu_of[group]);
      }
      link(joined, top_[each], cpu_of[group], topology::edge_kind::pci);
    }
    for (std::size_t a = 0; a < cpus_.size(); ++a)
      for (std::size_t b = a + 1; b < cpus_.size(); ++b)
        if (cpus_.size() <= most_meshed_cpus || a == 0)
          link(joined, cpus_[a], cpus_[b], topology::edge_kind::interconnect);
  }

  topology::node_index add_cpu(std::optional<int> number, std::size_t member) {
    if (!number)
      return add(
          {.kind = topology::node_kind::cpu,
           .name = made_.host_name + ":NUMA node of " + all_.cells().columns[member],
           .identities = {topology::identity::unnamed(made_.host_name, "NUMA node of " + all_.cells().columns[member])},
           .attributes = {{attribute::virtual_part, "1"}}});
    return add({.kind = topology::node_kind::cpu,
                .name = made_.host_name + ":NUMA" + std::to_string(*number),
                .identities = {identity::numa(made_.host_name, *number)},
                .attributes = {{attribute::numa, std::to_string(*number)}}});
  }

  const topo_document& all_;
  topo_graph& made_;
  std::size_t size_;
  topology::detail::disjoint_sets sets_;
  std::vector<topology::node_index> top_;  // by column: the highest node so far
  std::vector<topology::node_index> cpus_;
  std::set<std::size_t> has_cpu_;           // columns whose path to another leaves the host bridge
  std::vector<std::vector<bool>> distant_;  // groups with a path between NUMA nodes
  bool has_noted_numa_ = false;
};

}  // namespace

void add_pci_paths(const topo_document& all, topo_graph& made) {
  path_builder(all, made).run();
}

}  // namespace hawser::discovery
