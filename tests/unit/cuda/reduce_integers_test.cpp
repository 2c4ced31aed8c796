// The device core's local reduction of integers, on host threads: exact.
#include "unit/cuda/reduce_cases.hpp"

namespace device_testing {

using integers = ::testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                                  std::int64_t, std::uint64_t>;
INSTANTIATE_TYPED_TEST_SUITE_P(of, local_reduction, integers);

template <class T>
class bits_and_truth : public ::testing::Test {};
TYPED_TEST_SUITE(bits_and_truth, integers);

TYPED_TEST(bits_and_truth, every_operator) {
  check_all_inputs<TypeParam, reduce_kind::bit_and>();
  check_all_inputs<TypeParam, reduce_kind::bit_or>();
  check_all_inputs<TypeParam, reduce_kind::bit_xor>();
  check_all_inputs<TypeParam, reduce_kind::logical_and>();
  check_all_inputs<TypeParam, reduce_kind::logical_or>();
  check_all_inputs<TypeParam, reduce_kind::logical_xor>();
}

}  // namespace device_testing
