// Trees packed into a network as a candidate: where they win and by how much, why they are rejected, and what a plan
// keeps of them; properties of plans on random networks.
#include <hawser/planner/explain.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/schedule/verify.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include <support/capacity_graphs.hpp>

namespace hawser::planner {
namespace {

using algorithm::capacity_graph;
using schedule::collective;
using schedule::request;
using test::dgx1;

constexpr double unit = 1e9;  // capacities below are in GB/s

/// A planner for a hierarchy that knows these links.
std::unique_ptr<planner> planner_of(const std::string& hierarchy, capacity_graph links) {
  auto made = std::make_unique<planner>(topology::parse_synthetic(hierarchy));
  made->know(std::make_shared<const cost::network>(cost::network{std::move(links), unit}));
  return made;
}

/// `racks` of `gpus` on a switch each at 300 GB/s, and a switch per rail at 25.
capacity_graph rails(int racks, int gpus) {
  capacity_graph graph(racks * gpus, racks + gpus);
  for (int r = 0; r < graph.ranks(); ++r) {
    graph.join(r, graph.ranks() + r / gpus, 300);
    graph.join(r, graph.ranks() + racks + r % gpus, 25);
  }
  return graph;
}

request call_of(collective what, std::int64_t count) {
  request call;
  call.what = what;
  call.count = count;
  return call;
}

const schedule::candidate& named(const schedule::plan& made, std::string_view name) {
  return *std::find_if(made.candidates.begin(), made.candidates.end(),
                       [&](const auto& each) { return each.algorithm == name; });
}

void expect_right(const planner& p, const schedule::plan& made) {
  const auto found = schedule::verify(made.what, made.ranks,
                                      [&](rank r) {
                                        return schedule::derive_dependences(algorithm::generate_planned(
                                            p.tree(), made.what, made.algorithm, made.prepared, r));
                                      },
                                      {.max_violations = 1});
  EXPECT_TRUE(found.empty()) << made.algorithm << ": " << to_string(found.front());
}

constexpr collective served[] = {collective::all_gather, collective::reduce_scatter, collective::all_reduce};

TEST(packed_plans, win_on_a_mesh_and_say_so) {
  const auto p = planner_of("gpu:8@150GB/s,2us", dgx1(25));
  for (const auto what : served) {
    const schedule::plan made = p->make_plan(call_of(what, 64 << 20));
    EXPECT_EQ(made.algorithm, packed_trees_name) << made.explain();
    EXPECT_NE(made.explain().find("prepared    hawser.tree_packing/1"), std::string::npos);
    EXPECT_NE(made.explain().find("network"), std::string::npos);
    EXPECT_EQ(schedule::parse_tree_packing(made.prepared).ranks, 8);
    expect_right(*p, made);
  }
  // An all-gather of 256 MiB blocks: 7 of them into a GPU over six links. A ring takes one from 0 to 1.
  const schedule::plan made = p->make_plan(call_of(collective::all_gather, 64 << 20));
  const double bound = 7 * 256.0 * (1 << 20) / 150e9;
  EXPECT_NEAR(named(made, packed_trees_name).parts.back().transfer.count(), bound, 1e-9);
  EXPECT_EQ(named(made, "ring").parts.back().level, cost::network_level);
  EXPECT_NEAR(named(made, "ring").parts.back().transfer.count(), 6 * bound, 1e-9);
}

TEST(packed_plans, lose_where_messages_are_short) {
  const auto p = planner_of("gpu:8@150GB/s,2us", dgx1(25));
  const schedule::plan made = p->make_plan(call_of(collective::all_reduce, 16));
  EXPECT_NE(made.algorithm, packed_trees_name);
  EXPECT_TRUE(made.prepared.empty());
  EXPECT_TRUE(named(made, packed_trees_name).is_possible());
  EXPECT_NE(made.explain().find("packed_trees"), std::string::npos);
}

TEST(packed_plans, a_broken_rail_shifts_its_share_to_the_others) {
  capacity_graph links = rails(4, 4);
  const std::string racks = "rack:4@100GB/s,5us gpu:4@300GB/s,1us";
  const schedule::plan whole = planner_of(racks, links)->make_plan(call_of(collective::all_gather, 16 << 20));
  links.join(5, 16 + 4 + 1, -25);  // rack 1 has three rails left
  const auto p = planner_of(racks, links);
  const schedule::plan broken = p->make_plan(call_of(collective::all_gather, 16 << 20));
  EXPECT_EQ(broken.algorithm, packed_trees_name) << broken.explain();
  expect_right(*p, broken);
  // Twelve blocks into the rack over 75 instead of 100 GB/s.
  EXPECT_NEAR(
      named(broken, packed_trees_name).parts.back().transfer / named(whole, packed_trees_name).parts.back().transfer,
      100.0 / 75, 1e-6);
  // Along rails, what rank 5 cannot send itself has to go another way, all of it over one.
  const std::string_view along_rails = "hierarchical(direct,direct)";
  EXPECT_GT(named(broken, along_rails).predicted, 1.5 * named(whole, along_rails).predicted);
}

TEST(rail_plans, are_a_candidate_where_rails_differ) {
  capacity_graph links = rails(4, 4);
  const std::string racks = "rack:4@100GB/s,5us gpu:4@300GB/s,1us";
  const request call = call_of(collective::all_reduce, 16 << 20);
  const std::string_view even = "hierarchical(direct,circulant)";
  const schedule::plan whole = planner_of(racks, links)->make_plan(call);
  EXPECT_NE(named(whole, "multi_rail").rejected.find("alike"), std::string::npos);
  links.join(5, 16 + 4 + 1, -20);  // rail 1 has a fifth left in rack 1
  const auto p = planner_of(racks, links);
  const schedule::plan slow = p->make_plan(call);
  ASSERT_TRUE(named(slow, "multi_rail").is_possible()) << named(slow, "multi_rail").rejected;
  // 2 * 3/4 of the vector: a quarter of it over 5 GB/s, or by shares 5/16 of it over 25.
  const double moved = 2 * 0.75 * 4 * (16 << 20);
  EXPECT_NEAR(named(slow, even).parts.back().transfer.count(), moved / 4 / 5e9, 1e-9);
  EXPECT_NEAR(named(slow, "multi_rail").parts.back().transfer.count(), moved * 5 / 16 / 25e9, 1e-9);
  request forced = call;
  forced.algorithm = "multi_rail";
  const schedule::plan made = p->make_plan(forced);
  EXPECT_EQ(made.prepared, "hawser.rail_shares/1 5 1 5 5\n");
  expect_right(*p, made);
}

TEST(rail_plans, are_made_where_they_are_asked_for_and_can_be) {
  request forced = call_of(collective::all_reduce, 1 << 20);
  forced.algorithm = "multi_rail";
  const planner even(topology::parse_synthetic("rack:3 gpu:4"));
  const schedule::plan made = even.make_plan(forced);
  EXPECT_EQ(made.prepared, "hawser.rail_shares/1 1 1 1 1\n");
  expect_right(even, made);
  for (const char* machine : {"gpu:8", "rack:2 gpu:[2,3]", "pod:2 rack:2 gpu:2"})
    EXPECT_THROW((void)planner(topology::parse_synthetic(machine)).make_plan(forced), error) << machine;
  forced.what = collective::all_gather;
  EXPECT_THROW((void)even.make_plan(forced), error);
}

TEST(packed_plans, are_made_for_a_hierarchy_alone_only_where_they_are_asked_for) {
  for (const char* machine : {"rack:2@50GB/s,5us gpu:[4,2]@300GB/s,1us", "rack:4 gpu:4", "gpu:6", "rack:128 gpu:8"}) {
    const planner p(topology::parse_synthetic(machine));
    request call = call_of(collective::all_gather, 1 << 20);
    const schedule::plan free = p.make_plan(call);
    EXPECT_TRUE(std::none_of(free.candidates.begin(), free.candidates.end(),
                             [](const auto& each) { return each.algorithm == packed_trees_name; }));
    call.algorithm = std::string(packed_trees_name);
    const schedule::plan forced = p.make_plan(call);
    EXPECT_EQ(forced.algorithm, packed_trees_name);
    EXPECT_GE(forced.predicted, forced.lower_bound * (1 - 1e-9));
    if (p.tree().size() < 64) expect_right(p, forced);
  }
}

TEST(packed_plans, are_rejected_with_a_reason) {
  const auto reason = [](const planner& p, const request& call) {
    return named(p.make_plan(call), packed_trees_name).rejected;
  };
  const auto mesh = planner_of("gpu:8@150GB/s,2us", dgx1(25));
  request ordered = call_of(collective::all_reduce, 1 << 20);
  ordered.is_commutative = false;
  EXPECT_NE(reason(*mesh, ordered).find("order"), std::string::npos);
  request canonical = call_of(collective::all_reduce, 1 << 20);
  canonical.reproducibility = schedule::mode::canonical;
  EXPECT_NE(reason(*mesh, canonical).find("canonical"), std::string::npos);
  // 64 ranks of which none is like another.
  capacity_graph irregular(64, 0);
  for (int a = 0; a < 64; ++a)
    for (int b = 0; b < a; ++b) irregular.join(a, b, 1 + (a * 31 + b * 17) % 7);
  const auto slow = planner_of("gpu:64", irregular);
  request call = call_of(collective::all_gather, 1 << 20);
  EXPECT_NE(reason(*slow, call).find("20 ms"), std::string::npos) << reason(*slow, call);
  call.what = collective::broadcast;
  call.algorithm = std::string(packed_trees_name);
  EXPECT_THROW((void)mesh->make_plan(call), error);
}

TEST(packed_plans, networks_that_do_not_fit_are_refused_or_forgotten) {
  EXPECT_THROW((void)planner_of("gpu:7", dgx1(25)), error);
  capacity_graph parted(4, 0);
  parted.join(0, 1, 1), parted.join(2, 3, 1);
  const schedule::plan made = planner_of("gpu:4", parted)->make_plan(call_of(collective::all_gather, 1 << 20));
  EXPECT_TRUE(std::none_of(made.candidates.begin(), made.candidates.end(),
                           [](const auto& each) { return each.algorithm == packed_trees_name; }));
}

/// A random network of up to ten ranks and three switches, all of them joined.
capacity_graph random_links(std::mt19937& random) {
  const int ranks = 2 + static_cast<int>(random() % 9), switches = static_cast<int>(random() % 4);
  capacity_graph graph(ranks, switches);
  const auto any = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  for (int a = 1; a < graph.nodes(); ++a) graph.join(a, any(a), 1 + any(9));
  for (int more = any(12); more > 0; --more)
    if (const int a = any(graph.nodes()), b = any(graph.nodes()); a != b) graph.join(a, b, 1 + any(9));
  return graph;
}

schedule::plan plan_on(const capacity_graph& links, const request& call) {
  return planner_of("gpu:" + std::to_string(links.ranks()) + "@100GB/s,1us", links)->make_plan(call);
}

TEST(packed_plans, every_plan_verifies_on_a_thousand_random_networks) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int packed = 0;
  for (int round = 0; round < 1000 && !HasFailure(); ++round) {
    const capacity_graph links = random_links(random);
    request call = call_of(served[random() % 3], std::int64_t{1} << random() % 24);
    call.in_place = random() % 2 == 0;
    const auto p = planner_of("gpu:" + std::to_string(links.ranks()) + "@100GB/s,1us", links);
    const schedule::plan made = p->make_plan(call);
    expect_right(*p, made);
    packed += made.algorithm == packed_trees_name ? 1 : 0;
  }
  EXPECT_GT(packed, 100);
}

TEST(packed_plans, names_of_ranks_do_not_matter_and_bandwidth_never_hurts) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    const capacity_graph links = random_links(random);
    const request call = call_of(served[random() % 3], 1 << 24);
    const auto transfer = [&](const capacity_graph& of) {
      return named(plan_on(of, call), packed_trees_name).parts.back().transfer.count();
    };
    const double before = transfer(links);
    std::vector<int> names(static_cast<std::size_t>(links.nodes()));
    std::iota(names.begin(), names.end(), 0);
    std::shuffle(names.begin(), names.begin() + links.ranks(), random);
    capacity_graph renamed(links.ranks(), links.nodes() - links.ranks()), faster = links;
    for (int a = 0; a < links.nodes(); ++a)
      for (int b = 0; b < links.nodes(); ++b)
        renamed.at(names[static_cast<std::size_t>(a)], names[static_cast<std::size_t>(b)]) = links.at(a, b);
    EXPECT_NEAR(transfer(renamed), before, 1e-9 * before);
    const int a = static_cast<int>(random() % static_cast<unsigned>(links.nodes()));
    for (int b = 0; b < links.nodes(); ++b)
      if (links.at(a, b) > 0) faster.join(a, b, links.at(a, b));
    EXPECT_LE(transfer(faster), before * (1 + 1e-9));
    // Every other candidate: the ways of messages do not depend on bandwidths.
    const schedule::plan slow = plan_on(links, call), fast = plan_on(faster, call);
    for (const schedule::candidate& each : slow.candidates) {
      if (each.algorithm == packed_trees_name) continue;
      EXPECT_LE(named(fast, each.algorithm).predicted.count(), each.predicted.count() * (1 + 1e-9));
    }
  }
}

}  // namespace
}  // namespace hawser::planner
