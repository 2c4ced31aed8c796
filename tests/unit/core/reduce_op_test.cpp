// The legality table, accumulation types, and user-defined operators in their erased form.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/reduce_op.hpp>

struct affine {  // x -> scale * x + offset; composition is associative, not commutative
  std::int64_t scale, offset;
  friend bool operator==(const affine&, const affine&) = default;
};
template <>
struct hawser::data_type_of<affine> : hawser::user_element {};

namespace {

using hawser::commutativity;
using hawser::data_type;
using hawser::reduce_kind;

affine compose(const affine& first, const affine& then) {
  return {then.scale * first.scale, then.scale * first.offset + then.offset};
}

data_type type_at(std::size_t i) {
  return static_cast<data_type>(i);
}
reduce_kind kind_at(std::size_t i) {
  return static_cast<reduce_kind>(i);
}

TEST(reduce_op, legality_is_the_table_of_docs_types) {
  // One row per operator in the order of reduce_kind: legal on integers, on floats, on user types.
  constexpr std::array<std::array<bool, 3>, 13> expected{{{true, true, false},   // sum
                                                          {true, true, false},   // prod
                                                          {true, true, false},   // min
                                                          {true, true, false},   // max
                                                          {true, true, false},   // avg
                                                          {false, true, false},  // premul_sum
                                                          {true, false, false},  // bit_and
                                                          {true, false, false},  // bit_or
                                                          {true, false, false},  // bit_xor
                                                          {true, false, false},  // logical_and
                                                          {true, false, false},  // logical_or
                                                          {true, false, false},  // logical_xor
                                                          {true, true, true}}};  // user
  for (std::size_t kind = 0; kind < expected.size(); ++kind) {
    for (std::size_t type = 0; type <= hawser::builtin_data_types; ++type) {
      const std::size_t column = is_integer(type_at(type)) ? 0 : is_floating(type_at(type)) ? 1 : 2;
      const auto reason = hawser::legality(type_at(type), kind_at(kind));
      EXPECT_EQ(!reason, expected[kind][column]) << to_string(type_at(type)) << " " << to_string(kind_at(kind));
      EXPECT_TRUE(!reason || !reason->empty());
    }
  }
}

TEST(reduce_op, reasons_name_what_is_wrong) {
  EXPECT_NE(hawser::legality(data_type::float32, reduce_kind::bit_xor)->find("bitwise"), std::string::npos);
  EXPECT_NE(hawser::legality(data_type::float16, reduce_kind::logical_or)->find("logical"), std::string::npos);
  EXPECT_NE(hawser::legality(data_type::int8, reduce_kind::premul_sum)->find("factor"), std::string::npos);
  EXPECT_NE(hawser::legality(data_type::user, reduce_kind::sum)->find("user-defined"), std::string::npos);
}

TEST(reduce_op, constants_carry_kind_and_name) {
  using namespace hawser;
  for (const reduce_op& value : {op::sum, op::prod, op::min, op::max, op::avg, op::bit_and, op::bit_or, op::bit_xor,
                                 op::logical_and, op::logical_or, op::logical_xor, premultiplied_sum(2.5)}) {
    EXPECT_EQ(value.name, to_string(value.kind));
    EXPECT_TRUE(value.is_commutative);
    EXPECT_EQ(parse_reduce_kind(value.name), value.kind);
    EXPECT_EQ(make_op(value.kind).name, value.name);
  }
  EXPECT_EQ(premultiplied_sum(2.5).factor, 2.5);
  EXPECT_EQ(op::sum.factor, 1.0);
}

TEST(reduce_op, an_unknown_operator_is_refused_with_the_list) {
  for (const std::string text : {"plus", "user", ""}) {
    try {
      hawser::parse_reduce_kind(text);
      ADD_FAILURE() << "accepted \"" << text << "\"";
    } catch (const hawser::error& e) {
      EXPECT_EQ(e.code(), hawser::errc::parse);
      EXPECT_NE(std::string(e.what()).find("sum, prod, min, max, avg"), std::string::npos) << e.what();
    }
  }
}

TEST(reduce_op, accumulation) {
  using hawser::accumulation_type;
  using hawser::is_legal_accumulation;
  for (std::size_t i = 0; i <= hawser::builtin_data_types; ++i) {
    const data_type type = type_at(i);
    EXPECT_EQ(accumulation_type(type), is_float8(type) ? data_type::float32 : type) << to_string(type);
    EXPECT_TRUE(is_legal_accumulation(type, accumulation_type(type))) << to_string(type);
    for (std::size_t j = 0; j <= hawser::builtin_data_types; ++j) {
      const bool widens = (is_floating(type) && size_of(type) < 4 && type_at(j) == data_type::float32) ||
                          (type == data_type::float32 && type_at(j) == data_type::float64);
      const bool is_itself = i == j && !is_float8(type);
      EXPECT_EQ(is_legal_accumulation(type, type_at(j)), widens || is_itself)
          << to_string(type) << " in " << to_string(type_at(j));
    }
  }
}

/// Folds five affine maps through the erased form from misaligned memory, with the output on the left or right operand.
void expect_composes(const hawser::reducer& reduce) {
  ASSERT_EQ(reduce.element_bytes, sizeof(affine));
  const std::vector<affine> left{{2, 1}, {3, -1}, {-1, 4}, {5, 0}, {1, 7}};
  const std::vector<affine> right{{1, 1}, {-2, 3}, {4, 4}, {0, 9}, {6, -5}};
  const std::size_t size = left.size() * sizeof(affine);
  for (const int alias : {0, 1, 2}) {
    std::vector<std::byte> a(size + 1), b(size + 1), c(size + 1);
    std::memcpy(a.data() + 1, left.data(), size);
    std::memcpy(b.data() + 1, right.data(), size);
    std::byte* out = (alias == 0 ? c : alias == 1 ? a : b).data() + 1;
    reduce(out, a.data() + 1, b.data() + 1, left.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      affine result;
      std::memcpy(&result, out + i * sizeof(affine), sizeof(affine));
      EXPECT_EQ(result, compose(left[i], right[i])) << i << " alias " << alias;
    }
  }
}

TEST(user_op, from_function_lambda_and_functor) {
  struct functor {
    affine operator()(const affine& a, const affine& b) const { return compose(a, b); }
  };
  const auto from_function = hawser::user_op<affine>(compose, commutativity::ordered, "compose");
  const auto from_lambda =
      hawser::user_op<affine>([](affine a, affine b) { return compose(a, b); }, commutativity::ordered);
  const auto from_functor = hawser::user_op<affine>(functor{}, commutativity::commutative);
  expect_composes(from_function.function);
  expect_composes(from_lambda.function);
  expect_composes(from_functor.function);
  EXPECT_EQ(from_function.name, "compose");
  EXPECT_FALSE(from_function.is_commutative);
  EXPECT_TRUE(from_functor.is_commutative);
  EXPECT_EQ(from_function.kind, reduce_kind::user);
}

TEST(user_op, an_operator_with_state_is_referred_to) {
  std::int64_t modulus = 7;
  const auto add_modulo = [&modulus](std::int64_t a, std::int64_t b) { return (a + b) % modulus; };
  const hawser::reducer reduce = hawser::make_reducer<std::int64_t>(add_modulo);
  const std::int64_t left[] = {5, 6}, right[] = {4, 6};
  std::int64_t out[2];
  reduce(out, left, right, 2);
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(out[1], 5);
  modulus = 5;
  reduce(out, left, right, 2);
  EXPECT_EQ(out[0], 4);
  EXPECT_EQ(out[1], 2);
}

template <class T, class Op>
concept makes_reducer = requires(Op&& callable) {
  hawser::make_reducer<T>(std::forward<Op>(callable));
};

TEST(user_op, a_temporary_with_state_and_a_wrong_signature_do_not_compile) {
  int state = 0;
  const auto stateful = [&state](int a, int b) { return a + b + state; };
  static_assert(makes_reducer<int, decltype(stateful)&>);
  static_assert(!makes_reducer<int, decltype(stateful)>);
  const auto wrong = [](std::string a, std::string) { return a; };
  static_assert(!makes_reducer<int, decltype(wrong)&>);
}

TEST(user_op, legality_checks_function_type_and_size) {
  const auto valid = hawser::user_op<affine>(compose, commutativity::ordered);
  EXPECT_FALSE(hawser::legality(data_type::user, sizeof(affine), valid));
  EXPECT_TRUE(hawser::legality(data_type::user, sizeof(affine) + 1, valid));
  EXPECT_TRUE(hawser::legality(data_type::int64, sizeof(std::int64_t), valid));
  EXPECT_TRUE(hawser::legality(data_type::user, sizeof(affine), hawser::make_op(reduce_kind::user)));
  EXPECT_TRUE(hawser::legality(data_type::user, sizeof(affine), hawser::op::sum));
  EXPECT_FALSE(hawser::legality(data_type::float32, sizeof(float), hawser::op::sum));
}

}  // namespace
