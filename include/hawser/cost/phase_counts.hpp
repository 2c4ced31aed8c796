// What one member of a flat phase moves, counted once in its schedule and remembered: hierarchical candidates are made
// of the same few phases.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/algorithm/properties.hpp>
#include <hawser/cost/rank_traffic.hpp>

namespace hawser::cost {

/// A flat algorithm on one group, seen by one member.
struct flat_phase {
  schedule::collective what = schedule::collective::all_reduce;
  std::string_view algorithm;
  std::int64_t members = 1;
  std::int64_t self = 0;
  std::int64_t root = 0;
  bool is_in_place = false;         ///< the input lies where partial sums or the result belong
  bool is_own_apart = false;        ///< of a reduce-scatter: the member's own result belongs elsewhere
  std::vector<double> pieces = {};  ///< per member, relative to the largest: its piece; empty where all are equal
  std::vector<std::int64_t> weights = {};  ///< of the members (algorithm::group); empty where all are alike
  friend auto operator<=>(const flat_phase&, const flat_phase&) = default;
};

/// Volumes are in units of the whole interval, or of the largest piece of a reduce-scatter and an all-gather.
struct phase_traffic {
  double out = 0, in = 0;
  double reduced = 0;  ///< or copied
  double sends = 0, receives = 0;
};

namespace detail {

/// Where the pieces of a phase lie when nothing else matters: member i's in block i, as much of it as its size says.
inline algorithm::locator pieces_in(schedule::buffer where, const std::vector<double>& sizes) {
  return [where, &sizes](int first, int last) {
    schedule::region_list list;
    if (sizes.empty()) {
      schedule::append(list, where, {first, last});
      return list;
    }
    constexpr double grid = 1LL << 40;  // sizes are compared, never addressed
    for (int i = first; i < last; ++i) {
      const auto share = static_cast<std::uint64_t>(std::llround(sizes[static_cast<std::size_t>(i)] * grid));
      if (share == 0) continue;
      list.push_back({where, 1, 0, {i, schedule::fraction(i) + schedule::fraction(share, 1ULL << 40)}});
    }
    return list;
  };
}

/// Partial sums lie in scratch, the member's own in the output where it lies apart.
inline algorithm::locator partial_sums(const flat_phase& phase, int self) {
  auto sums = pieces_in(schedule::buffer::scratch, phase.pieces);
  if (!phase.is_own_apart) return sums;
  return [self, sums, own = pieces_in(schedule::buffer::output, phase.pieces)](int first, int last) {
    if (self < first || self >= last) return sums(first, last);
    schedule::region_list list = sums(first, self);
    algorithm::join(list, own(self, self + 1));
    algorithm::join(list, sums(self + 1, last));
    return list;
  };
}

/// Of an all-reduce one block per member, so that its parts are whole numbers, which are quicker to count with.
inline schedule::interval whole_of(const flat_phase& phase) {
  return {0, phase.what == schedule::collective::all_reduce ? phase.members : 1};
}

inline void generate_phase(const flat_phase& phase, schedule::builder& out) {
  using schedule::buffer;
  using schedule::collective;
  const auto self = static_cast<int>(phase.self);
  algorithm::group members{static_cast<int>(phase.members), self, [](int i) { return rank(i); }};
  members.network_switch = static_cast<std::int32_t>(phase.members);
  if (!phase.weights.empty()) members.weight = [&phase](int i) { return phase.weights[static_cast<std::size_t>(i)]; };
  const buffer whole_input = phase.is_in_place ? buffer::output : buffer::input;
  algorithm::detail::with_flat(
      phase.what, phase.algorithm, [&]<class Phase>(const algorithm::flat_algorithm<Phase>& f) {
        if constexpr (std::is_same_v<Phase, algorithm::reduce_scatter_phase>) {
          const buffer from = phase.is_in_place ? buffer::scratch : buffer::input;
          f.generate({members, pieces_in(from, phase.pieces), partial_sums(phase, self)}, out);
        } else if constexpr (std::is_same_v<Phase, algorithm::all_gather_phase>) {
          const auto result = pieces_in(buffer::output, phase.pieces);
          f.generate({members, result(self, self + 1), result}, out);
        } else if constexpr (std::is_same_v<Phase, algorithm::rooted_phase>) {
          f.generate({members, static_cast<int>(phase.root), {0, 1}, whole_input}, out);
        } else if constexpr (std::is_same_v<Phase, algorithm::all_reduce_phase>) {
          f.generate({members, whole_of(phase), whole_input}, out);
        } else {
          fail(errc::internal, std::string(to_string(phase.what)) + " is not a phase of a hierarchical algorithm");
        }
      });
}

inline phase_traffic count_phase(const flat_phase& phase) {
  phase_traffic counted;
  const double unit = 1 / static_cast<double>(whole_of(phase).end.num());
  schedule::builder out({}, rank(static_cast<int>(phase.self)), phase.members);
  out.hand_over_to([&](const schedule::schedule& regions, const schedule::step& each) {
    const double blocks = unit * volume(regions.at(each.sends() ? each.source : each.target));
    if (each.sends()) counted.out += blocks, ++counted.sends;
    if (each.receives()) counted.in += blocks, ++counted.receives;
    if (!each.sends() && each.kind != schedule::step_kind::recv) counted.reduced += blocks;
  });
  generate_phase(phase, out);
  return counted;
}

}  // namespace detail

/// Remembers the counts of phases. Grows with the number of different phases asked for; not thread-safe.
class phase_counts {
 public:
  /// Throws errc::not_found for an unknown algorithm.
  const phase_traffic& of(flat_phase phase) {
    algorithm::detail::with_flat(phase.what, phase.algorithm, [&phase](const auto& f) {
      phase.algorithm = f.name;  // the registry's outlives the caller's
      if (!f.is_symmetric || !phase.pieces.empty()) return;
      phase.self = 0;  // stands for all
      phase.weights.clear();
    });
    const auto known = counted_.find(phase);
    if (known != counted_.end()) return known->second;
    const phase_traffic counted = detail::count_phase(phase);
    return counted_.emplace(std::move(phase), counted).first->second;
  }

  std::size_t size() const noexcept { return counted_.size(); }

 private:
  std::map<flat_phase, phase_traffic> counted_;
};

}  // namespace hawser::cost
