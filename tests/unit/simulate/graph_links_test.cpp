// Simulations over the links of a network beside the hierarchy: the same times where it says the same, times that can
// be computed by hand where it says more.
#include <hawser/simulate/simulate.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>
#include <support/capacity_graphs.hpp>

namespace hawser::simulate {
namespace {

using algorithm::capacity_graph;
using schedule::collective;
using schedule::request;

options links_only(capacity_graph links, double unit) {
  options how;
  how.host = {.per_message = seconds{0}, .reduction = bandwidth{std::numeric_limits<double>::infinity()}};
  how.links = std::make_shared<const cost::network>(cost::network{std::move(links), unit});
  return how;
}

request of(collective what, std::int64_t block_bytes) {
  request made;
  made.what = what;
  made.count = block_bytes / 4;
  return made;
}

TEST(graph_links, a_hierarchy_s_own_links_take_the_same_time) {
  for (const char* text :
       {"gpu:5@1GB/s,2us", "rack:2@3GB/s,5us gpu:4@1GB/s,1us", "rack:3@1GB/s,5us gpu:[3,1,2]@2GB/s,1us",
        "pod:2@2GB/s,9us rack:2@1GB/s,5us gpu:3@4GB/s,1us"}) {
    const topology::hierarchy tree = topology::parse_synthetic(text);
    const cost::network same = cost::network_of(tree);
    options beside = links_only(same.links, same.unit_bytes_per_second), alone = beside;
    alone.links = nullptr;
    beside.segments = alone.segments = 3;
    beside.keeps_order = false;
    for (const collective what : {collective::all_reduce, collective::all_to_all, collective::all_gather})
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        if (name.find("in_network") != std::string::npos || name.find("multicast") != std::string::npos) continue;
        const request call = of(what, 4'000'000);
        EXPECT_NEAR(simulate(tree, call, name, beside).time / simulate(tree, call, name, alone).time, 1, 1e-6)
            << text << " " << to_string(what) << " " << name;
      }
  }
}

TEST(graph_links, messages_take_the_fewest_links_and_share_them) {
  // 0 - 1 - 2: a broadcast from 0 crosses the link to 1 twice, the one to 2 once.
  capacity_graph row(3, 0);
  row.join(0, 1, 10);
  row.join(1, 2, 5);
  const topology::hierarchy tree = topology::parse_synthetic("gpu:3@1GB/s,0s");
  const result made = simulate(tree, of(collective::broadcast, 1'000'000), "linear", links_only(row, 1e8));
  EXPECT_NEAR(made.time.count(), 2e-3, 1e-9);
  ASSERT_EQ(made.links.size(), 4u);
  EXPECT_EQ(made.links[0].ends, "rank 0 > rank 1");
  EXPECT_NEAR(made.links[0].bytes, 2e6, 1);
  EXPECT_NEAR(made.links[0].busy, 1, 1e-6);
  EXPECT_EQ(made.links[2].ends, "rank 1 > rank 2");
  EXPECT_NEAR(made.links[2].bytes, 1e6, 1);
  EXPECT_NEAR(made.links[1].bytes, 0, 1);
}

TEST(graph_links, packed_trees_reach_what_their_packing_says) {
  const topology::hierarchy tree = topology::parse_synthetic("gpu:8@150GB/s,0s");
  planner::planner chooser(tree);
  options how = links_only(test::dgx1(25), 1e9);
  chooser.know(how.links);
  request call = of(collective::all_gather, 256'000'000);
  const double bound = 7 * 256e6 / 150e9;                                // seven blocks over the six links into a GPU
  EXPECT_GT(simulate(tree, call, "ring", how).time.count(), 4 * bound);  // all of them over the link from 0 to 1
  call.algorithm = "packed_trees";
  how.prepared = chooser.make_plan(call).prepared;
  for (how.segments = 32; how.segments <= 128; how.segments *= 4)  // the table of docs/simulator.md
    for (how.window = 4; how.window <= 64; how.window *= 4)
      std::printf("  %lld segments, %lld in flight: %.2f of the bound\n", static_cast<long long>(how.segments),
                  static_cast<long long>(how.window), simulate(tree, call, "packed_trees", how).time.count() / bound);
  how.segments = 128;
  how.window = schedule::packed_window;  // as many in flight as hide the trees' depth
  const double time = simulate(tree, call, "packed_trees", how).time.count();
  EXPECT_GE(time, bound * (1 - 1e-9));
  EXPECT_LE(time, 1.1 * bound);
}

TEST(graph_links, what_does_not_go_together_is_refused) {
  const topology::hierarchy tree = topology::parse_synthetic("gpu:3@1GB/s,0s");
  const request call = of(collective::all_reduce, 1'000);
  EXPECT_THROW(simulate(tree, call, "ring", links_only(capacity_graph(4, 0), 1)), error);
  options parted = links_only(capacity_graph(3, 0), 1);
  EXPECT_THROW(simulate(tree, call, "ring", parted), error);
  capacity_graph whole(3, 1);
  for (int r = 0; r < 3; ++r) whole.join(r, 3, 1);
  options faulty = links_only(whole, 1e6);
  faulty.suffers.faults.push_back(parse_fault(tree, "gpu:1=1/2"));
  EXPECT_THROW(simulate(tree, call, "ring", faulty), error);
}

}  // namespace
}  // namespace hawser::simulate
