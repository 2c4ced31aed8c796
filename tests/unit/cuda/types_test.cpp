// Casts on output, and types of the user, in the device core.
#include <hawser/cuda/device/all_reduce.hpp>

#include "unit/cuda/numbers.hpp"

namespace {

/// Three floats: a size that no vector of 16 bytes is a multiple of.
struct triple {
  float x, y, z;
};
/// Two bytes that accumulate in an int.
struct score {
  std::int16_t value;
};

}  // namespace

template <>
struct hawser::data_type_of<triple> : hawser::user_element {};

/// How `score` accumulates.
template <>
struct hawser::cuda::device::element<score> {
  using accumulator = int;
  static HAWSER_DEVICE int widen(score s) { return s.value; }
  static HAWSER_DEVICE score narrow(int value) { return {static_cast<std::int16_t>(value > 1000 ? 1000 : value)}; }
};

namespace device_testing {
namespace {

struct add_triples {
  HAWSER_DEVICE triple operator()(const triple& a, const triple& b) const { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
};
/// Not commutative: which of two comes first decides.
struct keep_left {
  template <class A>
  HAWSER_DEVICE A operator()(A a, A) const {
    return a;
  }
};

template <class In, class Out>
void check_cast(std::size_t count, std::size_t offset) {
  std::mt19937_64 random(3);
  std::vector<device_buffer<In>> inputs;
  std::vector<std::byte*> bases;
  for (int j = 0; j < 3; ++j) inputs.emplace_back(elements_for<In>(reduce_kind::sum, random, count), offset);
  for (auto& each : inputs) bases.push_back(each.data());
  device_buffer<Out> output(count, offset);
  host_block_state alone(1);
  reduce_places<In, Out>(host_block(alone, 0, 0, 1), places{bases.data(), 3}, place{output.data()}, count, add{},
                         identity{});
  ASSERT_TRUE(output.has_intact_guards());
  for (std::size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (const auto& each : inputs) sum += static_cast<float>(each[i]);
    ASSERT_EQ(static_cast<float>(output[i]), static_cast<float>(static_cast<Out>(sum))) << i << " of " << count;
  }
}

TEST(casts, on_output_between_float32_and_the_small_floats) {
  for (const std::size_t count : {1, 15, 16, 64, 130}) {
    for (const std::size_t offset : {0, 4}) {
      check_cast<hawser::float16, float>(count, offset);
      check_cast<hawser::bfloat16, float>(count, offset);
      check_cast<hawser::float8_e4m3, float>(count, offset);
      check_cast<hawser::float8_e5m2, float>(count, offset);
      check_cast<float, hawser::float16>(count, offset);
      check_cast<float, hawser::bfloat16>(count, offset);
      check_cast<float, hawser::float8_e4m3>(count, offset);
      check_cast<float, hawser::float8_e5m2>(count, offset);
    }
  }
}

TEST(casts, keep_every_access_16_bytes_wide) {
  EXPECT_EQ((lanes_of<hawser::float8_e4m3, float>()), 16);  // one access in, four out
  EXPECT_EQ((lanes_of<float, hawser::bfloat16>()), 8);      // two in, one out
  EXPECT_EQ((lanes<float, 8>::vectors), 2);
  EXPECT_EQ((lanes_of<double>()), 2);
}

template <class T, class Op>
std::vector<T> all_reduced(const std::vector<std::vector<T>>& inputs, const Op& op, bool by_two_shot) {
  host_group group(static_cast<int>(inputs.size()));
  const std::size_t count = inputs[0].size();
  std::vector<std::vector<T>> outputs(inputs.size(), std::vector<T>(count));
  group.launch([&](const host_block& block, int r) {
    const auto i = static_cast<std::size_t>(r);
    const reduce_call call{.view = group.view(r),
                           .input = reinterpret_cast<const std::byte*>(inputs[i].data()),
                           .output = reinterpret_cast<std::byte*>(outputs[i].data()),
                           .count = count};
    if (by_two_shot)
      two_shot_all_reduce<T>(block, call, op, identity{});
    else
      one_shot_all_reduce<T>(block, call, op, identity{});
  });
  for (std::size_t r = 1; r < outputs.size(); ++r)
    EXPECT_EQ(std::memcmp(outputs[0].data(), outputs[r].data(), count * sizeof(T)), 0);
  return outputs[0];
}

TEST(user_types, of_a_size_that_fits_no_vector) {
  std::vector<std::vector<triple>> inputs(3, std::vector<triple>(101));
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t i = 0; i < 101; ++i) inputs[r][i] = {float(i), float(r), float(i * r)};
  for (const bool by_two_shot : {false, true}) {
    const auto sum = all_reduced(inputs, add_triples{}, by_two_shot);
    for (std::size_t i = 0; i < 101; ++i) {
      EXPECT_EQ(sum[i].x, 3 * float(i));
      EXPECT_EQ(sum[i].y, 3);
      EXPECT_EQ(sum[i].z, 3 * float(i));
    }
  }
}

TEST(user_types, accumulate_in_what_their_traits_say) {
  const std::vector<std::vector<score>> inputs{{{900}, {1}}, {{900}, {2}}, {{-900}, {3}}};
  for (const bool by_two_shot : {false, true}) {
    const auto sum = all_reduced(inputs, add{}, by_two_shot);
    EXPECT_EQ(sum[0].value, 900);  // 1800 on the way, which a score could not hold
    EXPECT_EQ(sum[1].value, 6);
  }
}

TEST(user_operators, meet_their_operands_in_rank_order) {
  std::vector<std::vector<std::int32_t>> inputs;
  for (int r = 0; r < 5; ++r) inputs.emplace_back(77, 10 + r);
  for (const bool by_two_shot : {false, true})
    EXPECT_EQ(all_reduced(inputs, keep_left{}, by_two_shot), std::vector<std::int32_t>(77, 10));
}

}  // namespace
}  // namespace device_testing
