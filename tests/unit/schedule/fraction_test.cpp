// Exact fractions: lowest terms, arithmetic beyond 64 bits inside, offsets of elements.
#include <hawser/schedule/fraction.hpp>

#include <gtest/gtest.h>

namespace {

using hawser::errc;
using hawser::error;
using hawser::schedule::fraction;

TEST(fraction, is_kept_in_lowest_terms) {
  EXPECT_EQ(fraction(6, 8), fraction(3, 4));
  EXPECT_EQ(fraction(6, 8).num(), 3U);
  EXPECT_EQ(fraction(6, 8).den(), 4U);
  EXPECT_EQ(fraction(0, 7), fraction(0));
  EXPECT_TRUE(fraction(8, 4).is_whole());
}

TEST(fraction, adds_subtracts_multiplies_exactly) {
  EXPECT_EQ(fraction(1, 3) + fraction(1, 6), fraction(1, 2));
  EXPECT_EQ(fraction(7, 5) - fraction(2, 5), fraction(1));
  EXPECT_EQ(fraction(2, 3) * fraction(3, 8), fraction(1, 4));
  EXPECT_EQ(fraction(3) + fraction(4), fraction(7));
  EXPECT_EQ(fraction(9) - fraction(4), fraction(5));
}

TEST(fraction, results_that_fit_only_after_reduction_are_right) {
  const std::uint64_t prime = 4294967291;  // largest below 2^32
  const fraction a(prime - 1, prime), b(1, prime);
  EXPECT_EQ(a + b, fraction(1));
  // The intermediate denominator is prime^2 * 6 > 2^64.
  EXPECT_EQ(fraction(prime, 6) * fraction(6, prime), fraction(1));
}

TEST(fraction, what_does_not_fit_is_an_error_and_never_wraps) {
  const fraction a(1, 9223372036854775783ULL), b(1, 9223372036854775643ULL);
  try {
    const fraction sum = a + b;
    FAIL() << to_string(sum);
  } catch (const error& e) {
    EXPECT_EQ(e.code(), errc::unsupported);
  }
}

TEST(fraction, orders_by_value) {
  EXPECT_LT(fraction(1, 3), fraction(2, 5));
  EXPECT_GT(fraction(7, 3), fraction(2));
  EXPECT_LT(fraction(4294967290ULL, 4294967291ULL), fraction(4294967291ULL, 4294967292ULL));
}

TEST(fraction, floor_ceil_and_fractional_part) {
  EXPECT_EQ(fraction(7, 3).floor(), 2);
  EXPECT_EQ(fraction(7, 3).ceil(), 3);
  EXPECT_EQ(fraction(7, 3).fractional(), fraction(1, 3));
  EXPECT_EQ(fraction(2).ceil(), 2);
  EXPECT_EQ(fraction(2).fractional(), fraction(0));
  EXPECT_EQ(fraction(2).fractional().den(), 1U);
}

TEST(fraction, offsets_of_counts_beyond_32_bits_do_not_overflow) {
  const std::int64_t count = (std::int64_t{1} << 62) + 1;
  EXPECT_EQ(fraction(131039, 131040).of(count),
            static_cast<std::int64_t>(hawser::schedule::uint128(count) * 131039 / 131040));
  EXPECT_EQ(fraction(1, 3).of(10), 3);
  EXPECT_EQ(fraction(4, 3).of(10), 13);
}

TEST(fraction, parts_of_a_count_cover_it_without_gap) {
  for (std::int64_t count : {0, 1, 5, 7, 64, 1000003})
    for (std::uint64_t n : {1U, 2U, 3U, 7U, 64U}) {
      std::int64_t covered = 0;
      for (std::uint64_t k = 0; k < n; ++k) {
        const std::int64_t part = fraction(k + 1, n).of(count) - fraction(k, n).of(count);
        EXPECT_GE(part, count / static_cast<std::int64_t>(n));
        EXPECT_LE(part, count / static_cast<std::int64_t>(n) + 1);
        covered += part;
      }
      EXPECT_EQ(covered, count);
    }
}

TEST(fraction, prints_as_people_write_it) {
  EXPECT_EQ(to_string(fraction(3, 4)), "3/4");
  EXPECT_EQ(to_string(fraction(8, 4)), "2");
}

}  // namespace
