// A small explicit-state model checker: every interleaving of a model's processes, breadth first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace hawser::models {

/// What a search found. `trace` is the shortest way to the problem, a line per step.
struct verdict {
  std::size_t states = 0;
  std::string problem;  ///< empty: none
  std::vector<std::string> trace;

  bool is_right() const noexcept { return problem.empty(); }
};

inline std::ostream& operator<<(std::ostream& out, const verdict& found) {
  out << found.states << " states";
  if (found.is_right()) return out;
  out << ": " << found.problem;
  for (const std::string& step : found.trace) out << "\n  " << step;
  return out;
}

/// Where a model's step leads: the next state, and the step in words.
template <class State>
struct move {
  State next;
  const char* what;
  int who;
  bool may_never_come = false;  ///< a death, a change of mind: nobody can rely on it to go on
};

/// Explores `Model`, which has
/// - `State`, trivially copyable, without padding (compared by its bytes), value-initialised at the start;
/// - `void moves(const State&, std::vector<move<State>>&)`: every step that any process can make now, one atomic access
///   of shared memory each; a process that blocks has none;
/// - `std::string broken(const State&)`: what must never be, in words, or nothing;
/// - `bool is_end(const State&)`: whether nothing needs to happen any more. A state without moves that is no end is a
///   deadlock, which is what a lost wake-up comes to.
/// Sequential consistency is assumed, as the sources ask for it (memory_order_seq_cst) where that matters. Throws
/// std::length_error beyond `most` states.
template <class Model>
verdict explore(const Model& model, std::size_t most = 20'000'000) {
  using State = typename Model::State;
  static_assert(std::is_trivially_copyable_v<State> && std::has_unique_object_representations_v<State>);
  struct hash {
    std::size_t operator()(const State& state) const noexcept {
      return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&state), sizeof state});
    }
  };
  struct equal {
    bool operator()(const State& a, const State& b) const noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }
  };
  struct origin {
    State from;
    const char* what;
    int who;
  };
  std::unordered_map<State, origin, hash, equal> seen;
  std::deque<State> open{State{}};
  seen.emplace(State{}, origin{State{}, nullptr, 0});
  const auto stopped = [&](const State& at, std::string problem) {
    verdict found{seen.size(), std::move(problem), {}};
    for (State each = at; seen.at(each).what; each = seen.at(each).from)
      found.trace.insert(found.trace.begin(), std::to_string(seen.at(each).who) + ": " + seen.at(each).what);
    return found;
  };
  std::vector<move<State>> next;
  while (!open.empty()) {
    const State at = open.front();
    open.pop_front();
    if (std::string problem = model.broken(at); !problem.empty()) return stopped(at, std::move(problem));
    next.clear();
    model.moves(at, next);
    const bool goes_on = std::any_of(next.begin(), next.end(), [](const auto& each) { return !each.may_never_come; });
    if (!goes_on && !model.is_end(at)) return stopped(at, "deadlock");
    for (const move<State>& each : next)
      if (seen.emplace(each.next, origin{at, each.what, each.who}).second) open.push_back(each.next);
    if (seen.size() > most) throw std::length_error("the model has too many states");
  }
  return {seen.size(), {}, {}};
}

}  // namespace hawser::models
