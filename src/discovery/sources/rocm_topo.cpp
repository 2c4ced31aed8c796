// rocm-smi --showtopo: AMD GPUs of one host, their xGMI links and the paths through CPUs.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>

#include "rocm_topo_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;
using topology::severity;

bool recognises(const document& file) {
  const std::string_view start = file.text.substr(0, std::size_t{64} << 10);
  const auto has = [&](std::string_view words) { return start.find(words) != std::string_view::npos; };
  return has("Link Type between two GPUs") || has("Weight between two GPUs") || has("Hops between two GPUs") ||
         (has("(Topology) Numa Node:") && has("GPU"));
}

class builder {
 public:
  builder(const document& file, const std::string& host_name)
      : all_(parse_rocm_topo(file)), host_name_(host_name), sets_(all_.gpus.size()) {}

  topology::graph run() {
    host_ = into_.add_node(
        {.kind = topology::node_kind::host, .name = host_name_, .identities = {identity::host(host_name_)}});
    for (int gpu : all_.gpus) add_gpu(gpu);
    add_xgmi();
    add_cpus();
    into_.tell(topology::aspect::hosts);
    into_.tell(topology::aspect::gpus);
    if (all_.tables.contains("Link Type")) into_.tell(topology::aspect::nvlink);
    return std::move(into_);
  }

 private:
  std::string cell(const char* title, std::size_t a, std::size_t b) const {
    const auto table = all_.tables.find(title);
    if (table == all_.tables.end()) return {};
    const auto row = table->second.rows.find(all_.gpus[a]);
    const auto column = std::ranges::find(table->second.columns, all_.gpus[b]);
    if (row == table->second.rows.end() || column == table->second.columns.end()) return {};
    return row->second[static_cast<std::size_t>(column - table->second.columns.begin())];
  }

  void add_gpu(int number) {
    topology::node gpu{.kind = topology::node_kind::gpu,
                       .name = host_name_ + ":GPU" + std::to_string(number),
                       .identities = {identity::gpu(host_name_, number)},
                       .attributes = {{attribute::index, std::to_string(number)}}};
    if (const auto node = all_.numa_node.find(number); node != all_.numa_node.end())
      gpu.attributes[attribute::numa] = std::to_string(node->second);
    node_of_.push_back(into_.add_node(std::move(gpu)));
    into_.contain(host_, node_of_.back());
  }

  template <typename Use>
  void for_each_pair(Use use) const {
    for (std::size_t a = 0; a < all_.gpus.size(); ++a)
      for (std::size_t b = a + 1; b < all_.gpus.size(); ++b) use(a, b);
  }

  // rocm-smi says one hop of all pairs within a hive; the weight counts the real ones, 15 each.
  void add_xgmi() {
    long long least = std::numeric_limits<long long>::max();
    for_each_pair([&](std::size_t a, std::size_t b) {
      if (cell("Link Type", a, b) != "XGMI") return;
      if (const auto weight = to_integer<long long>(cell("Weight", a, b)); weight && *weight > 0)
        least = std::min(least, *weight);
    });
    std::size_t indirect = 0, unknown = 0;
    for_each_pair([&](std::size_t a, std::size_t b) {
      const std::string type = cell("Link Type", a, b);
      if (type != cell("Link Type", b, a)) note_asymmetry(a, b);
      if (!type.empty() && type != "XGMI" && type != "PCIE") ++unknown;
      if (type != "XGMI") return;
      const auto weight = to_integer<long long>(cell("Weight", a, b));
      if (weight && *weight > least) {
        ++indirect;
        return;
      }
      into_.add_edge(
          {.a = node_of_[a], .b = node_of_[b], .kind = topology::edge_kind::xgmi, .source = provenance::file});
    });
    if (indirect)
      into_.note({severity::info, "xgmi-through-others", host_name_,
                  std::to_string(indirect) + " pairs of GPUs are joined by xGMI through other GPUs: their weight is "
                                             "more than that of one link"});
    if (unknown)
      into_.note({severity::warning, "unknown-link-type", host_name_,
                  std::to_string(unknown) + " pairs of GPUs have a link type that is neither XGMI nor PCIE"});
  }

  void note_asymmetry(std::size_t a, std::size_t b) {
    if (std::exchange(has_noted_asymmetry_, true)) return;
    into_.note({severity::warning, "asymmetric-matrix",
                into_.nodes()[node_of_[a]].name + " - " + into_.nodes()[node_of_[b]].name,
                "the rows say " + shortened(cell("Link Type", a, b)) + " and " + shortened(cell("Link Type", b, a)) +
                    " of the same path"});
  }

  // GPUs of one NUMA node; where no node is told, two hops through PCIe stay at one CPU.
  void add_cpus() {
    for_each_pair([&](std::size_t a, std::size_t b) {
      if (cell("Link Type", a, b) == "PCIE" && cell("Hops", a, b) == "2") sets_.unite(a, b);
    });
    std::map<int, topology::node_index> of_number;
    std::map<std::size_t, topology::node_index> of_group;
    std::vector<topology::node_index> cpus;
    for (std::size_t each = 0; each < all_.gpus.size(); ++each) {
      const auto told = all_.numa_node.find(all_.gpus[each]);
      const bool has_number = told != all_.numa_node.end() && told->second >= 0;
      if (!has_number && all_.gpus.size() < 2) continue;
      if (!has_number && !all_.tables.contains("Hops")) continue;
      const bool is_known = has_number ? of_number.contains(told->second) : of_group.contains(sets_.find(each));
      topology::node_index& cpu = has_number ? of_number[told->second] : of_group[sets_.find(each)];
      if (!is_known) cpus.push_back(cpu = add_cpu(has_number ? told->second : -1, each));
      into_.add_edge({.a = node_of_[each], .b = cpu, .kind = topology::edge_kind::pci, .source = provenance::file});
    }
    constexpr std::size_t most_meshed = 16;  // more NUMA nodes than that are joined through the first
    for (std::size_t a = 0; a < cpus.size(); ++a)
      for (std::size_t b = a + 1; b < cpus.size(); ++b)
        if (cpus.size() <= most_meshed || a == 0)
          into_.add_edge(
              {.a = cpus[a], .b = cpus[b], .kind = topology::edge_kind::interconnect, .source = provenance::file});
  }

  topology::node_index add_cpu(int number, std::size_t member) {
    topology::node cpu{.kind = topology::node_kind::cpu};
    if (number >= 0) {
      cpu.name = host_name_ + ":NUMA" + std::to_string(number);
      cpu.identities = {identity::numa(host_name_, number)};
      cpu.attributes[attribute::numa] = std::to_string(number);
    } else {
      cpu.name = host_name_ + ":CPU of GPU" + std::to_string(all_.gpus[member]);
      cpu.identities = {identity::unnamed(host_name_, "CPU of GPU" + std::to_string(all_.gpus[member]))};
      cpu.attributes[attribute::virtual_part] = "1";
    }
    const topology::node_index added = into_.add_node(std::move(cpu));
    into_.contain(host_, added);
    return added;
  }

  rocm_topo_document all_;
  const std::string& host_name_;
  topology::graph into_;
  topology::node_index host_ = 0;
  std::vector<topology::node_index> node_of_;  // in the order of all_.gpus
  topology::detail::disjoint_sets sets_;
  bool has_noted_asymmetry_ = false;
};

topology::graph read(const document& file, const read_options& options) {
  return builder(file, options.host).run();
}

}  // namespace

const file_source rocm_topo{"rocm-topo", "rocm-smi --showtopo", max_text_bytes, recognises, read};

}  // namespace hawser::discovery
