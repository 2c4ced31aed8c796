// One collective on the interpreter: generates all ranks' schedules, fills the inputs, runs, and checks the outputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/algorithm/generate.hpp>
#include <support/interpret.hpp>

namespace hawser::test {

/// An element: as a number under sum, as the affine map x -> scale * x + offset under composition (associative, not
/// commutative), and as a set under union.
struct element {
  std::uint64_t scale = 0, offset = 0;
  friend bool operator==(const element&, const element&) = default;
};
enum class operation { sum, compose, unite };

inline element apply(operation op, const element& a, const element& b) {
  switch (op) {
    case operation::sum: return {a.scale + b.scale, a.offset + b.offset};
    case operation::compose: return {a.scale * b.scale, a.scale * b.offset + a.offset};
    case operation::unite: return {a.scale | b.scale, a.offset | b.offset};
  }
  return {};
}

struct collective_run {
  schedule::request what;
  operation op = operation::sum;
  const topology::hierarchy& tree;
  std::string algorithm;

  std::size_t size() const { return static_cast<std::size_t>(tree.size()); }

  /// What rank `r` holds in element i of block `block` of its input.
  element contribution(std::size_t r, std::size_t block, std::size_t i) const {
    if (op == operation::unite) return {std::uint64_t{1} << r, 0};
    std::uint64_t x = ((r * 1000 + block) * 100000 + i + 1) * 0x9e3779b97f4a7c15u;
    x ^= x >> 29;
    return {x | 1, x * 0xbf58476d1ce4e5b9u};
  }
  element total(std::size_t block, std::size_t i) const {
    element sum = contribution(0, block, i);
    for (std::size_t r = 1; r < size(); ++r) sum = apply(op, sum, contribution(r, block, i));
    return sum;
  }

  bool is_in_place_at(std::size_t r) const {
    const bool only_root = has_root(what.what) && what.what != schedule::collective::broadcast;
    return what.in_place && (!only_root || r == root());
  }
  std::size_t root() const { return static_cast<std::size_t>(what.root.value); }
  bool has_input(std::size_t r) const {
    const bool only_root = what.what == schedule::collective::broadcast || what.what == schedule::collective::scatter;
    return !only_root || r == root();
  }
  bool has_output(std::size_t r) const {
    const bool only_root = what.what == schedule::collective::reduce || what.what == schedule::collective::gather;
    return !only_root || r == root();
  }

  /// The element that belongs in element i of block `block` of rank r's output.
  element expected(std::size_t r, std::size_t block, std::size_t i) const {
    using schedule::collective;
    switch (what.what) {
      case collective::all_reduce:
      case collective::reduce:
      case collective::barrier: return total(0, i);
      case collective::reduce_scatter: return total(r, i);
      case collective::all_gather:
      case collective::gather: return contribution(block, 0, i);
      case collective::all_to_all:
      case collective::all_to_all_v: return contribution(block, r, i);
      case collective::broadcast: return contribution(root(), 0, i);
      case collective::scatter: return contribution(root(), r, i);
    }
    return {};
  }

  /// Runs it and checks every output; returns the interpreter for more questions.
  interpreter<element> check(std::uint64_t seed) const {
    const auto n = static_cast<std::int64_t>(size());
    const std::int64_t inputs = input_blocks(what.what, n), outputs = output_blocks(what.what, n);
    const auto count = static_cast<std::size_t>(what.count);
    std::vector<schedule::schedule> ranks;
    for (std::int64_t r = 0; r < n + topology::reducing_switches(tree).count(); ++r)
      ranks.push_back(algorithm::generate(tree, what, algorithm, static_cast<std::int32_t>(r)));
    interpreter<element> machine(std::move(ranks), what.count, {7, 7},
                                 [this](const element& a, const element& b) { return apply(op, a, b); });
    // In place, the smaller buffer is this rank's own block of the larger one, which holds both.
    const bool larger_input = inputs > outputs;
    const auto place = [&](std::size_t r, schedule::buffer role) -> std::pair<schedule::buffer, std::size_t> {
      if (!is_in_place_at(r)) return {role, 0};
      const schedule::buffer both = larger_input ? schedule::buffer::input : schedule::buffer::output;
      return {both, role == both || inputs == outputs ? 0 : r * count};
    };
    for (std::size_t r = 0; r < size(); ++r) {
      if (!has_input(r)) continue;
      const auto [where, first] = place(r, schedule::buffer::input);
      for (std::size_t k = 0; k < static_cast<std::size_t>(inputs) * count; ++k)
        machine.memory(r, where)[first + k] = contribution(r, k / count, k % count);
    }
    machine.run(seed);
    for (std::size_t r = 0; r < size(); ++r) {
      if (!has_output(r)) continue;
      const auto [where, first] = place(r, schedule::buffer::output);
      for (std::size_t k = 0; k < static_cast<std::size_t>(outputs) * count; ++k)
        if (machine.memory(r, where)[first + k] != expected(r, k / count, k % count)) {
          ADD_FAILURE() << describe() << ": rank " << r << " is wrong from element " << k << " on";
          return machine;
        }
    }
    return machine;
  }

  std::string describe() const {
    return std::string(to_string(what.what)) + " " + algorithm + " on " + std::to_string(size()) + " ranks, count " +
           std::to_string(what.count) + ", root " + to_string(what.root) + (what.in_place ? ", in place" : "");
  }
};

}  // namespace hawser::test
