// Segments: they cover every element once, and the first and the last are small.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include <hawser/schedule/segments.hpp>

namespace hawser::schedule {
namespace {

constexpr std::int64_t all_segments[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 64, 4096};

TEST(segmentation, covers_every_element_once_and_none_is_larger_than_it_says) {
  for (const std::int64_t segments : all_segments)
    for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{7},
                                     std::int64_t{4093}, std::int64_t{1} << 20, (std::int64_t{1} << 50) + 1}) {
      const segmentation cut(segments);
      EXPECT_EQ(cut.begin(count, 0), 0);
      EXPECT_EQ(cut.begin(count, segments), count);
      for (std::int64_t i = 0; i < segments; ++i) {
        const std::int64_t elements = cut.begin(count, i + 1) - cut.begin(count, i);
        ASSERT_GE(elements, 0) << i << " of " << segments << ", " << count;
        ASSERT_LE(elements, cut.largest(count)) << i << " of " << segments << ", " << count;
      }
    }
}

TEST(segmentation, shares_are_what_the_bounds_say_and_add_up_to_the_whole) {
  constexpr std::int64_t count = std::int64_t{1} << 40;
  for (const std::int64_t segments : all_segments) {
    const segmentation cut(segments);
    double sum = 0;
    for (std::int64_t i = 0; i < segments; ++i) {
      const auto elements = static_cast<double>(cut.begin(count, i + 1) - cut.begin(count, i));
      EXPECT_NEAR(elements / static_cast<double>(count), cut.share(i), 1e-9);
      EXPECT_NEAR(cut.share(i), cut.share(segments - 1 - i), 1e-15);
      sum += cut.share(i);
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

TEST(segmentation, rises_to_the_full_size_and_falls_again) {
  for (const std::int64_t segments : {2, 3})
    EXPECT_EQ(segmentation(segments).share(0), segmentation(segments).share(1));
  EXPECT_DOUBLE_EQ(segmentation(4).share(0) / segmentation(4).share(1), 0.5);
  for (const std::int64_t segments : {8, 32}) {
    const segmentation cut(segments);
    const double full = cut.share(segments / 2);
    for (std::int64_t i = 0; i < segments; ++i) {
      const auto from_end = static_cast<double>(std::min(i, segments - 1 - i) + 1);
      EXPECT_NEAR(cut.share(i) / full, std::min(from_end / 4, 1.0), 1e-12) << i << " of " << segments;
    }
  }
}

}  // namespace
}  // namespace hawser::schedule
