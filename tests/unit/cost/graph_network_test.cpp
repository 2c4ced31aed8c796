// Networks from graphs: what is taken, what is not, and ranks that stand elsewhere than in the file.
#include <hawser/cost/graph_network.hpp>

#include <gtest/gtest.h>

#include <string>

namespace hawser::cost {
namespace {

topology::graph triangle_with_a_switch(std::optional<bandwidth> last) {
  topology::graph machine;
  for (const char* name : {"g0", "g1", "g2"})
    machine.add_node({.kind = topology::node_kind::gpu, .name = name, .identities = {name}});
  const auto above = machine.add_node({.kind = topology::node_kind::nvswitch, .name = "s", .identities = {"s"}});
  const auto join = [&](topology::node_index a, topology::node_index b, std::optional<bandwidth> rate) {
    machine.add_edge({.a = a, .b = b, .kind = topology::edge_kind::nvlink, .rate = rate});
  };
  join(0, 1, bandwidth{25e9});
  join(1, 2, bandwidth{50e9});
  join(2, above, last);
  return machine;
}

TEST(graph_network, capacities_in_bytes_per_second) {
  const auto made = network_of(triangle_with_a_switch(bandwidth{100e9}));
  ASSERT_NE(made, nullptr);
  EXPECT_EQ(made->links.ranks(), 3);
  EXPECT_EQ(made->links.nodes(), 4);
  EXPECT_DOUBLE_EQ(static_cast<double>(made->links.at(2, 1)) * made->unit_bytes_per_second, 50e9);
  EXPECT_DOUBLE_EQ(static_cast<double>(made->links.at(3, 2)) * made->unit_bytes_per_second, 100e9);
  EXPECT_EQ(made->links.at(0, 2), 0);
}

TEST(graph_network, none_without_rates_or_gpus_or_of_too_many_parts) {
  EXPECT_EQ(network_of(triangle_with_a_switch(std::nullopt)), nullptr);
  EXPECT_EQ(network_of(topology::graph{}), nullptr);
  topology::graph large;
  for (std::size_t g = 0; g <= most_network_nodes; ++g) {
    const std::string name = "g" + std::to_string(g);
    large.add_node({.kind = topology::node_kind::gpu, .name = name, .identities = {name}});
  }
  EXPECT_EQ(network_of(large), nullptr);
}

TEST(graph_network, ranks_at_other_places) {
  const auto known = network_of(triangle_with_a_switch(bandwidth{100e9}));
  const network placed = with_ranks_at(*known, {2, 0, 1});
  EXPECT_EQ(placed.links.at(0, 2), known->links.at(2, 1));
  EXPECT_EQ(placed.links.at(1, 2), known->links.at(0, 1));
  EXPECT_EQ(placed.links.at(0, 3), known->links.at(2, 3));
  EXPECT_EQ(placed.links.at(0, 1), 0);
  const network back = with_ranks_at(placed, {1, 2, 0});
  EXPECT_EQ(digest(&back), digest(known.get()));
  EXPECT_NE(digest(&placed), digest(known.get()));
  EXPECT_EQ(digest(nullptr), "none");
}

}  // namespace
}  // namespace hawser::cost
