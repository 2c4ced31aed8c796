// ASTRA-sim network YAML
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "../generated_parts.hpp"
#include "astra_sim_parse.hpp"
#include "sources.hpp"

namespace hawser::discovery {
namespace {

bool recognises(const document& file) {
  bool has_topology = false, has_npus = false;
  for (line_reader lines(file.text.substr(0, std::size_t{64} << 10)); lines.next();) {
    has_topology = has_topology || lines.line().starts_with("topology:");
    has_npus = has_npus || lines.line().starts_with("npus_count:");
  }
  return has_topology && has_npus;
}

#ifdef HAWSER_HAS_YAML

using astra_sim_format::dimension;
using astra_sim_format::shape;

constexpr std::size_t max_npus = generated_parts(1 << 19), max_links = generated_parts(1 << 20);

// The innermost dimension is the NVLink domain. Its rings and meshes are links between GPUs; those of the outer
// dimensions are a switch each, one tier per dimension, since a hierarchy is a tree.
class builder {
 public:
  builder(const document& file, const std::vector<dimension>& dimensions) : file_(file), dimensions_(dimensions) {}

  topology::graph run() {
    std::size_t npus = 1;
    for (const dimension& each : dimensions_) {
      if (static_cast<std::size_t>(each.npus) > max_npus / npus)
        fail_in(file_, "npus_count", "more than " + std::to_string(max_npus) + " NPUs");
      npus *= static_cast<std::size_t>(each.npus);
    }
    check_links(npus);
    for (std::size_t each = 0; each < npus; ++each)
      graph_.add_node({topology::node_kind::gpu, "npu" + std::to_string(each), {"npu/" + std::to_string(each)}, {}});
    std::size_t stride = 1;
    for (std::size_t each = 0; each < dimensions_.size(); ++each) {
      add_dimension(each, npus, stride);
      stride *= static_cast<std::size_t>(dimensions_[each].npus);
    }
    graph_.tell(topology::aspect::gpus);
    graph_.tell(topology::aspect::nvlink);
    return std::move(graph_);
  }

 private:
  static std::size_t links_of(const dimension& each) {
    return each.form == shape::switched ? 1 : each.form == shape::ring ? 2 : static_cast<std::size_t>(each.npus) - 1;
  }
  void check_links(std::size_t npus) const {
    std::size_t links = 0;
    for (const dimension& each : dimensions_) links += npus * links_of(each);
    if (links > max_links)
      fail_in(file_, "npus_count", "the dimensions have more than " + std::to_string(max_links) + " links");
  }

  void connect(std::size_t a, std::size_t b, const dimension& along, bool is_inner) {
    graph_.add_edge({a,
                     b,
                     is_inner ? topology::edge_kind::nvlink : topology::edge_kind::ethernet,
                     bandwidth{along.gigabytes_per_second * 1e9},
                     seconds{along.nanoseconds * 1e-9},
                     topology::provenance::file,
                     {}});
  }

  void add_dimension(std::size_t number, std::size_t npus, std::size_t stride) {
    const dimension& along = dimensions_[number];
    const auto length = static_cast<std::size_t>(along.npus);
    const bool is_direct = number == 0 && along.form != shape::switched;
    for (std::size_t line = 0; line < npus / length; ++line) {
      const std::size_t first = line % stride + line / stride * stride * length;
      if (is_direct) {
        add_direct(first, along);
        continue;
      }
      const std::size_t middle = add_switch(number, line);
      for (std::size_t each = 0; each < length; ++each)
        for (std::size_t link = 0; link < links_of(along); ++link)
          connect(first + each * stride, middle, along, number == 0);
    }
    if (along.form == shape::switched || (is_direct && length <= 3)) return;
    const bool is_ring = along.form == shape::ring;
    if (is_direct && !is_ring) return;
    graph_.note({is_direct ? topology::severity::info : topology::severity::warning,
                 is_ring ? "ring-as-switch" : "mesh-as-switch", "dimension " + std::to_string(number),
                 std::string(is_ring ? "its rings" : "its all-to-all links") +
                     " count as a switch in the hierarchy: longer ways and the limit of a single link are lost"});
  }

  void add_direct(std::size_t first, const dimension& along) {
    const auto length = static_cast<std::size_t>(along.npus);
    for (std::size_t a = 0; a < length; ++a) {
      if (along.form == shape::ring) connect(first + a, first + (a + 1) % length, along, true);
      for (std::size_t b = a + 1; along.form == shape::fully_connected && b < length; ++b)
        connect(first + a, first + b, along, true);
    }
  }

  std::size_t add_switch(std::size_t number, std::size_t line) {
    const std::string name = "switch" + std::to_string(number) + "." + std::to_string(line);
    topology::node part{topology::node_kind::nvswitch, name, {topology::identity::network_switch(name)}, {}};
    if (number > 0)
      part.kind = number == 1   ? topology::node_kind::leaf_switch
                  : number == 2 ? topology::node_kind::spine_switch
                                : topology::node_kind::core_switch;
    if (number > 2) part.tier = static_cast<int>(number);
    if (dimensions_[number].form != shape::switched) part.attributes.emplace(topology::attribute::virtual_part, "1");
    return graph_.add_node(std::move(part));
  }

  const document& file_;
  const std::vector<dimension>& dimensions_;
  topology::graph graph_;
};

#endif

topology::graph read(const document& file, const read_options&) {
#ifdef HAWSER_HAS_YAML
  return builder(file, astra_sim_format::parse(file)).run();
#else
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "hawser was built without yaml-cpp",
       "install libyaml-cpp-dev and build again");
#endif
}

}  // namespace

const file_source astra_sim{"astra-sim", "ASTRA-sim network YAML", max_yaml_bytes, recognises, read};

}  // namespace hawser::discovery
