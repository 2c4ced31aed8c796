// The gate before vector kernels: it lets right ones through, and finds a wrong one of every kind.
#include <gtest/gtest.h>

#include <cstring>

#include <hawser/executor/reduce.hpp>
#include <hawser/executor/trusted_kernels.hpp>

#include "../../../src/executor/kernel_gate.hpp"

namespace hawser::executor {
namespace {

constexpr auto float32 = static_cast<std::size_t>(data_type::float32), sum = static_cast<std::size_t>(reduce_kind::sum);

/// The last element of a float32 sum is a bit off: a fault in the tail alone.
void wrong_in_the_tail(const void* context, void* out, const void* left, const void* right, std::size_t count) {
  baseline_kernels().reduce[float32][sum](context, out, left, right, count);
  static_cast<unsigned char*>(out)[(count - 1) * sizeof(float)] ^= 1;
}
void wrong_conversion(void* out, const void*, std::size_t count) {
  std::memset(out, 0, count);
}
void wrong_scaling(void* out, const void* in, std::size_t count, double) {
  std::memcpy(out, in, count);
}

TEST(kernel_gate, lets_every_set_of_this_processor_through) {
  EXPECT_EQ(find_difference(baseline_kernels(), baseline_kernels()), "");
  EXPECT_EQ(refused_kernels(), "");
#ifdef HAWSER_X86_KERNELS
  for (const instruction_set set : instruction_sets()) {
    if (set == instruction_set::avx2) {
      EXPECT_EQ(find_difference(avx2_kernels(), baseline_kernels()), "");
    }
    if (set == instruction_set::avx512) {
      EXPECT_EQ(find_difference(avx512_kernels(), baseline_kernels()), "");
    }
  }
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) {
    EXPECT_GE(instruction_sets().size(), 2u) << "the gate is shut";
  }
#endif
}

TEST(kernel_gate, finds_a_wrong_kernel_and_names_it) {
  kernel_table wrong = baseline_kernels();
  wrong.reduce[float32][sum] = &wrong_in_the_tail;
  EXPECT_EQ(find_difference(wrong, baseline_kernels()), "sum of float32");
  wrong = baseline_kernels();
  wrong.from_float32[static_cast<std::size_t>(data_type::bfloat16)] = &wrong_conversion;
  EXPECT_EQ(find_difference(wrong, baseline_kernels()), "float32 to bfloat16");
  wrong = baseline_kernels();
  wrong.multiply[static_cast<std::size_t>(data_type::float64)] = &wrong_scaling;
  EXPECT_EQ(find_difference(wrong, baseline_kernels()), "multiplication of float64");
}

TEST(kernel_gate, a_kernel_that_is_missing_is_a_difference) {
  kernel_table lacking = baseline_kernels();
  lacking.reduce[float32][sum] = nullptr;
  EXPECT_EQ(find_difference(lacking, baseline_kernels()), "sum of float32");
}

}  // namespace
}  // namespace hawser::executor
