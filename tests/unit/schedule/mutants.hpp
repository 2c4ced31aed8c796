// Wrong schedules made from right ones, and an oracle that says by running them on data whether they are wrong at all.
#pragma once

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/schedule/program.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/schedule/verify_bounds.hpp>

#include "support/interpret.hpp"

namespace hawser::tests {

using schedule::collective;
using schedule::request;
using schedules = std::vector<schedule::schedule>;

enum class mutation { drop, duplicate, redirect, swap };
inline constexpr mutation all_mutations[] = {mutation::drop, mutation::duplicate, mutation::redirect, mutation::swap};

constexpr const char* to_string(mutation how) {
  switch (how) {
    case mutation::drop: return "drop";
    case mutation::duplicate: return "duplicate";
    case mutation::redirect: return "redirect";
    case mutation::swap: return "swap";
  }
  return "?";
}

/// Calls f(mutant, text) with every schedule that one mutation of one step makes of a right one.
template <class F>
void each_mutant(const schedule::schedule& right, mutation how, int ranks, F&& f) {
  const schedule::program dependences = schedule::derive_dependences(right);
  for (std::size_t i = 0; i < right.steps.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    const std::string text = std::string(to_string(how)) + " of " + describe_step(right, i);
    schedule::schedule mutant = right;
    switch (how) {
      case mutation::drop:
        mutant.steps.erase(mutant.steps.begin() + at);
        f(mutant, text);
        break;
      case mutation::duplicate:
        mutant.steps.insert(mutant.steps.begin() + at, right.steps[i]);
        f(mutant, text);
        break;
      case mutation::redirect:
        for (int peer = 0; peer < ranks && right.steps[i].peer.value >= 0; ++peer) {
          if (peer == right.steps[i].peer.value) continue;
          mutant.steps[i].peer = peer;
          f(mutant, text + " to " + std::to_string(peer));
        }
        break;
      case mutation::swap:
        for (std::uint32_t after : dependences.dependents_of(i)) {
          mutant = right;
          std::swap(mutant.steps[i], mutant.steps[after]);
          f(mutant, text + " with " + describe_step(right, after));
        }
        break;
    }
  }
}

/// Runs schedules on sequences of contributions, in several random orders and for several counts, and compares with
/// what the collective is defined to give.
class oracle {
 public:
  oracle(const request& what, int ranks) : what_(what), ranks_(ranks) {}

  bool is_right(const schedules& all) const {
    for (std::int64_t count : {1, 5, 12})
      for (std::uint64_t seed = 1; seed <= 4; ++seed)
        if (!is_right(all, count, seed)) return false;
    return true;
  }

 private:
  /// The contribution of a rank's element, as three characters; a reduction puts sequences one behind the other.
  static std::string contribution(int rank, std::int64_t block, std::int64_t element) {
    return {static_cast<char>('a' + rank), static_cast<char>('a' + block), static_cast<char>('a' + element)};
  }
  static std::string concatenate(const std::string& left, const std::string& right) {
    if (left.size() + right.size() > 1200) throw std::runtime_error("a sum grows without bound");
    return left + right;
  }

  bool is_right(const schedules& all, std::int64_t count, std::uint64_t seed) const {
    try {
      test::interpreter<std::string> run(all, count, "?", concatenate);
      for (int r = 0; r < ranks_; ++r) {
        if ((what_.what == collective::broadcast || what_.what == collective::scatter) && what_.root != r) continue;
        const schedule::detail::memory_map map(what_, r, ranks_);
        auto& memory = run.memory(static_cast<std::size_t>(r), map.input);
        for (std::int64_t b = 0; b < schedule::input_blocks(what_.what, ranks_); ++b)
          for (std::int64_t e = 0; e < count; ++e)
            memory[static_cast<std::size_t>((map.first_input + b) * count + e)] = contribution(r, b, e);
      }
      run.run(seed);
      return has_results(run, count);
    } catch (const std::runtime_error&) {
      return false;  // stuck or malformed
    }
  }

  bool has_results(test::interpreter<std::string>& run, std::int64_t count) const {
    for (int r = 0; r < ranks_; ++r) {
      const bool only_root = what_.what == collective::reduce || what_.what == collective::gather;
      if (only_root && what_.root != r) continue;
      const schedule::detail::memory_map map(what_, r, ranks_);
      const auto& memory = run.memory(static_cast<std::size_t>(r), map.output);
      for (std::int64_t b = 0; b < schedule::output_blocks(what_.what, ranks_); ++b)
        for (std::int64_t e = 0; e < count; ++e)
          if (!is_expected(memory[static_cast<std::size_t>((map.first_output + b) * count + e)], r, static_cast<int>(b),
                           e))
            return false;
    }
    return true;
  }

  bool is_expected(const std::string& value, int rank, int block, std::int64_t element) const {
    switch (what_.what) {
      case collective::all_reduce:
      case collective::reduce:
      case collective::barrier: return is_sum(value, 0, element);
      case collective::reduce_scatter: return is_sum(value, rank, element);
      case collective::all_gather:
      case collective::gather: return value == contribution(block, 0, element);
      case collective::all_to_all:
      case collective::all_to_all_v: return value == contribution(block, rank, element);
      case collective::broadcast: return value == contribution(what_.root.value, 0, element);
      case collective::scatter: return value == contribution(what_.root.value, rank, element);
    }
    return false;
  }

  bool is_sum(const std::string& value, std::int64_t block, std::int64_t element) const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < value.size(); i += 3) parts.push_back(value.substr(i, 3));
    if (what_.is_commutative) std::sort(parts.begin(), parts.end());
    if (what_.what == collective::barrier) parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    std::vector<std::string> wanted;
    for (int r = 0; r < ranks_; ++r) wanted.push_back(contribution(r, block, element));
    return parts == wanted;
  }

  request what_;
  int ranks_;
};

}  // namespace hawser::tests
