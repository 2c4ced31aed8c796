// Mode canonical admits exactly the algorithms whose schedules, evaluated symbolically, associate every sum as the
// canonical tree over rank numbers does.
#include <gtest/gtest.h>

#include <hawser/algorithm/canonical.hpp>
#include <hawser/schedule/canonical_tree.hpp>
#include <hawser/topology/synthetic.hpp>

#include "verified.hpp"

namespace {

using namespace hawser;
using namespace hawser::tests;

constexpr collective reductions[] = {collective::all_reduce, collective::reduce_scatter, collective::reduce};

request call_of(collective what, rank root, bool in_place = false, bool is_ragged = false) {
  request call;
  call.what = what;
  call.root = root;
  call.in_place = in_place;
  call.has_ragged_blocks = is_ragged;
  call.reproducibility = schedule::mode::canonical;
  return call;
}

std::vector<schedule::violation> prove(const topology::hierarchy& tree, const request& call, const std::string& name) {
  return schedule::verify(
      call, tree.size(), [&](rank r) { return schedule::derive_dependences(algorithm::generate(tree, call, name, r)); },
      {.check_canonical = true, .switches = topology::reducing_switches(tree).count(), .max_violations = 1});
}

struct tally {
  int admitted = 0, refused = 0;
};

/// What is admitted is proven, in place and ragged too. What is refused has a sum that the canonical tree has not; but
/// for uneven racks that do not fit the tree, where a chain of racks happens to.
tally compare(const topology::hierarchy& tree, const std::string& machine) {
  tally seen;
  for (const collective what : reductions)
    for (const rank root : roots(what, tree.size(), 9)) {
      int admitted = 0;
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        const request call = call_of(what, root);
        const bool is_admitted = algorithm::sums_canonically(tree, call, name);
        const auto found = prove(tree, call, name);
        const bool is_by_chance = !is_admitted && found.empty() && algorithm::parse_name(name).is_hierarchical &&
                                  !algorithm::detail::units_sum_canonically(algorithm::ladder(tree));
        EXPECT_TRUE(is_admitted == found.empty() || is_by_chance)
            << describe(call, name, machine) << (found.empty() ? " is refused" : ": " + to_string(found.front()));
        if (is_admitted)
          for (const bool is_ragged : {false, true}) {
            if (is_ragged && what != collective::reduce_scatter) continue;
            const auto variant = prove(tree, call_of(what, root, true, is_ragged), name);
            EXPECT_TRUE(variant.empty()) << describe(call, name, machine) << ": " << to_string(variant.front());
          }
        admitted += is_admitted ? 1 : 0;
        ++(is_admitted ? seen.admitted : seen.refused);
      }
      EXPECT_GT(admitted, 0) << to_string(what) << " on " << machine << " has no canonical algorithm";
    }
  return seen;
}

TEST(canonical, flat_algorithms_are_admitted_where_their_sums_are_canonical) {
  tally all;
  for (int n = 1; n <= 33; ++n) {
    const std::string machine = "gpu:" + std::to_string(n) + "+reduces";
    const tally seen = compare(topology::parse_synthetic(machine), machine);
    all.admitted += seen.admitted, all.refused += seen.refused;
  }
  EXPECT_GT(all.admitted, 400);
  EXPECT_GT(all.refused, 400);
}

class canonical_hierarchy : public testing::TestWithParam<const char*> {};

TEST_P(canonical_hierarchy, admits_what_is_proven) {
  const tally seen = compare(topology::parse_synthetic(GetParam()), GetParam());
  EXPECT_GT(seen.admitted, 0);
  EXPECT_GT(seen.refused, 0);
}

TEST_P(canonical_hierarchy, admits_what_is_proven_out_of_order) {
  const auto tree = topology::parse_synthetic(GetParam());
  std::vector<rank> placed;
  for (std::int64_t first = 0; first < 2; ++first)
    for (std::int64_t r = first; r < tree.size(); r += 2) placed.emplace_back(static_cast<std::int32_t>(r));
  compare(topology::hierarchy(tree.levels(), placed), std::string(GetParam()) + ", every second rank first");
}

INSTANTIATE_TEST_SUITE_P(machines, canonical_hierarchy,
                         testing::Values("rack:2 gpu:4", "rack:3 gpu:4", "rack:3 gpu:3", "rack:[4,4,3]", "rack:[4,3,4]",
                                         "rack:[1,1,2]", "rack:[3,1]", "rack:[8,5]", "rack:[4,2]", "rack:[4,1,1]",
                                         "pod:2 rack:2 gpu:2", "pod:3 rack:2 gpu:2", "pod:2 rack:[2,1] gpu:[2,2,3]",
                                         "pod:2 rack:2 gpu:[4,4,4,2]", "rack:5 gpu:2", "rack:3+reduces gpu:4+reduces"),
                         [](const auto& each) {
                           std::string name = each.param;
                           for (char& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           return name;
                         });

TEST(canonical, hierarchical_forms_serve_racks_of_a_power_of_two) {
  const auto admits = [](const char* machine, collective what, const char* name) {
    return algorithm::sums_canonically(topology::parse_synthetic(machine), call_of(what, 0), name);
  };
  EXPECT_TRUE(admits("rack:6 gpu:8", collective::all_reduce, "hierarchical(direct,two_shot)"));
  EXPECT_TRUE(admits("pod:3 rack:4 gpu:64", collective::all_reduce, "hierarchical(direct,direct,binomial)"));
  EXPECT_TRUE(admits("rack:[8,8,5]", collective::reduce_scatter, "hierarchical(direct,direct)"));
  EXPECT_FALSE(admits("rack:6 gpu:6", collective::all_reduce, "hierarchical(direct,two_shot)"));
  EXPECT_FALSE(admits("rack:6 gpu:8", collective::all_reduce, "hierarchical(ring,two_shot)"));
}

TEST(canonical, the_verifier_tells_associations_apart) {
  // Of four ranks: in order, but ((0 1) 2) 3 instead of (0 1) (2 3).
  const auto program_of = [](rank self) {
    schedule::schedule written;
    schedule::builder out(call_of(collective::reduce, 3), self, 4);
    const schedule::region_list input{{schedule::buffer::input, 1, 0, {0, 1}}};
    const schedule::region_list output{{schedule::buffer::output, 1, 0, {0, 1}}};
    if (self.value > 0) out.recv_reduce(self.value - 1, output, input, schedule::side::left);
    if (self.value < 3) out.send(self.value + 1, self.value > 0 ? output : input);
    return schedule::derive_dependences(std::move(out).finish());
  };
  const request call = call_of(collective::reduce, 3);
  EXPECT_TRUE(schedule::verify(call, 4, program_of, {.check_order = true}).empty());
  const auto found = schedule::verify(call, 4, program_of, {.check_canonical = true});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().kind, schedule::violation_kind::wrong_order);
  EXPECT_NE(to_string(found.front()).find("canonical"), std::string::npos) << to_string(found.front());
}

TEST(canonical, the_tree_splits_at_the_largest_power_of_two) {
  for (std::int64_t n = 2; n <= 40; ++n) {
    std::int64_t sums = 0;
    for (std::int64_t a = 0; a < n; ++a)
      for (std::int64_t m = a + 1; m < n; ++m)
        for (std::int64_t b = m + 1; b <= n; ++b)
          if (schedule::is_canonical_sum(n, a, m, b)) {
            ++sums;
            EXPECT_EQ(m - a, schedule::canonical_split(b - a));
            EXPECT_EQ(a % (m - a), 0) << "left halves are aligned";
          }
    EXPECT_EQ(sums, n - 1);
  }
}

}  // namespace
