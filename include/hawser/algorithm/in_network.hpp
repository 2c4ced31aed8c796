// In-network reduction and multicast: every member sends its data once to the switch that joins them and receives what
// the switch makes of it: half the bytes that members need among themselves. As SHARP (Graham et al., COMHPC 2016) and
// the multicast memory of NVLink switches. The switch is a participant with a schedule of its own.
#pragma once

#include <vector>

#include <hawser/algorithm/ordered_fold.hpp>

namespace hawser::algorithm {

namespace detail {

/// The same blocks in the switch's memory, which has a copy of the caller's vector for each member (see `generate`).
inline region_list mirrored(region_list list, int member, const group& members, const builder& out) {
  const fraction shift(member * (out.scratch_blocks() / members.size));
  for (region& each : list)
    each = {buffer::scratch, each.count, each.stride, {each.first.begin + shift, each.first.end + shift}};
  return list;
}

/// Throws errc::unsupported where no switch joins the members, or it cannot reduce.
inline rank switch_of(const group& members) {
  if (members.network_switch.value < 0)
    fail(errc::unsupported, "in_network does not fit this level", "no switch that can reduce joins its units",
         "say so in the topology, as in \"rack:4+reduces gpu:8\", or use another algorithm");
  return members.network_switch;
}

/// The switch's part of a reduction: the sum of what all members send, in their order, where the first one's lay.
inline void sum_in_switch(const group& members, const region_list& whole, builder& out) {
  std::vector<summand> contributions;
  for (int i = 0; i < members.size; ++i) {
    contributions.push_back({mirrored(whole, i, members, out), true});
    out.recv(members.at(i), contributions.back().place);
  }
  sum_canonically(contributions, contributions.front().place, out);
}

}  // namespace detail

/// Two rounds; every member sends its vector and receives the sum.
inline void in_network_all_reduce(const all_reduce_phase& phase, builder& out) {
  const auto& [members, whole, input] = phase;
  const rank network_switch = detail::switch_of(members);
  if (!members.is_switch()) {
    out.send(network_switch, at(input, whole));
    return out.recv(network_switch, at(buffer::output, whole));
  }
  detail::sum_in_switch(members, at(input, whole), out);
  const region_list sum = detail::mirrored(at(input, whole), 0, members, out);
  for (int i = 0; i < members.size; ++i) out.send(members.at(i), sum);
}

/// Two rounds; every member sends all pieces and receives the sum of its own.
inline void in_network_reduce_scatter(const reduce_scatter_phase& phase, builder& out) {
  const auto& [members, input, accumulator] = phase;
  const rank network_switch = detail::switch_of(members);
  if (!members.is_switch()) {
    out.send(network_switch, input(0, members.size));
    return out.recv(network_switch, accumulator(members.self, members.self + 1));
  }
  detail::sum_in_switch(members, input(0, members.size), out);
  for (int i = 0; i < members.size; ++i) out.send(members.at(i), detail::mirrored(input(i, i + 1), 0, members, out));
}

/// Two rounds; every member sends its piece once, and the switch sends all of them to everybody.
inline void in_network_all_gather(const all_gather_phase& phase, builder& out) {
  const auto& [members, own, output] = phase;
  const rank network_switch = detail::switch_of(members);
  if (!members.is_switch()) {
    out.send(network_switch, own);
    return out.recv(network_switch, output(0, members.size));
  }
  for (int i = 0; i < members.size; ++i) out.recv(members.at(i), detail::mirrored(output(i, i + 1), 0, members, out));
  const region_list all = detail::mirrored(output(0, members.size), 0, members, out);
  for (int i = 0; i < members.size; ++i) out.send(members.at(i), all);
}

/// Two rounds; the root sends once, the switch copies.
inline void in_network_broadcast(const rooted_phase& phase, builder& out) {
  const auto& [members, root, whole, input] = phase;
  const rank network_switch = detail::switch_of(members);
  const region_list result = at(buffer::output, whole), own = at(input, whole);
  if (members.is_switch()) {
    const region_list copy = detail::mirrored(own, 0, members, out);
    out.recv(members.at(root), copy);
    for (int i = 1; i < members.size; ++i) out.send(members.at((root + i) % members.size), copy);
  } else if (members.self == root) {
    out.send(network_switch, own);
    out.copy(result, own);
  } else {
    out.recv(network_switch, result);
  }
}

/// Two rounds; every member sends once, the root's uplink carries one vector each way.
inline void in_network_reduce(const rooted_phase& phase, builder& out) {
  const auto& [members, root, whole, input] = phase;
  const rank network_switch = detail::switch_of(members);
  if (members.is_switch()) {
    detail::sum_in_switch(members, at(input, whole), out);
    return out.send(members.at(root), detail::mirrored(at(input, whole), 0, members, out));
  }
  out.send(network_switch, at(input, whole));
  if (members.self == root) out.recv(network_switch, at(buffer::output, whole));
}

}  // namespace hawser::algorithm
