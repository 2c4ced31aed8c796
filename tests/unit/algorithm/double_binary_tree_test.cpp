// What the double binary tree moves out of racks of different sizes.
#include <hawser/algorithm/generate.hpp>
#include <hawser/schedule/verify.hpp>
#include <hawser/topology/synthetic.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace hawser;
using schedule::fraction;

/// What each rack sends to the others, in vectors.
std::vector<fraction> out_of_racks(const std::string& machine) {
  const auto tree = topology::parse_synthetic(machine);
  std::vector<fraction> sent(static_cast<std::size_t>(tree.at(0).units.total()));
  for (std::int32_t r = 0; r < tree.size(); ++r) {
    const auto own = algorithm::generate(tree, {}, "hierarchical(direct,double_binary_tree)", r);
    const auto rack = tree.unit_of(tree.position_of(r), 0);
    for (const auto& each : own.steps)
      if (each.sends() && tree.unit_of(tree.position_of(each.peer), 0) != rack)
        for (const auto& region : own.at(each.source)) {
          auto& total = sent[static_cast<std::size_t>(rack)];
          total = total + region.first.length() * fraction(static_cast<std::int64_t>(region.count));
        }
  }
  return sent;
}

TEST(double_binary_tree, equal_racks_send_twice_the_data_at_most) {
  for (const fraction& each : out_of_racks("rack:7 gpu:4")) EXPECT_LE(each, fraction(2));
}

TEST(double_binary_tree, an_undersized_rack_sends_the_data_once) {
  const std::vector<fraction> sent = out_of_racks("rack:[8,8,5]");
  EXPECT_EQ(sent[2], fraction(1));
  EXPECT_EQ(sent[0] + sent[1], fraction(3));  // 2(K - 1) in all
  const std::vector<fraction> more = out_of_racks("rack:[4,8,8,3,8,8,8]");
  for (std::size_t rack = 0; rack < more.size(); ++rack)
    if (rack == 0 || rack == 3)
      EXPECT_EQ(more[rack], fraction(1)) << rack;
    else
      EXPECT_LE(more[rack], fraction(5, 2)) << rack;
}

TEST(double_binary_tree, a_nearly_full_rack_is_inner) {
  EXPECT_EQ(out_of_racks("rack:[8,7,8]"), out_of_racks("rack:[8,8,8]"));
}

TEST(double_binary_tree, where_most_racks_are_undersized_none_hangs_below_another) {
  EXPECT_EQ(out_of_racks("rack:[8,5,5,5]"), out_of_racks("rack:[5,5,5,5]"));
}

TEST(double_binary_tree, undersized_racks_at_every_place_are_right) {
  for (const char* machine : {"rack:[5,8,8]", "rack:[8,2,8,8,3,8]", "rack:[1,4,4,4,4,1,4,4,1,4]"}) {
    const auto tree = topology::parse_synthetic(machine);
    const schedule::request call;
    const auto found = schedule::verify(call, tree.size(),
                                        [&](rank r) {
                                          return schedule::derive_dependences(algorithm::generate(
                                              tree, call, "hierarchical(circulant,double_binary_tree)", r));
                                        },
                                        {.max_violations = 1});
    EXPECT_TRUE(found.empty()) << machine << ": " << to_string(found.front());
  }
}

}  // namespace
