// The cost model against the simulator: predicted and simulated times of the planner's choices, and of what the window
// of segments in flight does to them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <hawser/planner/planner.hpp>
#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::cost {
namespace {

using schedule::collective;
using schedule::request;
using topology::hierarchy;
using topology::parse_synthetic;

/// `bytes` as nccl-tests counts them.
request of(collective what, std::int64_t bytes, const hierarchy& tree) {
  request made{.what = what};
  made.count = bytes / 4 / schedule::buffer_blocks(what, tree.size());
  return made;
}

seconds simulated(const hierarchy& tree, const request& what, const std::string& algorithm, std::int64_t segments) {
  simulate::options how;
  how.segments = segments;
  return simulate::simulate(tree, what, algorithm, how).time;
}

/// Simulated over predicted time of the planner's choice.
double ratio_of(const hierarchy& tree, const request& what, std::string& chosen) {
  const schedule::plan made = planner::planner(tree).make_plan(what);
  chosen = made.algorithm + ", " + std::to_string(made.segments) + " segments";
  return simulated(tree, what, made.algorithm, made.segments) / made.predicted;
}

/// Stated in docs/simulator.md: short messages within a factor of 2.3, from 16 MiB on within 1.7.
TEST(model_and_simulator, agree_within_the_stated_factors) {
  constexpr std::int64_t sizes[] = {std::int64_t{64} << 10, std::int64_t{1} << 20, std::int64_t{16} << 20,
                                    std::int64_t{256} << 20};
  double worst_short = 1, worst_long = 1;
  for (const char* text : {"gpu:16", "rack:[8,8,5]@25GB/s,10us", "rack:4@10GB/s,5us gpu:8@100GB/s,1us"}) {
    const hierarchy tree = parse_synthetic(text);
    for (collective what : {collective::all_reduce, collective::reduce_scatter, collective::all_gather,
                            collective::all_to_all, collective::broadcast, collective::reduce})
      for (std::int64_t bytes : sizes) {
        std::string chosen;
        const double ratio = ratio_of(tree, of(what, bytes, tree), chosen);
        const double factor = std::max(ratio, 1 / ratio);
        double& worst = bytes < (std::int64_t{16} << 20) ? worst_short : worst_long;
        if (factor > worst)
          std::printf("%.2f: %s of %lld B on %s: %s\n", ratio, std::string(to_string(what)).c_str(),
                      static_cast<long long>(bytes), text, chosen.c_str());
        worst = std::max(worst, factor);
      }
  }
  std::printf("worst factor: %.2f below 16 MiB, %.2f above\n", worst_short, worst_long);
  EXPECT_LT(worst_short, 2.3);
  EXPECT_LT(worst_long, 1.7);
}

/// Of 131,328 GPUs, where the model once missed what the busiest pod sends, and promised 2.8 times too much.
TEST(model_and_simulator, agree_on_a_hundred_thousand_gpus) {
  const hierarchy tree = parse_synthetic("pod:16 rack:114 gpu:72");
  std::string chosen;
  const double ratio = ratio_of(tree, of(collective::all_reduce, std::int64_t{1} << 30, tree), chosen);
  std::printf("%.2f: %s\n", ratio, chosen.c_str());
  EXPECT_LT(std::max(ratio, 1 / ratio), 1.7);
}

/// Segments beyond the window cannot hide a latency that is longer than the window's transfers.
TEST(window, bounds_the_throughput_of_a_chain) {
  const hierarchy tree = parse_synthetic("gpu:4@100GB/s,100us");
  request what{.what = collective::broadcast};
  what.count = (std::int64_t{64} << 20) / 4;
  constexpr std::int64_t segments = 256;
  schedule::candidate c{.algorithm = "chain"};
  estimate(tree, what, count_traffic(tree, what, "chain"), {}, c, segments);
  EXPECT_EQ(c.segments, segments);
  // A rank in the middle receives and sends: two latencies for each window of segments.
  const double round_trips = static_cast<double>(segments) / static_cast<double>(schedule::default_window);
  EXPECT_GT(c.predicted.count(), (round_trips - 1) * 2 * 100e-6);
  EXPECT_GT(c.window.count(), 0.5 * (round_trips - 1) * 2 * 100e-6);
  const double ratio = simulated(tree, what, "chain", segments) / c.predicted;
  EXPECT_GT(ratio, 0.6);
  EXPECT_LT(ratio, 1.6);
}

/// What `hands_on` in the registry says: with one segment in flight and next to no bytes, the time per segment is what
/// a rank waits for between beginning a segment and being done with it. Left out is what receives from several into one
/// sum: those receives are posted one after the other, each of which costs a latency in the simulator's rendezvous.
TEST(window, a_member_is_done_as_soon_as_the_registry_says) {
  constexpr std::int64_t segments = 60;
  for (int n : {4, 7, 16}) {
    const hierarchy tree = parse_synthetic("gpu:" + std::to_string(n) + "@100000GB/s,1ms");
    for (collective what : {collective::broadcast, collective::reduce, collective::gather, collective::scatter,
                            collective::all_reduce, collective::all_gather})
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        const bool sums_in_order = name == "two_shot" || (what == collective::reduce && name != "chain");
        if (sums_in_order) continue;
        request call{.what = what};
        call.count = segments * n;
        simulate::options how;
        how.segments = segments;
        how.window = 1;
        const double latencies =
            simulate::simulate(tree, call, name, how).time.count() / 1e-3 / static_cast<double>(segments);
        const traffic moved = count_traffic(tree, call, name);
        EXPECT_LT(latencies, static_cast<double>(moved.stay_rounds[0]) * 1.5 + 0.5)
            << to_string(what) << " " << name << " of " << n;
      }
  }
}

/// Whoever stands for the ranks of a large machine: the busiest unit of each level is among them.
TEST(representatives, hold_the_busiest) {
  for (const char* text : {"rack:5 gpu:16", "gpu:100", "rack:13 gpu:8", "pod:3 rack:5 gpu:6", "rack:16 gpu:5"}) {
    const hierarchy tree = parse_synthetic(text);
    for (collective what : {collective::all_reduce, collective::reduce_scatter, collective::all_gather}) {
      const request call{.what = what};
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        if (algorithm::parse_name(name).is_hierarchical != (tree.depth() > 1)) continue;
        const traffic counted = count_traffic(tree, call, name);
        std::vector<double> busiest(static_cast<std::size_t>(tree.depth()), 0.0);
        detail::unit_traffic units(tree);
        for (std::int64_t p = 0; p < tree.size(); ++p)
          units.add(p, detail::count_rank(tree, algorithm::generate(tree, call, name, tree.rank_at(p))), busiest,
                    [](int, std::int64_t) { return 1.0; });
        // The members of this butterfly that are paired up differ by a block of 2n, and not all are looked at.
        const double slack = name == "bine_butterfly" ? 0.01 : 1e-9;
        for (std::size_t d = 0; d < busiest.size(); ++d)
          EXPECT_GE(counted.blocks_out[d], busiest[d] * (1 - slack)) << text << " " << name << " level " << d;
      }
    }
  }
}

}  // namespace
}  // namespace hawser::cost
