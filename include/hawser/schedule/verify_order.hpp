// Runs all ranks' programs under the weakest rules an executor may follow; finds what never completes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/schedule/verify_data.hpp>

namespace hawser::schedule::detail {

/// A step starts when what it waits for has completed and the messages before it on its lane have started; a message
/// completes when both its ends have started. Sends are synchronous: what completes without any buffering completes
/// with any number of credits. Steps that never complete wait in a cycle, or for a message that is unmatched.
class simulated_run {
 public:
  simulated_run(const machine& all, const matching& messages, memory& data, violation_list& found)
      : all_(all), messages_(messages), data_(data), found_(found), pending_(all.size(), 0), state_(all.size(), idle) {}

  void run() {
    count_pending();
    std::vector<step_id>& ready = ready_;
    for (std::size_t s = 0; s < all_.size(); ++s)
      if (pending_[s] == 0) ready.push_back(static_cast<step_id>(s));
    while (!ready.empty()) {
      const step_id next = ready.back();
      ready.pop_back();
      start(next);
    }
    if (completed_ == all_.size())
      data_.check_results();
    else
      report_cycles();
  }

 private:
  enum state : std::uint8_t { idle, started, completed };
  static std::size_t at(step_id s) { return static_cast<std::size_t>(s); }

  template <class F>
  void each_dependent(step_id s, F&& f) const {
    const std::size_t r = all_.rank_of(s);
    for (std::uint32_t after : all_.at(r).whole().dependents_of(all_.index_of(s))) f(all_.id(r, after));
  }

  void count_pending() {
    for (step_id s = 0; s < static_cast<step_id>(all_.size()); ++s) {
      each_dependent(s, [&](step_id after) { ++pending_[at(after)]; });
      if (const step_id after = messages_.next_posted[at(s)]; after != nobody) ++pending_[at(after)];
    }
  }

  void release(step_id s) {
    if (s != nobody && --pending_[at(s)] == 0) ready_.push_back(s);
  }

  void start(step_id s) {
    state_[at(s)] = started;
    release(messages_.next_posted[at(s)]);
    const step& what = all_.at(s);
    if (!what.sends() && !what.receives()) {
      data_.copy_or_reduce(s);
      return complete(s);
    }
    const step_id partner = messages_.partner[at(s)];
    if (partner == nobody || state_[at(partner)] != started) return;
    data_.transfer(what.sends() ? s : partner, what.sends() ? partner : s);
    complete(s);
    complete(partner);
  }

  void complete(step_id s) {
    state_[at(s)] = completed;
    ++completed_;
    each_dependent(s, [this](step_id after) { release(after); });
  }

  /// For every step one that it waits for, or nobody where an unmatched message is the cause.
  std::vector<step_id> blockers() const {
    std::vector<step_id> blocker(all_.size(), nobody);
    for (step_id s = 0; s < static_cast<step_id>(all_.size()); ++s) {
      if (state_[at(s)] == completed) continue;
      each_dependent(s, [&](step_id after) { blocker[at(after)] = s; });
      if (const step_id after = messages_.next_posted[at(s)]; after != nobody && state_[at(s)] == idle)
        blocker[at(after)] = s;
    }
    for (step_id s = 0; s < static_cast<step_id>(all_.size()); ++s)
      if (state_[at(s)] == started) blocker[at(s)] = messages_.partner[at(s)];
    return blocker;
  }

  void report_cycles() {
    const std::vector<step_id> blocker = blockers();
    std::vector<step_id> visited_from(all_.size(), nobody);
    for (step_id begin = 0; begin < static_cast<step_id>(all_.size()); ++begin) {
      step_id s = begin;
      while (s != nobody && state_[at(s)] != completed && visited_from[at(s)] == nobody) {
        visited_from[at(s)] = begin;
        s = blocker[at(s)];
      }
      if (s != nobody && state_[at(s)] != completed && visited_from[at(s)] == begin) report(s, blocker);
    }
  }

  void report(step_id on_cycle, const std::vector<step_id>& blocker) {
    constexpr int shown = 8;
    std::string text = all_.name(on_cycle);
    int length = 1;
    // NOLINTNEXTLINE(bugprone-infinite-loop): s moves on in the loop's head
    for (step_id s = blocker[at(on_cycle)]; s != on_cycle; s = blocker[at(s)])
      if (length++ < shown) text += " waits for " + all_.name(s);
    if (length > shown) text += " waits for " + std::to_string(length - shown) + " more steps, the last of which";
    text += " waits for the first";
    found_.add(violation_kind::deadlock, all_.at(all_.rank_of(on_cycle)).self(), all_.index_of(on_cycle),
               all_.at(on_cycle).peer, std::move(text));
  }

  const machine& all_;
  const matching& messages_;
  memory& data_;
  violation_list& found_;
  std::vector<std::uint32_t> pending_;
  std::vector<state> state_;
  std::vector<step_id> ready_;
  std::size_t completed_ = 0;
};

}  // namespace hawser::schedule::detail
