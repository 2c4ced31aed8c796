// NCCL's published model reproduced, and hawser's own predictions for the same machine beside it.
#include <gtest/gtest.h>

#include <cstdio>

#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>
#include <support/nccl_model.hpp>

namespace hawser::cost {
namespace {

namespace nccl = test::nccl;

TEST(nccl_model, gives_the_published_figures) {
  // 6.8 + 2 * (7 * 0.6 + 5.0); a public log shows 25.207 us for 64 B (NVIDIA/nccl#1453).
  EXPECT_NEAR(nccl::tree_latency(nccl::protocol::ll, nccl::link::nvlink, 8, 2), 25.2, 1e-9);
  EXPECT_NEAR(nccl::tree_latency(nccl::protocol::ll, nccl::link::nvlink, 8, 3), 25.2, 1e-9);
  EXPECT_NEAR(nccl::tree_latency(nccl::protocol::ll, nccl::link::nvlink, 8, 4), 35.2, 1e-9);
  EXPECT_NEAR(nccl::time(25.2, 64, 10), 25.207, 1e-3);
  // 6.6 + 28 * 0.6 + 2 * 2.7: 30 steps of 16 ranks, two of them between the nodes.
  EXPECT_NEAR(nccl::ring_latency(nccl::protocol::ll, nccl::link::nvlink, 8, 2), 28.8, 1e-9);
  EXPECT_NEAR(nccl::ring_latency(nccl::protocol::simple, nccl::link::nvlink, 8, 1), 8.4 + 14 * 3.4, 1e-9);
}

/// The same machine with NCCL's LL latencies per hop. NCCL's tree is a chain inside a node and takes log2 hops to and
/// fro between nodes, where hawser's choice may take one; and its base figure is the launch of a kernel, which hawser's
/// host model does not have.
TEST(nccl_model, small_messages_agree_within_a_factor_of_four) {
  double worst = 1;
  for (int nodes : {2, 4, 16}) {
    const auto tree = topology::parse_synthetic("node:" + std::to_string(nodes) + "@50GB/s,4.4us gpu:8@371GB/s,0.6us");
    schedule::request what{.what = schedule::collective::all_reduce};
    what.count = 16;
    const schedule::plan made = planner::planner(tree).make_plan(what);
    const double theirs = nccl::tree_latency(nccl::protocol::ll, nccl::link::nvlink, 8, nodes);
    const double ours = made.predicted.count() * 1e6;
    std::printf("%2d nodes of 8: NCCL's Tree/LL %.1f us, hawser's %s %.1f us\n", nodes, theirs, made.algorithm.c_str(),
                ours);
    worst = std::max({worst, theirs / ours, ours / theirs});
  }
  EXPECT_LT(worst, 4);
}

}  // namespace
}  // namespace hawser::cost
