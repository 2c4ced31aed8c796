// See job_view.hpp.
#include "job_view.hpp"

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace hawser::diagnosis::detail {

job_view::job_view(const std::vector<dump>& dumps) : dumps_(&dumps), size_(dumps.front().size) {
  // A size that a file tells is not believed further than there are dumps.
  std::int32_t last = 0;
  for (const dump& each : dumps) last = std::max(last, each.rank);
  by_rank_.resize(static_cast<std::size_t>(last) + 1, nullptr);
  for (const dump& each : dumps) by_rank_[static_cast<std::size_t>(each.rank)] = &each;
}

const dump* job_view::of(std::int32_t rank) const {
  return rank >= 0 && static_cast<std::size_t>(rank) < by_rank_.size() ? by_rank_[static_cast<std::size_t>(rank)]
                                                                       : nullptr;
}

std::vector<std::int32_t> job_view::without_dump() const {
  constexpr std::int32_t most_listed = 1 << 20;  // more ranks than any job has
  std::vector<std::int32_t> missing;
  for (std::int32_t r = 0; r < std::min(size_, most_listed); ++r)
    if (of(r) == nullptr) missing.push_back(r);
  return missing;
}

std::vector<std::int32_t> job_view::members(const std::string& communicator) const {
  for (const dump& each : *dumps_)
    for (const dumped_communicator& known : each.communicators)
      if (known.name == communicator && !known.members.empty()) return known.members;
  std::vector<std::int32_t> all(by_rank_.size());
  std::iota(all.begin(), all.end(), 0);
  for (std::int32_t r : without_dump())
    if (static_cast<std::size_t>(r) >= by_rank_.size()) all.push_back(r);
  return all;
}

const dumped_call* job_view::last_call(std::int32_t rank, const std::string& communicator) const {
  const dump* const from = of(rank);
  const dumped_call* last = nullptr;
  if (from == nullptr) return last;
  for (const dumped_call& each : from->calls)
    if (!each.is_message() && each.communicator == communicator && (last == nullptr || each.number > last->number))
      last = &each;
  return last;
}

const dumped_call* job_view::call(std::int32_t rank, const call_name& name) const {
  const dump* const from = of(rank);
  if (from == nullptr) return nullptr;
  for (const dumped_call& each : from->calls)
    if (!each.is_message() && each.number == name.second && each.communicator == name.first) return &each;
  return nullptr;
}

std::vector<const dumped_call*> job_view::open_calls(std::int32_t rank) const {
  std::vector<const dumped_call*> open;
  if (const dump* const from = of(rank))
    for (const dumped_call& each : from->calls)
      if (!each.is_message() && each.is_open()) open.push_back(&each);
  return open;
}

std::vector<const dumped_call*> job_view::open_messages(std::int32_t rank) const {
  std::vector<const dumped_call*> open;
  if (const dump* const from = of(rank))
    for (const dumped_call& each : from->calls)
      if (each.is_message() && each.is_open()) open.push_back(&each);
  return open;
}

std::map<call_name, std::vector<std::int32_t>> job_view::open_by_call() const {
  std::map<call_name, std::vector<std::int32_t>> open;
  for (const dump& each : *dumps_)
    for (const dumped_call* call : open_calls(each.rank)) {
      std::vector<std::int32_t>& ranks = open[{call->communicator, call->number}];
      if (ranks.empty() || ranks.back() != each.rank) ranks.push_back(each.rank);
    }
  return open;
}

std::string job_view::in_words(const call_name& name) const {
  std::string text = "call " + std::to_string(name.second) + " of communicator " + name.first;
  for (const dump& each : *dumps_)
    if (const dumped_call* known = call(each.rank, name)) return text + " (" + known->signature + ")";
  return text;
}

std::string duration_in_words(double seconds) {
  char text[32];
  if (seconds < 1)
    std::snprintf(text, sizeof text, "%.0f ms", std::max(seconds, 0.0) * 1e3);
  else
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

}  // namespace hawser::diagnosis::detail
