// What a rank of a group holds, and how it launches kernels.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include <hawser/cuda/device/call.hpp>
#include <hawser/cuda/device_info.hpp>
#include <hawser/cuda/group.hpp>
#include <hawser/cuda/symmetric_memory.hpp>

#include "cuda/kernel_choice.hpp"

namespace hawser::cuda {

struct group_state {
  group_state(bootstrap::bootstrap& the_job, std::string_view the_name, const group_options& the_options);
  ~group_state();

  /// All ranks launch alike: one mode, one policy, and the fewest CTAs that any rank's budget and SMs allow (one per
  /// SM, so that all are resident together, since each waits for its peers).
  void agree_on_launches();
  /// What the choice of kernels depends on.
  choice_facts facts() const { return {policy, mode, windows.multicast() != nullptr}; }
  /// CTAs of a launch for so many bytes per rank: no more than they can fill.
  unsigned ctas_for(std::uint64_t bytes) const;
  /// Launches with the call as its argument (kernels on multicast memory take its address too); in phases where the
  /// host keeps them apart, of which there are `phases`.
  template <class Call>
  void run(const void* kernel, Call& call, std::uint64_t bytes, int phases, cudaStream_t stream) {
    call.view = view;
    if (mode == synchronisation::device_flags) return launch(kernel, &call, bytes, stream);
    ++sequence;
    for (int phase = 0; phase < phases; ++phase) {
      call.phases = {phase, sequence};
      launch(kernel, &call, bytes, stream);
      finish_phase(stream);
    }
  }
  void launch(const void* kernel, void* call, std::uint64_t bytes, cudaStream_t stream);
  /// Waits for the stream and for the other ranks to have done so.
  void finish_phase(cudaStream_t stream);

  bootstrap::bootstrap& job;
  std::string name;
  group_options options;
  device_info device;
  launch_policy policy;
  device::window_layout layout;
  symmetric_memory windows;
  synchronisation mode;
  device::rank_view view;
  cudaStream_t abort_stream = nullptr;
  std::int32_t ctas = 1;       ///< at most, per launch
  std::uint32_t sequence = 0;  ///< of calls that the host phases
  std::uint64_t meetings = 0;
};

}  // namespace hawser::cuda
