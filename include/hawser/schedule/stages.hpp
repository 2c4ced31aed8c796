// A program cut into stages for executors that enqueue their work ahead: exchanges of messages, and what is done with
// them before the next one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <hawser/schedule/program.hpp>

namespace hawser::schedule {

/// Messages that are under way together, then local work. Both are indices of steps, in program order, the messages by
/// channel first: all messages between two ranks then match in order, whatever their channels. A recv_reduce is among
/// the messages, and once more in the work, for its reduction.
struct stage {
  std::vector<std::uint32_t> messages;
  std::vector<std::uint32_t> work;

  friend bool operator==(const stage&, const stage&) = default;
};

namespace detail {

inline bool is_message(const step& each) noexcept {
  return each.sends() || each.receives();
}

/// Per step: one more than the last message that must be through before it; 0: none.
inline std::vector<std::uint32_t> messages_before(const program& code) {
  const std::vector<step>& steps = code.source.steps;
  std::vector<std::uint32_t> before(steps.size(), 0);
  for (std::uint32_t i = 0; i < steps.size(); ++i)
    for (const std::uint32_t after : code.dependents_of(i))
      before[after] = std::max(before[after], is_message(steps[i]) ? i + 1 : before[i]);
  return before;
}

}  // namespace detail

/// The stages of one rank's program, one after the other. A stage ends with the last message that a later one needs;
/// the messages between the two belong to the next stage, since they are of the same round as those that follow. Local
/// work is done as soon as its operands are there; what needs no message comes first of all. Which messages meet on
/// other ranks is not looked at: `verify_stages` proves that the stages of all ranks go together. O(n log n) for n
/// steps and dependences.
inline std::vector<stage> stages_of(const program& code) {
  const std::vector<step>& steps = code.source.steps;
  const std::vector<std::uint32_t> before = detail::messages_before(code);
  std::vector<std::uint32_t> ends{0};  // per stage: one more than its last message; the first has none
  for (std::uint32_t i = 0; i < steps.size(); ++i)
    if (detail::is_message(steps[i]) && before[i] > ends.back()) ends.push_back(before[i]);
  std::vector<stage> stages(ends.size() + 1);
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    const bool is_message = detail::is_message(steps[i]);
    const std::uint32_t end = is_message ? i + 1 : before[i];
    stage& mine = stages[static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), end) - ends.begin())];
    if (is_message) mine.messages.push_back(i);
    if (!is_message || steps[i].kind == step_kind::recv_reduce) mine.work.push_back(i);
  }
  std::erase_if(stages, [](const stage& each) { return each.messages.empty() && each.work.empty(); });
  for (stage& each : stages)
    std::stable_sort(each.messages.begin(), each.messages.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return steps[a].channel < steps[b].channel; });
  return stages;
}

}  // namespace hawser::schedule
