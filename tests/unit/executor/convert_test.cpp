// Conversions of the executor, on every instruction set, against the conversions of the types.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/executor/reduce.hpp>

#include "unit/executor/reduce_reference.hpp"

namespace {

using namespace reduce_testing;

template <class T>
struct small_test : testing::Test {};
using small_types = testing::Types<hawser::float16, hawser::bfloat16, hawser::float8_e4m3, hawser::float8_e5m2>;
TYPED_TEST_SUITE(small_test, small_types);

TYPED_TEST(small_test, every_pattern_widens_as_the_type_does) {
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  std::vector<TypeParam> all(std::size_t{1} << (8 * sizeof(TypeParam)));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = TypeParam::from_bits(static_cast<decltype(TypeParam::bits)>(i));
  for (const instruction_set set : instruction_sets()) {
    const auto widen = hawser::executor::make_converter(type, data_type::float32, set);
    EXPECT_EQ(widen.in_bytes, sizeof(TypeParam));
    EXPECT_EQ(widen.out_bytes, sizeof(float));
    skewed<TypeParam> in(all, 1);
    skewed<float> out(std::vector<float>(all.size()), 3);
    widen(out.data(), in.data(), all.size());
    EXPECT_TRUE(out.has_intact_guards());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto expected = static_cast<float>(all[i]);
      // A signalling bfloat16 NaN may stay signalling: nothing computes on it.
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(out[i])) << std::hex << i << " " << to_string(set);
      else
        ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected)) << std::hex << i;
    }
  }
}

/// All floats near numbers and midpoints of the format, and random ones.
template <class T>
std::vector<float> floats_to_narrow(std::mt19937_64& random) {
  std::vector<float> result;
  const std::vector<double>& values = reference::finite_values<T>();
  for (std::size_t i = 1; i < values.size(); ++i) {
    const auto middle = static_cast<float>((values[i - 1] + values[i]) / 2);
    for (const float value : {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, INFINITY)}) {
      result.push_back(value);
      result.push_back(-value);
    }
  }
  for (int i = 0; i < 200'003; ++i) result.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  return result;
}

TYPED_TEST(small_test, floats_narrow_as_the_type_does) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  const std::vector<float> values = floats_to_narrow<TypeParam>(random);
  for (const instruction_set set : instruction_sets()) {
    skewed<float> in(values, 3);
    skewed<TypeParam> out(std::vector<TypeParam>(values.size()), 1);
    hawser::executor::make_converter(data_type::float32, type, set)(out.data(), in.data(), values.size());
    EXPECT_TRUE(out.has_intact_guards());
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(out[i].bits, TypeParam(values[i]).bits) << std::hexfloat << values[i] << " " << to_string(set);
  }
}

TYPED_TEST(small_test, conversions_of_few_elements_stay_in_bounds) {
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  for (const instruction_set set : instruction_sets()) {
    for (const std::size_t count : odd_sizes) {
      skewed<float> floats(std::vector<float>(count, 1.5f), 1);
      skewed<TypeParam> small(std::vector<TypeParam>(count), 3);
      hawser::executor::make_converter(data_type::float32, type, set)(small.data(), floats.data(), count);
      skewed<float> back(std::vector<float>(count), 5);
      hawser::executor::make_converter(type, data_type::float32, set)(back.data(), small.data(), count);
      ASSERT_TRUE(small.has_intact_guards() && back.has_intact_guards());
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(back[i], 1.5f) << i << " of " << count;
    }
  }
}

TEST(convert, float32_and_float64_and_identity) {
  const std::vector<double> doubles{0.0, -0.0, 1.0 / 3, 1e300, -1e-300, INFINITY, std::nextafter(1.0, 2.0)};
  std::vector<float> floats(doubles.size());
  hawser::executor::make_converter(data_type::float64, data_type::float32)(floats.data(), doubles.data(), 7);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(floats[i], static_cast<float>(doubles[i]));
  std::vector<double> back(doubles.size());
  hawser::executor::make_converter(data_type::float32, data_type::float64)(back.data(), floats.data(), 7);
  for (std::size_t i = 0; i < floats.size(); ++i) EXPECT_EQ(back[i], static_cast<double>(floats[i]));
  for (std::size_t t = 0; t < hawser::builtin_data_types; ++t) {
    const auto type = static_cast<data_type>(t);
    std::vector<unsigned char> in(17 * size_of(type)), out(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i * 37 + 1);
    hawser::executor::make_converter(type, type)(out.data(), in.data(), 17);
    EXPECT_EQ(in, out) << to_string(type);
  }
}

}  // namespace
