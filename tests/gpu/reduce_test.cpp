// On a GPU: the local reduction of every type, operator and number of inputs, odd sizes, misaligned, outputs poisoned.
#include <cstring>

#include "gpu/device_memory.hpp"
#include "local_call.hpp"
#include "table.hpp"
#include "unit/cuda/numbers.hpp"

namespace gpu_testing {
namespace {

using namespace device_testing;
namespace kernels = hawser::cuda::kernels;

constexpr std::size_t sizes[] = {1, 3, 127, 4097, 70001};
constexpr std::size_t guard = 64;

template <class T>
void check_one(std::mt19937_64& random, reduce_kind kind, int n, std::size_t count, std::size_t offset) {
  const auto type = hawser::data_type_of_v<T>;
  std::vector<std::vector<T>> values;
  std::vector<device_bytes> inputs;
  device_bytes output(count * sizeof(T) + 2 * guard);
  ASSERT_NE(output.data(), nullptr);
  std::memset(output.data(), 0xcd, count * sizeof(T) + 2 * guard);
  kernels::local_call call{.input_count = n, .output = output.data() + guard + offset};
  call.count = count * sizeof(T) / kernels::kernel_element_bytes(type, kind);
  for (int j = 0; j < n; ++j) {
    values.push_back(elements_for<T>(kind, random, count));
    inputs.emplace_back(count * sizeof(T) + offset);
    ASSERT_NE(inputs.back().data(), nullptr);
    std::memcpy(inputs.back().data() + offset, values.back().data(), count * sizeof(T));
    call.inputs[j] = inputs.back().data() + offset;
  }
  void* arguments[] = {&call};
  ASSERT_CUDA(cudaLaunchKernel(kernels::find_kernel(kernels::reducing::local, type, kind), dim3(5), dim3(256),
                               arguments, 0, nullptr));
  ASSERT_CUDA(cudaDeviceSynchronize());
  std::vector<T> column(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < column.size(); ++j) column[j] = values[j][i];
    T actual;
    std::memcpy(static_cast<void*>(&actual), call.output + i * sizeof(T), sizeof(T));
    ASSERT_TRUE(is_reduction(kind, column, actual))
        << to_string(type) << " " << to_string(kind) << " of " << n << ", " << i;
  }
  for (std::size_t i = 0; i < guard; ++i) {
    if (i < guard - offset) {
      ASSERT_EQ(output.data()[guard + offset + count * sizeof(T) + i], std::byte{0xcd});
    }
    ASSERT_EQ(output.data()[i], std::byte{0xcd});
  }
}

template <class T>
class gpu_reduction : public ::testing::Test {};
using types = ::testing::Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
                               std::int64_t, std::uint64_t, hawser::float16, hawser::bfloat16, float, double,
                               hawser::float8_e4m3, hawser::float8_e5m2>;
TYPED_TEST_SUITE(gpu_reduction, types);

TYPED_TEST(gpu_reduction, every_operator_and_number_of_inputs) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (std::size_t k = 0; k < hawser::builtin_reduce_kinds; ++k) {
    const auto kind = static_cast<reduce_kind>(k);
    if (kind == reduce_kind::avg || kind == reduce_kind::premul_sum) continue;  // sums
    if (hawser::legality(hawser::data_type_of_v<TypeParam>, kind)) continue;
    for (int n = 1; n <= kernels::local_call::most_inputs; ++n)
      for (const std::size_t count : sizes)
        for (const std::size_t offset : {std::size_t{0}, sizeof(TypeParam), std::size_t{1}})
          ASSERT_NO_FATAL_FAILURE(check_one<TypeParam>(random, kind, n, count, offset));
  }
}

}  // namespace
}  // namespace gpu_testing
