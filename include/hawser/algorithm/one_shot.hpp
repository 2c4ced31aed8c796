// One-shot all-reduce: everybody sends everything to everybody; the shortest latency inside a rack, for small messages.
// As in NVIDIA TensorRT-LLM's and vLLM's custom all-reduce.
#pragma once

#include <hawser/algorithm/ordered_fold.hpp>

namespace hawser::algorithm {

/// One round of n - 1 messages of all the data, summed in the order of the members. Scratch: n - 1 vectors.
inline void one_shot_all_reduce(const all_reduce_phase& phase, builder& out) {
  const group& members = phase.members;
  const int n = members.size, me = members.self;
  const region_list own = at(phase.input, phase.whole);
  const contribution_slots slots(own, members, out);
  for (int i = 1; i < n; ++i) out.send(members.at((me + i) % n), own);
  for (int i = 1; i < n; ++i) {
    const int peer = (me + n - i) % n;
    out.recv(members.at(peer), slots.of(peer));
  }
  slots.fold(at(buffer::output, phase.whole), out);
}

}  // namespace hawser::algorithm
