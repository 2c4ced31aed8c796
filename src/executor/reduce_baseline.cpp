// Kernels for what the compiler's target has: SSE2 on x86-64, NEON on AArch64, anything else by the compiler's
// lowering.
#include <cstdint>

#include "reduce_kernels.hpp"

#define HAWSER_VECTOR_BYTES 16
#include "reduce_kernels.inc"

const hawser::executor::kernel_table& hawser::executor::baseline_kernels() noexcept {
  return table;
}
