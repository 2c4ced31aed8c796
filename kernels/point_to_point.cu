// The kernel that moves the messages of an exchange between pairs of ranks.
#include <hawser/cuda/device/point_to_point.hpp>

#include "kernels.cuh"
#include "table.hpp"

namespace hawser::cuda::kernels {

__global__ void __launch_bounds__(most_threads) message_kernel(const __grid_constant__ message_call call) {
  move_messages(gpu_block(gridDim.x), call);
}

const void* find_message_kernel() noexcept {
  return reinterpret_cast<const void*>(&message_kernel);
}

}  // namespace hawser::cuda::kernels
