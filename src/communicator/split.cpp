// communicator::split: who is in which part, and a number for the parts that is free on all ranks.
#include <algorithm>
#include <thread>

#include <hawser/communicator/communicator.hpp>
#include <hawser/topology/select.hpp>

#include "contexts.hpp"
#include "state.hpp"

namespace hawser {

namespace {

using detail::context_set;
using detail::most_contexts;

/// What every rank tells the others when a communicator is split.
struct split_entry {
  std::int64_t color;
  std::int64_t key;
  std::int64_t has_contexts;  // 0: another split on this rank has the free numbers; all are to try again
  std::uint64_t free_contexts[most_contexts / 64];
};

split_entry entry_of(int color, int key, const std::optional<context_set>& taken) {
  split_entry mine{color, key, taken.has_value(), {}};
  for (std::size_t i = 0; taken && i < most_contexts; ++i)
    if ((*taken)[i]) mine.free_contexts[i / 64] |= std::uint64_t{1} << (i % 64);
  return mine;
}

std::vector<split_entry> exchange(communicator& members, const split_entry& mine) {
  std::vector<split_entry> entries(static_cast<std::size_t>(members.size()));
  constexpr std::size_t words = sizeof(split_entry) / sizeof(std::int64_t);
  members.all_gather(std::span(reinterpret_cast<const std::int64_t*>(&mine), words),
                     std::span(reinterpret_cast<std::int64_t*>(entries.data()), words * entries.size()));
  return entries;
}

/// The lowest number that is free on all ranks; disjoint colors may share it. All ranks see the same entries.
std::uint16_t lowest_common(const std::vector<split_entry>& entries) {
  for (std::size_t i = 0; i < most_contexts; ++i)
    if (std::all_of(entries.begin(), entries.end(),
                    [i](const split_entry& each) { return (each.free_contexts[i / 64] >> (i % 64) & 1) != 0; }))
      return static_cast<std::uint16_t>(i);
  fail(errc::resource, "no more communicators can be made", std::to_string(most_contexts) + " are alive on some rank",
       "destroy those that are not needed");
}

/// Agrees on a number and, where this rank joins a part, reserves it.
std::uint16_t agree_on_context(communicator& members, detail::context_pool& pool, std::uint16_t parent, int color,
                               int key, std::vector<split_entry>& entries) {
  // No rank stands in line, or holds the numbers, before all members are here: one that is still in another split may
  // need them for that.
  members.barrier();
  detail::context_pool::ticket split(pool, parent);
  for (;;) {
    const auto taken = split.try_take();
    entries = exchange(members, entry_of(color, key, taken));
    if (std::all_of(entries.begin(), entries.end(), [](const split_entry& each) { return each.has_contexts != 0; })) {
      const std::uint16_t context = lowest_common(entries);
      if (color >= 0) split.reserve(context);
      return context;
    }
    split.give_back();
    std::this_thread::yield();
  }
}

/// The ranks of a color, ordered by key, then by rank.
std::vector<int> members_of(int color, const std::vector<split_entry>& entries) {
  const auto at = [&](int r) -> const split_entry& { return entries[static_cast<std::size_t>(r)]; };
  std::vector<int> members;
  for (int r = 0; r < static_cast<int>(entries.size()); ++r)
    if (at(r).color == color) members.push_back(r);
  std::stable_sort(members.begin(), members.end(), [&](int a, int b) { return at(a).key < at(b).key; });
  return members;
}

}  // namespace

std::unique_ptr<communicator> communicator::split(int color, int key) {
  detail::job& owner = state_->owner();
  std::vector<split_entry> entries;
  const std::uint16_t context = agree_on_context(*this, owner.contexts(), state_->context(), color, key, entries);
  if (color < 0) return nullptr;
  std::vector<std::int64_t> positions;
  std::vector<hawser::rank> in_job;
  int self = 0;
  for (int member : members_of(color, entries)) {
    if (member == rank().value) self = static_cast<int>(in_job.size());
    positions.push_back(hierarchy().position_of(member));
    in_job.push_back(state_->in_job(member));
  }
  // Members make equal calls, so that the number of the next one tells this split from every other one.
  const std::string name =
      state_->calls().communicator() + "." + std::to_string(state_->calls().size()) + ":" + std::to_string(color);
  return std::make_unique<communicator>(std::make_shared<detail::communicator_state>(
      state_->shared_owner(), topology::select_positions(hierarchy(), positions), std::move(in_job), hawser::rank(self),
      context, name));
}

}  // namespace hawser
