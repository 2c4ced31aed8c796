// The local n-input reduction over inputs 1..16, odd sizes and misalignments; included by one test per group of types.
#pragma once

#include <hawser/core/reduce_op.hpp>
#include <hawser/cuda/device/reduce.hpp>

#include "unit/cuda/numbers.hpp"

namespace device_testing {

inline constexpr std::size_t reduce_sizes[] = {0, 1, 3, 16, 33, 127, 513, 2049};
inline constexpr std::size_t most_inputs = 16;

/// Offsets of inputs and output from 16-byte alignment: all aligned, all off by an element, output and odd inputs off
/// by one byte, which no access wider than a byte allows.
enum class offsets { aligned, by_element, by_byte };

template <class T>
std::size_t offset_of(offsets how, std::size_t input) {
  if (how == offsets::by_element) return sizeof(T);
  return how == offsets::by_byte ? input % 2 : 0;
}

/// One reduction by `Kind` of n inputs by 2 CTAs of 2 threads in turn, checked element by element.
template <class T, reduce_kind Kind>
void check_local(std::mt19937_64& random, std::size_t n, std::size_t count, offsets how) {
  std::vector<std::unique_ptr<device_buffer<T>>> inputs;
  std::vector<std::byte*> bases;
  for (std::size_t j = 0; j < n; ++j) {
    inputs.push_back(std::make_unique<device_buffer<T>>(elements_for<T>(Kind, random, count), offset_of<T>(how, j)));
    bases.push_back(inputs.back()->data());
  }
  device_buffer<T> output(count, offset_of<T>(how, 1));
  host_block_state alone(1);
  const places sources{bases.data(), static_cast<std::int32_t>(n)};
  constexpr unsigned ctas = 3;
  for (unsigned cta = 0; cta < ctas; ++cta)  // blocks of one thread: no synchronisation in it
    reduce_places<T>(host_block(alone, 0, cta, ctas), sources, place{output.data()}, count, operator_of<Kind>{},
                     identity{});
  ASSERT_TRUE(output.has_intact_guards());
  std::vector<T> values(n);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < n; ++j) values[j] = (*inputs[j])[i];
    ASSERT_TRUE(is_reduction(Kind, values, output[i]))
        << to_string(hawser::data_type_of_v<T>) << " " << to_string(Kind) << ", element " << i << " of " << count
        << ", " << n << " inputs, alignment " << static_cast<int>(how);
  }
}

template <class T, reduce_kind Kind>
void check_all_inputs() {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (std::size_t n = 1; n <= most_inputs; ++n)
    for (const std::size_t count : reduce_sizes)
      for (const offsets how : {offsets::aligned, offsets::by_element, offsets::by_byte})
        ASSERT_NO_FATAL_FAILURE((check_local<T, Kind>(random, n, count, how)));
}

template <class T>
class local_reduction : public ::testing::Test {};
TYPED_TEST_SUITE_P(local_reduction);

TYPED_TEST_P(local_reduction, arithmetic) {
  check_all_inputs<TypeParam, reduce_kind::sum>();
  check_all_inputs<TypeParam, reduce_kind::prod>();
  check_all_inputs<TypeParam, reduce_kind::min>();
  check_all_inputs<TypeParam, reduce_kind::max>();
}

REGISTER_TYPED_TEST_SUITE_P(local_reduction, arithmetic);

}  // namespace device_testing
