// Reductions and scalings: every legal pair on every instruction set against a plain scalar reference.
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
struct type_test : testing::Test {};
using element_types = testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
                                     std::uint32_t, std::int64_t, std::uint64_t, hawser::float16, hawser::bfloat16,
                                     float, double, hawser::float8_e4m3, hawser::float8_e5m2>;
TYPED_TEST_SUITE(type_test, element_types);

template <class T>
struct floating_test : testing::Test {};
using floating_types =
    testing::Types<hawser::float16, hawser::bfloat16, float, double, hawser::float8_e4m3, hawser::float8_e5m2>;
TYPED_TEST_SUITE(floating_test, floating_types);

template <class T>
void check_reduction(reduce_kind kind, instruction_set set, const std::vector<T>& left, const std::vector<T>& right,
                     std::size_t offset, alias where) {
  const hawser::reducer reduce = make_reducer(hawser::data_type_of_v<T>, kind, set);
  ASSERT_EQ(reduce.element_bytes, sizeof(T));
  skewed<T> a(left, offset), b(right, offset * 3), c(left, offset * 2);
  skewed<T>& out = where == alias::none ? c : where == alias::left ? a : b;
  reduce(out.data(), a.data(), b.data(), left.size());
  ASSERT_TRUE(a.has_intact_guards() && b.has_intact_guards() && c.has_intact_guards());
  for (std::size_t i = 0; i < left.size(); ++i)
    ASSERT_TRUE(is_same(kind, out[i], reference_of(kind, left[i], right[i])))
        << to_string(hawser::data_type_of_v<T>) << " " << to_string(kind) << " on " << to_string(set) << ", element "
        << i << " of " << left.size() << ": " << wide(left[i]) << " and " << wide(right[i]) << " gave " << wide(out[i]);
}

TYPED_TEST(type_test, every_legal_operator_agrees_with_the_reference) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const instruction_set set : instruction_sets()) {
    for (std::size_t k = 0; k < hawser::builtin_reduce_kinds; ++k) {
      const auto kind = static_cast<reduce_kind>(k);
      if (hawser::legality(hawser::data_type_of_v<TypeParam>, kind)) continue;
      for (const std::size_t count : odd_sizes) {
        const auto left = random_elements<TypeParam>(random, count);
        const auto right = random_elements<TypeParam>(random, count);
        for (const std::size_t offset : {0, 1, 3})
          for (const alias where : {alias::none, alias::left, alias::right})
            ASSERT_NO_FATAL_FAILURE(check_reduction(kind, set, left, right, offset, where));
      }
    }
  }
}

TYPED_TEST(type_test, all_instruction_sets_give_the_same_bits) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::size_t count = 20'011;
  const auto left = random_elements<TypeParam>(random, count);
  const auto right = random_elements<TypeParam>(random, count);
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  for (std::size_t k = 0; k < hawser::builtin_reduce_kinds; ++k) {
    const auto kind = static_cast<reduce_kind>(k);
    if (hawser::legality(type, kind)) continue;
    std::vector<TypeParam> expected(count), actual(count);
    make_reducer(type, kind, instruction_set::baseline)(expected.data(), left.data(), right.data(), count);
    for (const instruction_set set : instruction_sets()) {
      make_reducer(type, kind, set)(actual.data(), left.data(), right.data(), count);
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_TRUE(is_same(kind, actual[i], expected[i])) << to_string(kind) << " " << to_string(set) << " " << i;
    }
  }
}

TYPED_TEST(type_test, avg_reduces_as_sum_and_divides) {
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  std::mt19937_64 random(1);
  const auto elements = random_elements<TypeParam>(random, 301);
  for (const instruction_set set : instruction_sets()) {
    EXPECT_EQ(make_reducer(type, reduce_kind::avg, set).function, make_reducer(type, reduce_kind::sum, set).function);
    for (const std::uint32_t ranks : {1U, 2U, 3U, 7U, 300U, 4'000'000'000U}) {
      skewed<TypeParam> in(elements, 1);
      hawser::executor::make_divider(type, ranks, set)(in.data(), in.data(), elements.size());
      EXPECT_TRUE(in.has_intact_guards());
      for (std::size_t i = 0; i < elements.size(); ++i) {
        TypeParam expected;
        if constexpr (std::is_signed_v<TypeParam> && std::is_integral_v<TypeParam>)
          expected = static_cast<TypeParam>(static_cast<std::int64_t>(elements[i]) / std::int64_t{ranks});
        else if constexpr (std::is_integral_v<TypeParam>)
          expected = static_cast<TypeParam>(static_cast<std::uint64_t>(elements[i]) / ranks);
        else if constexpr (std::is_same_v<TypeParam, double>)
          expected = elements[i] / ranks;
        else  // the quotient is rounded to float32, then to the type
          expected = rounded<TypeParam>(static_cast<float>(wide(elements[i])) / static_cast<float>(ranks));
        ASSERT_TRUE(is_same(reduce_kind::avg, in[i], expected)) << i << " / " << ranks << ": " << wide(in[i]);
      }
    }
  }
}

TYPED_TEST(floating_test, scaling_multiplies_and_rounds_once) {
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  std::mt19937_64 random(2);
  const auto elements = random_elements<TypeParam>(random, 301);
  for (const instruction_set set : instruction_sets()) {
    for (const double factor : {0.0, 1.0, -0.5, 1.0 / 3, 1e30, std::numeric_limits<double>::infinity()}) {
      skewed<TypeParam> in(elements, 1), out(elements, 3);
      hawser::executor::make_scaler(type, factor, set)(out.data(), in.data(), elements.size());
      EXPECT_TRUE(out.has_intact_guards());
      for (std::size_t i = 0; i < elements.size(); ++i) {
        const double expected = std::is_same_v<TypeParam, double>
                                    ? wide(elements[i]) * factor
                                    : static_cast<float>(wide(elements[i])) * static_cast<float>(factor);
        ASSERT_TRUE(is_same(reduce_kind::premul_sum, out[i], rounded<TypeParam>(expected))) << i << " * " << factor;
      }
    }
  }
}

TEST(float8, every_pair_of_patterns) {
  std::vector<hawser::float8_e4m3> left(65536), right(65536);
  std::vector<hawser::float8_e5m2> left5(65536), right5(65536);
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i].bits = left5[i].bits = static_cast<std::uint8_t>(i);
    right[i].bits = right5[i].bits = static_cast<std::uint8_t>(i >> 8);
  }
  for (const instruction_set set : instruction_sets()) {
    for (const reduce_kind kind : {reduce_kind::sum, reduce_kind::prod, reduce_kind::min, reduce_kind::max}) {
      ASSERT_NO_FATAL_FAILURE(check_reduction(kind, set, left, right, 0, alias::none));
      ASSERT_NO_FATAL_FAILURE(check_reduction(kind, set, left5, right5, 0, alias::none));
    }
  }
}

