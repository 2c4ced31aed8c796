// float16, bfloat16 and the 8-bit floats: every pattern, and rounding against the table of all numbers.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>

#include <gtest/gtest.h>

#include <hawser/core/bfloat16.hpp>
#include <hawser/core/float16.hpp>
#include <hawser/core/float8.hpp>

#include "unit/core/float_reference.hpp"

namespace {

using hawser::bfloat16;
using hawser::float16;
using hawser::float8_e4m3;
using hawser::float8_e5m2;

static_assert(std::is_trivial_v<float16> && sizeof(float16) == 2);
static_assert(std::is_trivial_v<bfloat16> && sizeof(bfloat16) == 2);
static_assert(std::is_trivial_v<float8_e4m3> && sizeof(float8_e4m3) == 1);
static_assert(std::is_trivial_v<float8_e5m2> && sizeof(float8_e5m2) == 1);
static_assert(!std::is_convertible_v<float, float16> && !std::is_convertible_v<float16, float>);
static_assert(float16(1.5f).bits == 0x3e00 && static_cast<float>(float16::from_bits(0x3e00)) == 1.5f);

template <class T>
class float_formats : public testing::Test {};
using formats = testing::Types<float16, bfloat16, float8_e4m3, float8_e5m2>;
TYPED_TEST_SUITE(float_formats, formats);

template <class T>
T pattern(std::uint32_t bits) {
  return T::from_bits(static_cast<decltype(T::bits)>(bits));
}

/// Whether the conversion of a number agrees with the table; prints the number where it does not.
template <class T>
testing::AssertionResult rounds_correctly(float value) {
  const std::uint32_t expected = reference::nearest<T>(value);
  const std::uint32_t actual = T(value).bits;
  if (actual == expected) return testing::AssertionSuccess();
  return testing::AssertionFailure() << std::hexfloat << value << std::hex << ": expected pattern " << expected
                                     << ", got " << actual;
}

TYPED_TEST(float_formats, every_finite_pattern_decodes_and_comes_back) {
  const reference::format f = reference::format_of<TypeParam>();
  for (std::uint32_t magnitude = 0; magnitude <= f.largest_finite; ++magnitude) {
    for (const std::uint32_t bits : {magnitude, magnitude | f.sign_bit()}) {
      const auto value = static_cast<float>(pattern<TypeParam>(bits));
      const double expected = bits == magnitude ? f.value(magnitude) : -f.value(magnitude);
      ASSERT_EQ(value, expected) << std::hex << bits;
      ASSERT_EQ(std::signbit(value), bits != magnitude) << std::hex << bits;
      ASSERT_EQ(TypeParam(value).bits, bits) << std::hex << bits;
    }
  }
}

TYPED_TEST(float_formats, every_other_pattern_is_infinity_or_nan) {
  const reference::format f = reference::format_of<TypeParam>();
  for (std::uint32_t magnitude = f.largest_finite + 1; magnitude < f.sign_bit(); ++magnitude) {
    for (const std::uint32_t bits : {magnitude, magnitude | f.sign_bit()}) {
      const auto value = static_cast<float>(pattern<TypeParam>(bits));
      ASSERT_EQ(std::signbit(value), bits != magnitude) << std::hex << bits;
      if (f.has_infinity && magnitude == f.infinity()) {
        ASSERT_TRUE(std::isinf(value));
        ASSERT_EQ(TypeParam(value).bits, bits);
      } else {
        ASSERT_TRUE(std::isnan(value)) << std::hex << bits;
        const TypeParam back(value);
        ASSERT_TRUE(std::isnan(static_cast<float>(back))) << std::hex << bits;
        // The payload survives, the quiet bit is set; float8_e4m3 has one NaN, which has neither.
        const std::uint32_t quiet = f.has_infinity ? 1U << (f.mantissa_bits - 1) : 0;
        ASSERT_EQ(back.bits, bits | quiet) << std::hex << bits;
      }
    }
  }
}

TYPED_TEST(float_formats, midpoints_and_their_neighbours_round_to_nearest_even) {
  const std::vector<double>& values = reference::finite_values<TypeParam>();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double next = i + 1 < values.size() ? values[i + 1] : 2 * values[i] - values[i - 1];
    const auto middle = static_cast<float>((values[i] + next) / 2);
    for (const float value :
         {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, infinity), static_cast<float>(values[i])}) {
      if (std::isinf(value)) continue;
      ASSERT_TRUE(rounds_correctly<TypeParam>(value));
      ASSERT_TRUE(rounds_correctly<TypeParam>(-value));
    }
  }
}

TYPED_TEST(float_formats, sampled_floats_round_to_nearest_even) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 300'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(value)) {
      ASSERT_TRUE(rounds_correctly<TypeParam>(value));
    }
    // Most random patterns are out of range, so sample inside the range too.
    const float inside = std::ldexp(static_cast<float>(random()), -static_cast<int>(random() % 64));
    ASSERT_TRUE(rounds_correctly<TypeParam>(inside));
  }
}

TYPED_TEST(float_formats, nan_of_every_payload_stays_nan) {
  for (std::uint32_t payload = 1; payload < 1U << 23; payload = payload * 2 + 1) {
    for (const std::uint32_t sign : {0U, 0x80000000U}) {
      const TypeParam value(std::bit_cast<float>(sign | 0x7f800000U | payload));
      EXPECT_TRUE(std::isnan(static_cast<float>(value))) << std::hex << payload;
      EXPECT_EQ(std::signbit(static_cast<float>(value)), sign != 0);
    }
  }
  EXPECT_TRUE(std::isnan(static_cast<float>(TypeParam(std::bit_cast<float>(0x7f800001U)))));
}

TYPED_TEST(float_formats, comparisons_follow_the_numbers) {
  const TypeParam one(1.0f), two(2.0f), zero(0.0f), minus_zero(-0.0f), nan(std::nanf(""));
  EXPECT_TRUE(one < two && two > one && one != two && one == TypeParam(1.0f));
  EXPECT_NE(zero.bits, minus_zero.bits);
  EXPECT_TRUE(zero == minus_zero);
  EXPECT_FALSE(nan == nan);
  EXPECT_FALSE(nan < one || nan > one);
}

TEST(float8, e4m3_saturates_and_e5m2_overflows_to_infinity) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {448.0f, 449.0f, 1e6f, infinity}) {
    EXPECT_EQ(static_cast<float>(float8_e4m3(value)), 448.0f) << value;
    EXPECT_EQ(static_cast<float>(float8_e4m3(-value)), -448.0f) << value;
  }
  EXPECT_EQ(static_cast<float>(float8_e5m2(61439.0f)), 57344.0f);
  for (const float value : {61440.0f, 1e6f, infinity}) {
    EXPECT_EQ(static_cast<float>(float8_e5m2(value)), infinity) << value;
    EXPECT_EQ(static_cast<float>(float8_e5m2(-value)), -infinity) << value;
  }
}

}  // namespace
