// A kernel that breaks both rules of sass.py: 4-byte accesses, and more live values than registers.
namespace planted {

__global__ void __launch_bounds__(1024, 2) narrow_and_spilling(const float* in, float* out, int n, int stride) {
  constexpr int held = 96;  // two blocks of 1024 threads leave 32 registers each
  float value[held];
#pragma unroll
  for (int i = 0; i < held; ++i) value[i] = in[threadIdx.x + i * stride];
  for (int round = 0; round < n; ++round) {
#pragma unroll
    for (int i = 0; i < held; ++i) value[i] = value[i] * value[(i + 1) % held] + in[round * stride + i];
  }
#pragma unroll
  for (int i = 0; i < held; ++i) out[threadIdx.x + i * stride] = value[i];
}

}  // namespace planted
