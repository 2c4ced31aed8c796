// The table of kernels that each instruction set fills; reduce_kernels.inc is compiled once per set.
#pragma once

#include <cstddef>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/core/reducer.hpp>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAWSER_X86_KERNELS 1
#endif

namespace hawser::executor {

using convert_function = void (*)(void* out, const void* in, std::size_t count);
using scale_function = void (*)(void* out, const void* in, std::size_t count, double factor);

/// Indexed by data type; null where illegal, and where one loop serves all instruction sets (see reduce.cpp).
struct kernel_table {
  reduce_function reduce[builtin_data_types][builtin_reduce_kinds] = {};
  convert_function to_float32[builtin_data_types] = {};
  convert_function from_float32[builtin_data_types] = {};
  scale_function multiply[builtin_data_types] = {};
  scale_function divide[builtin_data_types] = {};
};

const kernel_table& baseline_kernels() noexcept;
#ifdef HAWSER_X86_KERNELS
const kernel_table& avx2_kernels() noexcept;
const kernel_table& avx512_kernels() noexcept;
#endif

}  // namespace hawser::executor
