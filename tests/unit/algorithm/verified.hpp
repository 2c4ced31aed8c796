// Runs the verifier over one algorithm on one hierarchy, for every variant of the call.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/schedule/verify.hpp>

namespace hawser::tests {

using schedule::collective;
using schedule::request;

inline std::string describe(const request& what, const std::string& algorithm, const std::string& machine) {
  std::string text = std::string(to_string(what.what)) + " by " + algorithm + " on " + machine;
  if (has_root(what.what)) text += ", root " + to_string(what.root);
  if (what.in_place) text += ", in place";
  if (what.has_ragged_blocks) text += ", ragged blocks";
  if (!what.is_commutative) text += ", in order";
  return text;
}

/// Verifies one call; what is found is a failure with its first sentence.
inline void expect_verified(const topology::hierarchy& tree, const request& what, const std::string& algorithm,
                            const std::string& machine) {
  const bool in_order = !what.is_commutative;
  const auto found = schedule::verify(
      what, tree.size(),
      [&](rank r) { return schedule::derive_dependences(algorithm::generate(tree, what, algorithm, r)); },
      {.check_order = in_order, .switches = topology::reducing_switches(tree).count(), .max_violations = 2});
  if (!found.empty()) ADD_FAILURE() << describe(what, algorithm, machine) << ": " << to_string(found.front());
}

/// The roots to try: all of them up to a size, above it the ends and some between.
inline std::vector<rank> roots(collective what, std::int64_t n, std::int64_t all_up_to) {
  if (!has_root(what)) return {0};
  std::vector<rank> list;
  const std::int64_t stride = n <= all_up_to ? 1 : (n + 2) / 3;
  for (std::int64_t r = 0; r < n; r += stride) list.emplace_back(static_cast<std::int32_t>(r));
  if (list.back() != rank(static_cast<std::int32_t>(n - 1))) list.emplace_back(static_cast<std::int32_t>(n - 1));
  return list;
}

constexpr bool has_v_form(collective what) {
  return what == collective::reduce_scatter || what == collective::all_gather || what == collective::scatter ||
         what == collective::gather || what == collective::all_to_all_v;
}

/// Calls f with every variant of a call that an algorithm serves: roots, in place or not, ragged blocks or not, and in
/// order where the algorithm keeps it. Returns how many there were.
template <class F>
int each_variant(const topology::hierarchy& tree, collective what, const std::string& name,
                 std::int64_t all_roots_up_to, F&& f) {
  int variants = 0;
  for (rank root : roots(what, tree.size(), all_roots_up_to))
    for (bool in_place : {false, true})
      for (bool ragged : {false, true}) {
        // Above 32 ranks every second root is tried in place, the others out of place.
        if (has_root(what) && tree.size() > 32 && in_place != (root.value % 2 != 0)) continue;
        if (what == collective::all_to_all_v ? !ragged : ragged && !has_v_form(what)) continue;
        request call;
        call.what = what;
        call.root = root;
        call.in_place = in_place;
        call.has_ragged_blocks = ragged;
        const bool in_order = reduces(what) && algorithm::keeps_order(tree, what, name);
        // In rank order the schedule is the same whether the operator commutes or not: the stricter check covers both.
        if (in_order) {
          call.is_commutative = false;
          f(call);
          ++variants;
        }
        if (in_order && tree.is_in_rank_order()) continue;
        call.is_commutative = true;
        f(call);
        ++variants;
      }
  return variants;
}

}  // namespace hawser::tests
