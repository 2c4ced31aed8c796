// Sizes and facts to kernels.
#include "cuda/kernel_choice.hpp"

#include "table.hpp"

namespace hawser::cuda {
namespace {

using kernels::moving, kernels::multicasting, kernels::reducing;

/// Null where there is no multicast object, and for what the switch cannot do.
const void* multicast_kernel(const choice_facts& facts, multicasting what, data_type type, reduce_kind kind) {
  if (!facts.has_multicast || kind == reduce_kind::user) return nullptr;
  return kernels::find_kernel(what, type, kind);
}

const void* reducing_kernel(reducing what, data_type type, reduce_kind kind) {
  return kind == reduce_kind::user ? nullptr : kernels::find_kernel(what, type, kind);
}

kernel_choice choose_moving(const choice_facts& facts, multicasting by_switch, moving by_push) {
  if (facts.has_multicast) return {kernels::find_kernel(by_switch, data_type::uint8, reduce_kind::sum), 2};
  return {kernels::find_kernel(by_push), 2};
}

}  // namespace

kernel_choice choose_all_reduce(const choice_facts& facts, std::uint64_t bytes, data_type type, reduce_kind kind) {
  const std::uint64_t element = size_of(type);
  const all_reduce_algorithm by_size = choose(facts.policy, bytes, element == 0 ? 1 : element);
  if (by_size == all_reduce_algorithm::low_latency && facts.mode == synchronisation::device_flags)
    return {reducing_kernel(reducing::low_latency, type, kind), 2};
  if (by_size != all_reduce_algorithm::two_shot) return {reducing_kernel(reducing::one_shot, type, kind), 2};
  if (const void* const by_switch = multicast_kernel(facts, multicasting::all_reduce, type, kind))
    return {by_switch, 3};
  return {reducing_kernel(reducing::two_shot, type, kind), 3};
}

kernel_choice choose_reduce_scatter(const choice_facts& facts, data_type type, reduce_kind kind) {
  if (const void* const by_switch = multicast_kernel(facts, multicasting::reduce_scatter, type, kind))
    return {by_switch, 2};
  return {reducing_kernel(reducing::reduce_scatter, type, kind), 2};
}

kernel_choice choose_all_gather(const choice_facts& facts) {
  return choose_moving(facts, multicasting::all_gather, moving::all_gather);
}

kernel_choice choose_broadcast(const choice_facts& facts) {
  return choose_moving(facts, multicasting::broadcast, moving::broadcast);
}

}  // namespace hawser::cuda
