// Floats as integers of an agreed scale: what comes back, what is rounded, and what is special.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include <hawser/core/bfloat16.hpp>
#include <hawser/core/float16.hpp>
#include <hawser/core/integer_sum.hpp>

namespace {

using namespace hawser;

constexpr float infinity = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

float sum_of(const std::vector<float>& values, int digits = 24) {
  std::uint8_t scale = 0;
  for (const float each : values) scale = std::max(scale, integer_scale_of(each));
  std::int64_t sum = 0;
  for (const float each : values) sum += to_integer(each, scale);
  return from_integer(sum, scale, digits);
}

bool is_same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

TEST(integer_sum, one_contribution_comes_back) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value) || value == 0) continue;
    EXPECT_TRUE(is_same(sum_of({value}), value)) << value;
  }
}

template <class T>
void check_every_value(int digits) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto value = static_cast<float>(std::bit_cast<T>(static_cast<std::uint16_t>(bits)));
    if (!std::isfinite(value) || value == 0) continue;
    const T back = static_cast<T>(sum_of({value}, digits));
    EXPECT_EQ(std::bit_cast<std::uint16_t>(back), bits) << value;
  }
}
TEST(integer_sum, every_small_float_comes_back) {
  check_every_value<float16>(11);
  check_every_value<bfloat16>(8);
}

TEST(integer_sum, is_the_exact_sum_rounded_once_where_magnitudes_are_near) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<float> values(2 + random() % 30);
    long double exact = 0;  // 64 digits: 24, 18 binary orders and 5 for the number
    for (float& each : values) {
      each = std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random), static_cast<int>(random() % 4));
      each = std::ldexp(std::round(std::ldexp(each, 20)), -20);
      exact += each;
    }
    EXPECT_EQ(sum_of(values), static_cast<float>(exact));
    EXPECT_LE(std::abs(sum_of(values, 8) - exact), std::abs(exact) * 0x1p-8L) << "half a digit of bfloat16";
  }
}

TEST(integer_sum, errs_by_less_than_2_to_minus_43_of_the_largest_per_contribution) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<float> values(2 + random() % 30);
    long double exact = 0, largest = 0;
    for (float& each : values) {
      each = std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random), static_cast<int>(random() % 60) - 30);
      exact += each;
      largest = std::max<long double>(largest, std::abs(each));
    }
    const long double bound = static_cast<long double>(values.size()) * largest * 0x1p-43L + std::abs(exact) * 0x1p-24L;
    EXPECT_LE(std::abs(sum_of(values) - exact), bound * (1 + 0x1p-20L));
  }
}

TEST(integer_sum, ties_go_to_even) {
  EXPECT_EQ(detail::round_to_digits(0b1011, 3), 0b1100);
  EXPECT_EQ(detail::round_to_digits(0b1001, 3), 0b1000);
  EXPECT_EQ(detail::round_to_digits(-0b1011, 3), -0b1100);
  EXPECT_EQ(detail::round_to_digits(0b1111, 3), 0b10000);
  EXPECT_EQ(sum_of({0x1p24F, 1}), 0x1p24F);
  EXPECT_EQ(sum_of({0x1p24F, 1, 1, 1}), 0x1p24F + 4);
}

TEST(integer_sum, zeros_cancellation_and_denormals) {
  EXPECT_TRUE(is_same(sum_of({0.0F, 0.0F}), 0.0F));
  EXPECT_TRUE(is_same(sum_of({-0.0F, -0.0F}), 0.0F)) << "a sum of zero is +0 whatever contributes";
  EXPECT_TRUE(is_same(sum_of({1.5F, -1.5F}), 0.0F));
  EXPECT_TRUE(is_same(sum_of({0x1p-149F, 0x1p-149F, 0x1p-149F}), 0x3p-149F));
  EXPECT_TRUE(is_same(sum_of({0x1p-126F, -0x1p-149F}), 0x1p-126F - 0x1p-149F)) << "a denormal result is exact";
  EXPECT_EQ(sum_of({0x1p60F, 1, -0x1p60F}), 0.0F) << "2^-60 of the largest is beyond what is kept";
  EXPECT_EQ(sum_of({0x1p40F, 1, -0x1p40F}), 1.0F) << "2^-40 is kept: float32 sums in order give 0";
}

TEST(integer_sum, overflow_infinities_and_nan) {
  constexpr float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(sum_of({largest, largest}), infinity);
  EXPECT_EQ(sum_of({-largest, -largest}), -infinity);
  EXPECT_EQ(sum_of({largest, largest, -largest}), largest) << "no partial sum overflows";
  EXPECT_EQ(static_cast<float>(static_cast<float16>(sum_of({65504, 16}, 11))), infinity);
  EXPECT_EQ(sum_of({infinity, -largest, 1}), infinity);
  EXPECT_EQ(sum_of({-infinity, -infinity}), -infinity);
  EXPECT_TRUE(is_same(sum_of({infinity, -infinity}), nan));
  EXPECT_TRUE(is_same(sum_of({1, -nan, infinity}), nan)) << "always the canonical quiet NaN";
}

TEST(integer_sum, the_most_contributions_fit) {
  // Of the largest of their scale, and of special values in each counter.
  const auto fits = [](std::int64_t each) {
    return static_cast<long double>(std::abs(each)) * static_cast<long double>(most_integer_summands) < 0x1p63L;
  };
  EXPECT_TRUE(fits(to_integer(std::numeric_limits<float>::max(), 254)));
  EXPECT_TRUE(fits(to_integer(-0x1.fffffep-126F, 1)));
  for (const float special : {nan, infinity, -infinity}) EXPECT_TRUE(fits(to_integer(special, 255)));
  EXPECT_EQ(from_integer(to_integer(-infinity, 255) * most_integer_summands, 255, 24), -infinity);
  EXPECT_EQ(from_integer(to_integer(infinity, 255) * most_integer_summands, 255, 24), infinity);
}

}  // namespace
