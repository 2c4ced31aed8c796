// The device core's local reduction of floats, on host threads: min and max exact, sums and products within their
// bound.
#include "unit/cuda/reduce_cases.hpp"

namespace device_testing {

using floats =
    ::testing::Types<hawser::float16, hawser::bfloat16, float, double, hawser::float8_e4m3, hawser::float8_e5m2>;
INSTANTIATE_TYPED_TEST_SUITE_P(of, local_reduction, floats);

TEST(bound, sees_an_input_that_was_left_out) {
  std::mt19937_64 random(1);
  int seen = 0;
  for (int i = 0; i < 100; ++i) {
    const auto values = elements_for<float>(reduce_kind::sum, random, 9);
    float short_by_one = 0;
    for (std::size_t j = 1; j < values.size(); ++j) short_by_one += values[j];
    seen += is_reduction(reduce_kind::sum, values, short_by_one) ? 0 : 1;
  }
  EXPECT_EQ(seen, 100);
}

}  // namespace device_testing
