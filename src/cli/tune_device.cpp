// hawser tune --device.
#include "tune_device.hpp"

#include <cstdio>
#include <string>

#include <hawser/core/error.hpp>
#include <hawser/cuda/policy.hpp>
#ifdef HAWSER_HAS_CUDA
#include <hawser/cuda/measure.hpp>
#endif

#include "verbs.hpp"

namespace hawser::cli {
namespace {

#ifdef HAWSER_HAS_CUDA
void print(const cuda::device_measurement& measured) {
  constexpr double giga = 1e9;
  std::printf("\nmeasured on %s: a copy reads and writes %.1f GB/s\n", measured.gpu.c_str(),
              measured.copy_bytes_per_second / giga);
  std::printf("inputs  threads  ctas/SM  GB/s      of the copy\n");
  for (const auto& each : measured.reductions)
    std::printf("%-7d %-8d %-8d %-9.1f %.3f\n", each.inputs, each.threads, each.ctas_per_sm,
                each.bytes_per_second / giga, each.bytes_per_second / measured.copy_bytes_per_second);
  std::printf("\n%s", cuda::to_text({&measured.policy, 1}).c_str());
}
#endif

}  // namespace

int tune_device([[maybe_unused]] int device) {
  std::printf("%s", cuda::to_text(cuda::built_in_policies).c_str());
#ifdef HAWSER_HAS_CUDA
  try {
    print(cuda::measure_device(device));
    return exit_success;
  } catch (const error& e) {
    if (e.code() != errc::unsupported) throw;
    std::printf("\nnot measured: %s\n", e.what());
  }
#else
  std::printf("\nnot measured: this hawser was built without CUDA (no nvcc was found, or HAWSER_WITH_CUDA=OFF)\n");
#endif
  return exit_found_wrong;
}

}  // namespace hawser::cli
