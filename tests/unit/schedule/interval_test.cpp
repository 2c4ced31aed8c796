// Intervals, regions, and the joining of adjacent ones.
#include <hawser/schedule/interval.hpp>

#include <gtest/gtest.h>

namespace {

using namespace hawser::schedule;

TEST(interval, parts_are_adjacent_and_end_with_the_whole) {
  const interval whole{fraction(1, 3), fraction(5, 3)};
  EXPECT_EQ(whole.part(0, 7).begin, whole.begin);
  for (int k = 0; k + 1 < 7; ++k) EXPECT_EQ(whole.part(k, 7).end, whole.part(k + 1, 7).begin);
  EXPECT_EQ(whole.part(6, 7).end, whole.end);
  EXPECT_EQ(whole.parts(2, 5, 7).begin, whole.part(2, 7).begin);
  EXPECT_EQ(whole.parts(2, 5, 7).end, whole.part(4, 7).end);
}

TEST(interval, within_scales_a_relative_interval) {
  const interval whole{fraction(1, 2), fraction(1)};
  EXPECT_EQ(whole.within({fraction(1, 2), fraction(1)}), (interval{fraction(3, 4), fraction(1)}));
  EXPECT_EQ(whole.within({0, 1}), whole);
}

TEST(interval, emptiness_and_length) {
  EXPECT_TRUE((interval{1, 1}).is_empty());
  EXPECT_FALSE((interval{1, 2}).is_empty());
  EXPECT_EQ((interval{fraction(1, 4), fraction(3, 2)}).length(), fraction(5, 4));
}

TEST(region, copies_are_a_stride_apart) {
  const region r{buffer::input, 3, 4, {fraction(1, 2), 1}};
  EXPECT_EQ(r.at(0), r.first);
  EXPECT_EQ(r.at(2), (interval{fraction(17, 2), 9}));
}

TEST(append, joins_adjacent_intervals) {
  region_list list;
  append(list, buffer::output, {0, fraction(1, 2)});
  append(list, buffer::output, {fraction(1, 2), 2});
  EXPECT_EQ(list, (region_list{{buffer::output, 1, 0, {0, 2}}}));
}

TEST(append, makes_a_stride_of_regular_distances) {
  region_list list;
  for (int block : {1, 4, 7, 10}) append(list, buffer::input, {block, block + 1});
  EXPECT_EQ(list, (region_list{{buffer::input, 4, 3, {1, 2}}}));
}

TEST(append, starts_a_new_region_where_the_pattern_breaks) {
  region_list list;
  append(list, buffer::input, {0, 1});
  append(list, buffer::input, {3, 4});
  append(list, buffer::input, {5, 6});  // another distance
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].count, 2U);
  append(list, buffer::output, {7, 8});  // another buffer
  EXPECT_EQ(list.size(), 3U);
  append(list, buffer::output, {fraction(37, 4), fraction(41, 4)});  // a distance that is not whole
  EXPECT_EQ(list.size(), 4U);
}

TEST(append, leaves_out_what_is_empty) {
  region_list list;
  append(list, buffer::input, {2, 2});
  EXPECT_TRUE(list.empty());
}

TEST(append, never_changes_what_is_covered_or_its_order) {
  // The intervals in order, however they are joined, must be the ones that were appended.
  const std::vector<interval> added{{0, 1}, {1, 2}, {3, 4}, {4, 5}, {6, 7}, {9, 10}, {12, 13}, {2, 3}, {13, 14}};
  region_list list;
  for (const interval& each : added) append(list, buffer::scratch, each);
  std::vector<int> expected, covered;
  for (const interval& each : added) expected.push_back(static_cast<int>(each.begin.floor()));
  for (const region& r : list)
    for (std::uint32_t k = 0; k < r.count; ++k)
      for (std::int64_t b = r.at(k).begin.floor(); b < r.at(k).end.floor(); ++b) covered.push_back(static_cast<int>(b));
  EXPECT_EQ(covered, expected);
}

TEST(region, prints_buffer_interval_and_stride) {
  EXPECT_EQ(to_string(region{buffer::scratch, 1, 0, {fraction(1, 4), fraction(1, 2)}}), "scratch[1/4,1/2)");
  EXPECT_EQ(to_string(region{buffer::input, 8, 3, {2, 3}}), "input[2,3)x8+3");
}

}  // namespace
