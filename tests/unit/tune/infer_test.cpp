// Racks found by measuring: machines on paper, ragged, in any order of hosts, with noise.
#include <gtest/gtest.h>

#include <bit>
#include <cstdio>

#include <hawser/core/error.hpp>
#include <hawser/topology/describe.hpp>
#include <hawser/tune/infer.hpp>

#include "support/paper_machine.hpp"

namespace hawser::tune {
namespace {

using testing::paper_machine;

enum class host_order { contiguous, cyclic, random };

/// Hosts of racks with these sizes.
std::vector<int> racks_in(host_order order, const std::vector<int>& sizes, std::mt19937_64& random) {
  std::vector<std::pair<int, int>> hosts;  // index in the rack, rack
  for (int rack = 0; rack < static_cast<int>(sizes.size()); ++rack)
    for (int i = 0; i < sizes[static_cast<std::size_t>(rack)]; ++i) hosts.emplace_back(i, rack);
  if (order == host_order::cyclic) std::sort(hosts.begin(), hosts.end());
  if (order == host_order::random) std::shuffle(hosts.begin(), hosts.end(), random);
  std::vector<int> rack_of;
  for (const auto& [i, rack] : hosts) rack_of.push_back(rack);
  return rack_of;
}

/// The same partition, numbered by first hosts.
std::vector<int> numbered(const std::vector<int>& rack_of) {
  std::vector<int> known, result;
  for (int rack : rack_of) {
    const auto found = std::find(known.begin(), known.end(), rack);
    result.push_back(static_cast<int>(found - known.begin()));
    if (found == known.end()) known.push_back(rack);
  }
  return result;
}

std::vector<int> ranks_of(const paper_machine& machine) {
  std::vector<int> ranks(machine.rack_of.size());
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}

std::int64_t most_pairs(std::size_t hosts) {
  return 4 * static_cast<std::int64_t>(hosts) * (std::bit_width(hosts - 1) + 1);
}

/// Sizes of 2 to 9, at least two racks, at most 8 log2 n of them.
std::vector<int> random_sizes(std::mt19937_64& random) {
  std::vector<int> sizes(2 + random() % 24);
  for (int& each : sizes) each = 2 + static_cast<int>(random() % 8);
  return sizes;
}

class machines : public ::testing::TestWithParam<host_order> {};

TEST_P(machines, racks_behind_slow_uplinks_are_found) {
  const std::uint64_t seed = 20'261'121 + static_cast<std::uint64_t>(GetParam());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    const std::vector<int> sizes = random_sizes(random);
    paper_machine machine{.rack_of = racks_in(GetParam(), sizes, random), .nic = 1e9, .uplink = 62.5e6, .noise = 0.3};
    machine.accidents = 0.02;
    machine.random.seed(random());
    const inferred found = infer_racks(machine.tools(), ranks_of(machine), {.seed = random()});
    ASSERT_EQ(found.rack_of_host, numbered(machine.rack_of)) << "machine " << round << ": " << found.reason;
    EXPECT_EQ(found.by, clue::rate);
    EXPECT_GE(found.confidence, least_confidence) << found.reason;
    EXPECT_EQ(found.pairs, static_cast<std::int64_t>(machine.asked.size()));
    EXPECT_LE(found.pairs, most_pairs(machine.rack_of.size()));
  }
}

/// An uplink that happens to be idle can make two racks look like one: then the result must be unsure.
TEST_P(machines, racks_that_differ_under_load_only_are_found_or_it_is_unsure) {
  const std::uint64_t seed = 7 + static_cast<std::uint64_t>(GetParam());
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  int right = 0;
  for (int round = 0; round < 8; ++round) {
    const std::vector<int> sizes(4 + random() % 5, 8 + static_cast<int>(random() % 9));
    // Every single stream gets a NIC's rate; an uplink has a quarter of its rack's NICs.
    paper_machine machine{.rack_of = racks_in(GetParam(), sizes, random), .uplink = 12e9 * sizes[0] / 8, .noise = 0.03};
    machine.random.seed(random());
    const inferred found = infer_racks(machine.tools(), ranks_of(machine), {.seed = random()});
    const bool is_right = found.rack_of_host == numbered(machine.rack_of);
    right += is_right ? 1 : 0;
    EXPECT_TRUE(is_right || found.confidence < least_confidence) << "machine " << round << ": " << found.reason;
    if (is_right) {
      EXPECT_EQ(found.by, clue::rate_under_load);
    }
  }
  EXPECT_GE(right, 6) << "of 8 machines";
}

TEST_P(machines, racks_that_are_nearer_are_found) {
  std::mt19937_64 random(3);
  paper_machine machine{.rack_of = racks_in(GetParam(), {4, 7, 2, 8, 3}, random), .uplink = 1e12};
  machine.latency_inside = 1.5e-6;
  machine.latency_across = 2.6e-6;
  machine.noise = 0.02;
  const inferred found = infer_racks(machine.tools(), ranks_of(machine));
  EXPECT_EQ(found.rack_of_host, numbered(machine.rack_of)) << found.reason;
  EXPECT_EQ(found.by, clue::latency);
  EXPECT_NEAR(found.inside, 1.5e-6, 2e-7);
  EXPECT_NEAR(found.across, 2.6e-6, 3e-7);
}

INSTANTIATE_TEST_SUITE_P(orders, machines,
                         ::testing::Values(host_order::contiguous, host_order::cyclic, host_order::random));

TEST(infer, far_fewer_pairs_than_all_are_measured) {
  std::mt19937_64 random(11);
  const std::vector<int> sizes(16, 32);
  paper_machine machine{.rack_of = racks_in(host_order::random, sizes, random), .nic = 1e9, .uplink = 62.5e6};
  const inferred found = infer_racks(machine.tools(), ranks_of(machine));
  EXPECT_EQ(found.rack_of_host, numbered(machine.rack_of));
  EXPECT_LT(found.pairs, 512 * 10);  // of 130,816
  std::printf("%lld of 130816 pairs, %lld rounds\n", static_cast<long long>(found.pairs),
              static_cast<long long>(found.rounds));
}

TEST(infer, hosts_that_are_all_alike_are_one_rack) {
  paper_machine machine{.rack_of = std::vector<int>(12, 0), .noise = 0.05};
  const inferred found = infer_racks(machine.tools(), ranks_of(machine));
  EXPECT_EQ(found.racks, 1);
  EXPECT_EQ(found.by, clue::none);
  EXPECT_EQ(found.rack_of_host, machine.rack_of);
  EXPECT_GT(found.confidence, 0.7);
}

TEST(infer, too_many_racks_are_said_and_not_guessed) {
  std::mt19937_64 random(5);
  const std::vector<int> sizes(100, 2);
  paper_machine machine{.rack_of = racks_in(host_order::random, sizes, random), .nic = 1e9, .uplink = 62.5e6};
  const inferred found = infer_racks(machine.tools(), ranks_of(machine), {.pairs_per_host = 1});
  EXPECT_LT(found.confidence, least_confidence);
}

TEST(infer, few_hosts_form_no_racks) {
  paper_machine machine{.rack_of = {0, 1}};
  const inferred found = infer_racks(machine.tools(), ranks_of(machine));
  EXPECT_EQ(found.racks, 1);
  EXPECT_EQ(machine.rounds, 0);
  const std::vector<int> too_many(most_inferred_hosts + 1);
  EXPECT_THROW(infer_racks(machine.tools(), too_many), error);
}

TEST(infer, the_hierarchy_places_ranks_by_rack_and_host) {
  inferred found{.rack_of_host = {0, 1, 0}, .racks = 2, .by = clue::rate, .inside = 1e9, .across = 5e7};
  const topology::link memory{bandwidth{8e9}, seconds{1e-6}}, network{bandwidth{1e10}, seconds{1e-5}};
  const topology::hierarchy tree = hierarchy_of(found, {0, 1, 2, 1, 0}, memory, network);
  EXPECT_EQ(describe(tree), "rack:2 node:[2,1] rank:[2,1,2], ranks out of order");
  const std::vector<int> order{0, 4, 2, 1, 3};
  for (int p = 0; p < 5; ++p) EXPECT_EQ(tree.rank_at(p).value, order[static_cast<std::size_t>(p)]);
  EXPECT_EQ(tree.at(0).up.rate.bytes_per_second, 5e7);
  EXPECT_EQ(tree.at(0).up.source, topology::provenance::probed);
  found.rack_of_host = {0, 0, 0};
  found.racks = 1;
  EXPECT_EQ(describe(hierarchy_of(found, {0, 1, 2}, memory, network)), "node:3");
}

}  // namespace
}  // namespace hawser::tune
