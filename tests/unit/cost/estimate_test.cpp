// The cost model counts what schedules move; known optima, bounds and monotony.
#include <gtest/gtest.h>

#include <random>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/cost/estimate.hpp>
#include <hawser/topology/synthetic.hpp>

namespace hawser::cost {
namespace {

using schedule::collective;
using schedule::request;
using topology::hierarchy;
using topology::parse_synthetic;

request of(collective what, std::int64_t bytes) {
  request made{.what = what};
  made.count = bytes / 4;
  return made;
}

schedule::candidate costed(const hierarchy& tree, const request& what, const std::string& name) {
  schedule::candidate c{.algorithm = name};
  estimate(tree, what, count_traffic(tree, what, name), {}, c);
  return c;
}

TEST(traffic, counts_the_optimum_of_bandwidth_optimal_all_reduces) {
  for (int n : {2, 3, 5, 8, 13})
    for (const char* name : {"ring", "circulant", "pat", "two_shot"}) {
      const hierarchy tree = parse_synthetic("gpu:" + std::to_string(n));
      const traffic moved = count_traffic(tree, of(collective::all_reduce, 1024), name);
      EXPECT_NEAR(moved.blocks_out[0], 2.0 * (n - 1) / n, 1e-9) << name << " over " << n;
    }
}

TEST(traffic, a_hierarchical_all_reduce_crosses_each_uplink_as_little_as_the_bound_says) {
  for (const char* text : {"rack:4 gpu:4", "rack:3 gpu:5", "rack:[3,3,2]", "rack:1820 gpu:72"}) {
    const hierarchy tree = parse_synthetic(text);
    const auto racks = static_cast<double>(tree.at(0).units.total());
    const traffic moved = count_traffic(tree, of(collective::all_reduce, 1024), "hierarchical(direct,two_shot)");
    EXPECT_NEAR(moved.blocks_out[0], 2 * (racks - 1) / racks, 1e-6) << text;
  }
}

TEST(traffic, an_all_to_all_crosses_an_uplink_once_per_block) {
  const hierarchy tree = parse_synthetic("rack:[2,3]");
  for (const char* name : {"pairwise", "hierarchical(pairwise,pairwise)"}) {
    const traffic moved = count_traffic(tree, of(collective::all_to_all, 1024), name);
    EXPECT_NEAR(moved.blocks_out[0], 6, 1e-9) << name;
  }
}

TEST(traffic, of_a_large_machine_is_that_of_a_small_one_of_the_same_shape) {
  // 66 ranks are counted by representatives, 64 exactly; the crossing traffic of K racks is 2(K-1)/K either way.
  const traffic large = count_traffic(parse_synthetic("rack:6 gpu:11"), of(collective::all_reduce, 64),
                                      "hierarchical(circulant,circulant)");
  const traffic exact = count_traffic(parse_synthetic("rack:6 gpu:10"), of(collective::all_reduce, 64),
                                      "hierarchical(circulant,circulant)");
  EXPECT_NEAR(large.blocks_out[0], exact.blocks_out[0], 1e-9);
}

/// 16 ranks: recursive doubling sends 4 messages each; by leaders a rank sends 2 and a leader 2 more among the racks.
TEST(traffic, counts_messages_by_level) {
  const hierarchy tree = parse_synthetic("rack:4 gpu:4");
  using counts = std::vector<double>;
  const traffic doubling = count_traffic(tree, of(collective::all_reduce, 1024), "recursive_doubling");
  EXPECT_EQ(doubling.messages, std::vector<counts>{(counts{2, 2})});
  EXPECT_EQ(doubling.mean_messages, (counts{2, 2}));
  const traffic led =
      count_traffic(tree, of(collective::all_reduce, 1024), "hierarchical(binomial,recursive_doubling)");
  EXPECT_EQ(led.messages, std::vector<counts>{(counts{2, 2})});  // a leader's
  EXPECT_NEAR(led.mean_messages[0], 8.0 / 16, 1e-12);
  EXPECT_NEAR(led.mean_messages[1], 24.0 / 16, 1e-12);
  EXPECT_NEAR(led.blocks_out[0], 2, 1e-12);
}

/// The uplink of a large machine carries what its leader sends, not as much for each rank below it.
TEST(traffic, by_leaders_does_not_grow_with_the_ranks_inside) {
  for (const char* text : {"rack:8 gpu:4", "rack:8 gpu:72", "rack:[72,9,72,9,72,9,72,9]"})
    EXPECT_NEAR(
        count_traffic(parse_synthetic(text), of(collective::all_reduce, 64), "hierarchical(linear,recursive_doubling)")
            .blocks_out[0],
        3, 1e-12)
        << text;
}

TEST(estimate, work_per_message_is_that_of_the_level_and_of_all_who_share_a_core) {
  const hierarchy tree = parse_synthetic("rack:4 gpu:4");
  const request what = of(collective::all_reduce, 64);
  const auto overhead = [&](const char* name, const parameters& host) {
    schedule::candidate c{.algorithm = name};
    estimate(tree, what, count_traffic(tree, what, name), host, c);
    return c.overhead.count();
  };
  parameters host{.per_message = seconds{1e-6}};
  const char* const led = "hierarchical(binomial,recursive_doubling)";
  EXPECT_NEAR(overhead(led, host), 4e-6, 1e-12);
  host.message_work_by_level = {{"rack", seconds{10e-6}, "default for TCP sockets"}};
  EXPECT_NEAR(overhead(led, host), 22e-6, 1e-12);
  EXPECT_NEAR(overhead("recursive_doubling", host), 22e-6, 1e-12);
  host.ranks_per_core = 8;  // 8 and 24 messages, or 32 and 32, over two cores
  EXPECT_NEAR(overhead(led, host), 8 * (8 * 10e-6 + 24 * 1e-6) / 16, 1e-12);
  EXPECT_NEAR(overhead("recursive_doubling", host), 8 * (32 * 10e-6 + 32 * 1e-6) / 16, 1e-12);
}

/// Of 16 MiB each of 16 ranks sends 24 MiB inside its rack and 6 MiB out of it, all through its sockets.
TEST(estimate, bytes_through_sockets_are_a_ranks_own_work) {
  const hierarchy tree = parse_synthetic("rack:4@1TB/s,0s gpu:4@1TB/s,0s");
  const request what = of(collective::all_reduce, 16 << 20);
  const auto costed_on = [&](const parameters& host) {
    schedule::candidate c{.algorithm = "hierarchical(direct,two_shot)"};
    estimate(tree, what, count_traffic(tree, what, c.algorithm), host, c, 1);
    return c;
  };
  parameters host{.per_message = seconds{0}};
  const schedule::candidate by_links = costed_on(host);
  for (const char* level : {"rack", "gpu"})
    host.message_work_by_level.push_back({level, seconds{0}, "for a test", bandwidth{1e9}});
  const double work = 30.0 * (1 << 20) / 1e9;
  EXPECT_NEAR(costed_on(host).predicted.count(), by_links.predicted.count() + work, 1e-9);
  host.ranks_per_core = 8;
  EXPECT_NEAR(costed_on(host).predicted.count(), by_links.predicted.count() + 8 * work + 7 * by_links.reduction.count(),
              1e-9);
}

TEST(estimate, a_link_of_which_nothing_is_known_is_what_its_transport_suggests) {
  parameters host;
  host.message_work_by_level = {*default_message_work("rack", "tcp"), *default_message_work("gpu", "shared_memory")};
  const auto rate = [&](const char* text, int level) {
    return link_rate(parse_synthetic(text), level, host).bytes_per_second;
  };
  EXPECT_EQ(rate("rack:4 gpu:4", 0), 1.25e9);
  EXPECT_EQ(rate("rack:4@50GB/s,5us gpu:4", 0), 50e9);  // somebody has said so
  EXPECT_EQ(rate("rack:4 gpu:4", 1), parse_synthetic("rack:4 gpu:4").at(1).up.rate.bytes_per_second);
}

TEST(estimate, takes_more_segments_over_links_of_which_nothing_is_known) {
  const hierarchy assumed = parse_synthetic("rack:4 gpu:4");
  std::vector<topology::level> levels = assumed.levels();
  for (topology::level& each : levels) each.up.source = topology::provenance::file;
  const hierarchy known(levels);
  ASSERT_EQ(outermost_assumed(known), -1);
  ASSERT_EQ(outermost_assumed(assumed), 0);
  int more = 0;
  for (std::int64_t bytes = 1 << 20; bytes <= 1 << 28; bytes *= 4) {
    const auto blind = costed(assumed, of(collective::all_reduce, bytes), "hierarchical(ring,ring)");
    const auto sure = costed(known, of(collective::all_reduce, bytes), "hierarchical(ring,ring)");
    EXPECT_GE(blind.segments, sure.segments) << bytes;
    EXPECT_LE(blind.predicted, price_of_not_knowing * sure.predicted) << bytes;
    more += blind.segments > sure.segments;
  }
  EXPECT_GT(more, 0);
}

TEST(estimate, transports_have_defaults_that_say_so) {
  EXPECT_GT(default_message_work("rack", "tcp")->each, default_message_work("host", "shared_memory")->each);
  EXPECT_EQ(default_message_work("rack", "tcp")->source, "default for TCP sockets");
  EXPECT_FALSE(default_message_work("rack", "carrier pigeons").has_value());
}

TEST(estimate, is_never_below_the_bound) {
  for (const char* text : {"gpu:5", "rack:4 gpu:4", "rack:[3,2]", "pod:2 rack:2 gpu:3"})
    for (collective what : schedule::all_collectives)
      for (std::int64_t bytes : {0, 1 << 10, 1 << 24}) {
        const hierarchy tree = parse_synthetic(text);
        for (const std::string& name : algorithm::algorithm_names(tree, what))
          EXPECT_GE(costed(tree, of(what, bytes), name).predicted.count() * (1 + 1e-9),
                    lower_bound(tree, of(what, bytes)).count())
              << text << " " << to_string(what) << " " << name << " " << bytes;
      }
}

TEST(estimate, more_bandwidth_never_slows) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
    const int racks = number(2, 4), gpus = number(1, 4), slow = number(1, 50);
    const auto machine = [&](int rate) {
      return parse_synthetic("rack:" + std::to_string(racks) + "@" + std::to_string(rate) +
                             "GB/s,5us gpu:" + std::to_string(gpus) + "@100GB/s,1us");
    };
    const hierarchy before = machine(slow), after = machine(slow + number(0, 100));
    for (const std::string& name : algorithm::algorithm_names(before, collective::all_reduce)) {
      const request what = of(collective::all_reduce, std::int64_t{1} << number(6, 28));
      EXPECT_LE(costed(after, what, name).predicted, costed(before, what, name).predicted * (1 + 1e-12)) << name;
    }
  }
}

