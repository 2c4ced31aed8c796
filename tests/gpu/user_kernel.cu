// A kernel of a user: their own functor after the sum, on the library's bodies. Compiled, and run where there is a GPU.
#include "kernels.cuh"

namespace gpu_testing {

/// Adds a residual that lies on the device.
struct add_residual {
  const hawser::bfloat16* residual;
  __device__ float operator()(float value, std::size_t i) const {
    return value + hawser::cuda::device::element<hawser::bfloat16>::widen(residual[i]);
  }
};

__global__ void __launch_bounds__(512)
    all_reduce_and_residual(const __grid_constant__ hawser::cuda::device::reduce_call call,
                            const hawser::bfloat16* residual) {
  namespace device = hawser::cuda::device;
  device::two_shot_all_reduce<hawser::bfloat16>(device::gpu_block(gridDim.x), call, device::add{},
                                                add_residual{residual});
}

}  // namespace gpu_testing
