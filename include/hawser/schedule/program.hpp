// A schedule with its dependences, ready to run: what the executor executes and the verifier checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <hawser/schedule/step.hpp>
#include <hawser/schedule/strided_map.hpp>

namespace hawser::schedule {

/// One rank's steps and which of them must have completed before another may start.
struct program {
  schedule source;
  std::vector<std::uint32_t> waits_for;        ///< per step: number of steps that it waits for
  std::vector<std::uint32_t> first_dependent;  ///< per step (and one past the end): index into `dependents`
  std::vector<std::uint32_t> dependents;

  /// The steps that wait for this one, as indices.
  std::span<const std::uint32_t> dependents_of(std::size_t step_index) const {
    return std::span(dependents)
        .subspan(first_dependent[step_index], first_dependent[step_index + 1] - first_dependent[step_index]);
  }
};

namespace detail {

/// Who last wrote and who has since read each part of one buffer. Readers lie apart from writers, so that a read of
/// one block does not cut up a stride that was written as one.
class access_map {
 public:
  /// Calls `depends(step)` for each step that a read of the region must wait for, and notes the reader.
  template <class Depends>
  void read(const region& where, std::uint32_t reader, Depends&& depends) {
    writers_.each(where, depends);
    readers_.update(where, [&](std::vector<std::uint32_t>& each) {
      if (each.empty() || each.back() != reader) each.push_back(reader);
    });
  }

  /// Calls `depends(step)` for each step that a write must wait for, and makes it the last writer.
  template <class Depends>
  void write(const region& where, std::uint32_t writer, Depends&& depends) {
    writers_.each(where, depends);
    bool was_read = false;
    readers_.each(where, [&](const std::vector<std::uint32_t>& each) {
      was_read = true;
      for (std::uint32_t reader : each) depends(reader);
    });
    if (was_read) readers_.erase(where);
    writers_.assign(where, writer);
  }

  std::size_t size() const { return writers_.size() + readers_.size(); }

 private:
  strided_map<std::uint32_t> writers_;
  strided_map<std::vector<std::uint32_t>> readers_;
};

}  // namespace detail

/// What deriving took, whatever the machine.
struct derivation {
  std::size_t entries = 0;  ///< of the access maps at the end: strides that are kept as one count once
  std::size_t visits = 0;   ///< of entries
};

/// Derives the dependences of a schedule from the overlap of what its steps read and write (read after write, write
/// after read, write after write). O((k + e) log k) for k regions and e dependences, where strides keep to one grid; a
/// stride that crosses another counts as its copies. `measured` may be null.
inline program derive_dependences(schedule source, derivation* measured = nullptr) {
  const auto steps = static_cast<std::uint32_t>(source.steps.size());
  detail::access_map maps[3];
  program result;
  result.waits_for.assign(steps, 0);
  result.first_dependent.assign(steps + 1, 0);
  std::vector<std::uint32_t> befores;          // of step 0, of step 1, ...
  std::vector<std::uint32_t> known(steps, 0);  // the last step, plus one, that is known to wait for this one
  std::size_t visits = 0;
  for (std::uint32_t i = 0; i < steps; ++i) {
    const auto depends = [&](std::uint32_t before) {
      ++visits;
      if (before == i || known[before] == i + 1) return;
      known[before] = i + 1;
      befores.push_back(before);
      ++result.waits_for[i];
      ++result.first_dependent[before + 1];
    };
    const step& s = source.steps[i];
    for (operand read : {s.source, s.other})
      for (const region& r : source.at(read)) maps[static_cast<std::size_t>(r.where)].read(r, i, depends);
    for (const region& r : source.at(s.target)) maps[static_cast<std::size_t>(r.where)].write(r, i, depends);
  }
  for (std::uint32_t i = 0; i < steps; ++i) result.first_dependent[i + 1] += result.first_dependent[i];
  result.dependents.resize(befores.size());
  std::vector<std::uint32_t> next(result.first_dependent.begin(), result.first_dependent.end());
  for (std::uint32_t i = 0, at = 0; i < steps; ++i)
    for (const std::uint32_t last = at + result.waits_for[i]; at < last; ++at)
      result.dependents[next[befores[at]]++] = i;
  if (measured != nullptr) *measured = {maps[0].size() + maps[1].size() + maps[2].size(), visits};
  result.source = std::move(source);
  return result;
}

}  // namespace hawser::schedule