TEST(estimate, relabelled_ranks_cost_the_same) {
  const hierarchy tree = parse_synthetic("rack:2 gpu:3");
  const hierarchy cyclic(tree.levels(), {0, 2, 4, 1, 3, 5});
  for (collective what : {collective::all_reduce, collective::all_to_all, collective::all_gather})
    for (const std::string& name : algorithm::algorithm_names(tree, what))
      EXPECT_EQ(costed(tree, of(what, 1 << 20), name).predicted, costed(cyclic, of(what, 1 << 20), name).predicted)
          << name;
}

TEST(estimate, segments_pay_for_long_messages_only) {
  const hierarchy tree = parse_synthetic("rack:4@10GB/s,5us gpu:8@100GB/s,1us");
  const std::string name = "hierarchical(direct,ring)";
  EXPECT_EQ(costed(tree, of(collective::all_reduce, 1 << 10), name).segments, 1);
  EXPECT_GT(costed(tree, of(collective::all_reduce, 1 << 28), name).segments, 4);
}

TEST(estimate, a_chain_lives_on_segments) {
  const hierarchy tree = parse_synthetic("gpu:16@10GB/s,1us");
  const auto chain = costed(tree, of(collective::broadcast, 1 << 26), "chain");
  EXPECT_GT(chain.segments, 16);
  EXPECT_LT(chain.predicted, costed(tree, of(collective::broadcast, 1 << 26), "binomial").predicted);
  EXPECT_GT(costed(tree, of(collective::broadcast, 1 << 14), "chain").predicted,
            costed(tree, of(collective::broadcast, 1 << 14), "binomial").predicted);
}

}  // namespace
}  // namespace hawser::cost