TYPED_TEST(floating_test, minimum_and_maximum_do_not_depend_on_order_or_grouping) {
  constexpr data_type type = hawser::data_type_of_v<TypeParam>;
  std::mt19937_64 random(3);
  const auto a = random_elements<TypeParam>(random, 999), b = random_elements<TypeParam>(random, 999),
             c = random_elements<TypeParam>(random, 999);
  for (const reduce_kind kind : {reduce_kind::min, reduce_kind::max}) {
    const hawser::reducer reduce = hawser::executor::make_reducer(type, kind);
    std::vector<TypeParam> left(999), right(999);
    reduce(left.data(), a.data(), b.data(), 999);
    reduce(left.data(), left.data(), c.data(), 999);
    reduce(right.data(), c.data(), b.data(), 999);
    reduce(right.data(), right.data(), a.data(), 999);
    EXPECT_EQ(std::memcmp(left.data(), right.data(), 999 * sizeof(TypeParam)), 0) << to_string(kind);
  }
}

template <class F>
void expect_unsupported(F&& call, std::string_view part) {
  try {
    call();
    ADD_FAILURE() << "accepted, expected a message about " << part;
  } catch (const hawser::error& e) {
    EXPECT_EQ(e.code(), hawser::errc::unsupported);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(refusals, every_illegal_pair_gives_type_operator_and_reason) {
  int illegal = 0;
  for (std::size_t t = 0; t <= hawser::builtin_data_types; ++t) {
    for (std::size_t k = 0; k < hawser::builtin_reduce_kinds; ++k) {
      const auto type = static_cast<data_type>(t);
      const auto kind = static_cast<reduce_kind>(k);
      const auto reason = hawser::legality(type, kind);
      if (!reason) {
        EXPECT_TRUE(hawser::executor::make_reducer(type, kind)) << to_string(type) << " " << to_string(kind);
        continue;
      }
      ++illegal;
      for (const std::string_view part : {to_string(type), to_string(kind), *reason})
        expect_unsupported([&] { hawser::executor::make_reducer(type, kind); }, part);
    }
  }
  EXPECT_EQ(illegal, 8 + 6 * 6 + 12);  // premul_sum of integers, bitwise and logical on floats, all of user types
}

TEST(refusals, conversions_and_scalings) {
  using namespace hawser::executor;
  expect_unsupported([] { make_converter(data_type::int32, data_type::float32); }, "int32");
  expect_unsupported([] { make_converter(data_type::float16, data_type::bfloat16); }, "bfloat16");
  expect_unsupported([] { make_converter(data_type::user, data_type::user); }, "user");
  expect_unsupported([] { make_scaler(data_type::int8, 2.0); }, "int8");
  expect_unsupported([] { make_divider(data_type::user, 2); }, "user");
  expect_unsupported([] { make_reducer(data_type::float32, reduce_kind::user); }, "no function");
  EXPECT_THROW(make_divider(data_type::float32, 0), hawser::error);
}

TEST(user_operator, passes_through_where_it_was_made_for_the_type) {
  const auto first = hawser::user_op<float>([](float a, float) { return a; }, hawser::commutativity::ordered, "first");
  const hawser::reducer reduce = hawser::executor::make_reducer(data_type::float32, sizeof(float), first);
  const float left[] = {1, 2}, right[] = {3, 4};
  float out[2];
  reduce(out, left, right, 2);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(out[1], 2);
  expect_unsupported([&] { hawser::executor::make_reducer(data_type::float64, sizeof(double), first); }, "first");
  EXPECT_EQ(hawser::executor::make_reducer(data_type::int8, 1, hawser::op::max).function,
            hawser::executor::make_reducer(data_type::int8, reduce_kind::max).function);
}

}  // namespace
