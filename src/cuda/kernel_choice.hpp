// Which compiled kernel serves a call of a group, and in how many phases.
#pragma once

#include <cstdint>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/cuda/capability.hpp>
#include <hawser/cuda/policy.hpp>

namespace hawser::cuda {

/// A kernel and the phases it has where the host keeps them apart; null where no kernel can.
struct kernel_choice {
  const void* kernel = nullptr;
  int phases = 2;
};

/// What the choice depends on besides the call; the same on all ranks.
struct choice_facts {
  launch_policy policy;
  synchronisation mode = synchronisation::device_flags;
  bool has_multicast = false;
};

/// By size: low latency (with device flags only), one-shot, and above it multimem where there is a multicast object and
/// the switch reduces this type and operator, else two-shot. `bytes` of a rank's input.
kernel_choice choose_all_reduce(const choice_facts& facts, std::uint64_t bytes, data_type type, reduce_kind kind);
/// Multimem where it can, else push and a local reduction.
kernel_choice choose_reduce_scatter(const choice_facts& facts, data_type type, reduce_kind kind);
/// Multimem where it can, else push.
kernel_choice choose_all_gather(const choice_facts& facts);
kernel_choice choose_broadcast(const choice_facts& facts);

}  // namespace hawser::cuda
