// hwloc XML: matrices to links.
#include <algorithm>
#include <numeric>

#include <hawser/topology/attributes.hpp>

#include "../generated_parts.hpp"
#include "hwloc_xml_graph.hpp"

namespace hawser::discovery::hwloc {

using topology::edge;
using topology::edge_kind;
using topology::node_index;
using topology::node_kind;
using topology::provenance;
using topology::severity;

namespace {

constexpr std::uint64_t most_links = 1024;  // between two devices
constexpr std::uint64_t most_all_links = generated_parts(1'000'000);

// MB/s of one link. hwloc adds up 20000 per link of NVLink 1, 25000 of 2 to 4 and 50000 of 5 (hwloc/topology-nvml.c);
// 50000 alone may be two of the former, so only a GPU of that generation makes it one of the latter.
std::uint64_t megabytes_of_link(const topology::graph& machine, const matrix& from,
                                const std::vector<std::optional<node_index>>& place_of) {
  const std::size_t size = from.indexes.size();
  std::uint64_t common = 0;
  for (std::size_t row = 0; row < size; ++row)
    for (std::size_t column = 0; column < size; ++column)
      if (row != column) common = std::gcd(common, from.values[row * size + column]);
  const auto is_blackwell = [&](const std::optional<std::size_t>& object) {
    if (!object || !place_of[*object]) return false;
    const auto& all = machine.nodes()[*place_of[*object]].attributes;
    const auto model = all.find(topology::attribute::model);
    if (model == all.end()) return false;
    return std::ranges::any_of(std::initializer_list<std::string_view>{"B100", "B200", "B300"},
                               [&](std::string_view name) { return model->second.find(name) != std::string::npos; });
  };
  if (common % 50000 == 0 && std::ranges::any_of(from.objects, is_blackwell)) return 50000;
  if (common % 25000 == 0) return 25000;
  return common % 20000 == 0 ? 20000 : common;
}

class connector {
 public:
  connector(topology::graph& into, const matrix& from, const std::vector<std::optional<node_index>>& place_of)
      : graph_(into), from_(from), place_of_(place_of) {}

  void add_links(edge_kind kind) {
    const std::uint64_t unit = kind == edge_kind::nvlink ? megabytes_of_link(graph_, from_, place_of_) : 0;
    for_each_pair([&](node_index a, node_index b, std::uint64_t there, std::uint64_t back) {
      const std::uint64_t megabytes = std::max(there, back);
      if (megabytes == 0 || !has_gpu(a, b)) return;
      if (there != back)
        graph_.note(
            {severity::warning, "asymmetric-nvlink", graph_.nodes()[a].name + " - " + graph_.nodes()[b].name,
             from_.name + " is " + std::to_string(there) + " one way and " + std::to_string(back) + " MB/s the other"});
      if (all_links_ > most_all_links)
        fail(errc::parse, "the matrix " + shortened(from_.name) + " cannot be used",
             "it tells of more than " + std::to_string(most_all_links) + " links");
      const std::uint64_t links = unit == 0 ? 1 : std::min(most_links, std::max<std::uint64_t>(1, megabytes / unit));
      edge cable{.a = a, .b = b, .kind = kind, .source = provenance::file};
      cable.rate = bandwidth{static_cast<double>(megabytes) * 1e6 / static_cast<double>(links)};
      for (std::uint64_t each = 0; each < links; ++each) graph_.add_edge(cable);
      all_links_ += links;
    });
  }

  // Relative to 10 for the memory of the node itself, as the firmware tells them.
  void add_distances() {
    for_each_pair([&](node_index a, node_index b, std::uint64_t there, std::uint64_t back) {
      if (graph_.nodes()[a].kind != node_kind::cpu || graph_.nodes()[b].kind != node_kind::cpu) return;
      graph_.add_edge({.a = a,
                       .b = b,
                       .kind = edge_kind::interconnect,
                       .source = provenance::file,
                       .attributes = {{"distance", std::to_string(std::max(there, back))}}});
    });
  }

 private:
  template <typename Function>
  void for_each_pair(Function call) {
    const std::size_t size = from_.indexes.size();
    for (std::size_t row = 0; row < size; ++row)
      for (std::size_t column = row + 1; column < size; ++column) {
        const auto a = place(row), b = place(column);
        if (a && b && *a != *b) call(*a, *b, from_.values[row * size + column], from_.values[column * size + row]);
      }
  }
  std::optional<node_index> place(std::size_t at) const {
    return from_.objects[at] ? place_of_[*from_.objects[at]] : std::nullopt;
  }
  bool has_gpu(node_index a, node_index b) const {
    const auto is = [&](node_index each, node_kind kind) { return graph_.nodes()[each].kind == kind; };
    return is(a, node_kind::gpu) || is(b, node_kind::gpu) || (is(a, node_kind::nvswitch) && is(b, node_kind::nvswitch));
  }

  topology::graph& graph_;
  const matrix& from_;
  const std::vector<std::optional<node_index>>& place_of_;
  std::uint64_t all_links_ = 0;
};

}  // namespace

void connect(topology::graph& into, const document& file, const std::vector<std::optional<node_index>>& place_of) {
  constexpr std::size_t most_numa_nodes = 128;
  for (const matrix& each : file.matrices) {
    connector links(into, each, place_of);
    if (each.name == "NVLinkBandwidth") links.add_links(edge_kind::nvlink);
    if (each.name == "XGMIBandwidth") links.add_links(edge_kind::xgmi);
    if (each.name == "NUMALatency" && each.indexes.size() <= most_numa_nodes) links.add_distances();
  }
}

}  // namespace hawser::discovery::hwloc
