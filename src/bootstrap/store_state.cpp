// Rules of the store: who may join, keys are written once, memory is bounded.
#include "store_state.hpp"

#include <algorithm>

#include <hawser/core/error.hpp>

namespace hawser::bootstrap {
namespace {

constexpr int most_listed = 16;  // ranks in one message

}  // namespace

store_state::presence* store_state::find_rank(rank asked) {
  if (asked.value < 0) return nullptr;
  if (static_cast<std::size_t>(asked.value) < ranks_.size()) return &ranks_[static_cast<std::size_t>(asked.value)];
  const auto found = newcomers_.find(asked.value);
  return found == newcomers_.end() ? nullptr : &found->second;
}

admission store_state::admit(const introduction& who) const {
  const std::string name = who.from == unnumbered ? "a newcomer" : "rank " + to_string(who.from);
  const std::string size = std::to_string(ranks_.size());
  if (who.size != static_cast<std::int32_t>(ranks_.size()))
    return {verdict::refused,
            name + " says the job has " + std::to_string(who.size) + " ranks, the store was started for " + size};
  if (who.from == unnumbered) return is_complete() ? admission{} : admission{verdict::not_now, "the job has not begun"};
  if (who.from.value < 0 || (who.from.value >= who.size && who.from.value >= next_newcomer_))
    return {verdict::refused, name + " is out of range, the job has " + size + " ranks"};
  const presence* const known = find_rank(who.from);
  switch (known ? *known : presence::missing) {
    case presence::missing: return {};
    case presence::active: return {verdict::refused, name + " is connected already: two processes have the same rank"};
    case presence::dead:
    case presence::unreachable: return {verdict::refused, name + " has failed in this job and cannot come back"};
    case presence::left: return {verdict::not_now, name + " has left this job, whose store is about to end"};
  }
  return {verdict::refused, "unknown state of " + name};
}

void store_state::join(rank joined) {
  if (static_cast<std::size_t>(joined.value) < ranks_.size()) {
    ranks_[static_cast<std::size_t>(joined.value)] = presence::active;
    ++joined_;
  } else {
    newcomers_[joined.value] = presence::active;
  }
  ++active_;
}

void store_state::leave(rank left) {
  presence* const state = find_rank(left);
  if (!state || *state != presence::active) return;
  *state = presence::left;
  --active_;
}

bool store_state::fail(rank failed, const std::string& reason, failure_kind kind, bool is_certain) {
  presence* const state = find_rank(failed);
  if (!state || *state != presence::active) return false;
  *state = is_certain ? presence::dead : presence::unreachable;
  --active_;
  notices_.push_back({errc::peer_failed, failed, reason, kind, {}, is_certain});
  return true;
}

bool store_state::is_aborted(std::string_view scope) const {
  return std::any_of(notices_.begin(), notices_.end(), [&](const failure_notice& each) {
    return each.code == errc::aborted && each.scope == scope;
  });
}

bool store_state::abort(const std::string& scope, const std::string& reason) {
  if (is_aborted(scope)) return false;
  notices_.push_back({errc::aborted, std::nullopt, reason, failure_kind::unknown, scope});
  return true;
}

standing store_state::standing_of(rank asked) const {
  const presence* const known = find_rank(asked);
  // A newcomer that an earlier store has admitted, and that has not come yet.
  if (!known) return is_grace_over_ ? standing::unreachable : standing::absent;
  switch (*known) {
    case presence::missing: return standing::absent;
    case presence::active: return standing::present;
    case presence::left: return standing::left;
    case presence::dead: return standing::dead;
    case presence::unreachable: return standing::unreachable;
  }
  return standing::absent;
}

void store_state::inherit(const std::vector<failure_notice>& known) {
  for (const failure_notice& each : known) {
    notices_.push_back(each);
    if (!each.peer || each.peer->value < 0) continue;
    const presence now = each.is_certain ? presence::dead : presence::unreachable;
    if (static_cast<std::size_t>(each.peer->value) < ranks_.size())
      ranks_[static_cast<std::size_t>(each.peer->value)] = now;
    else
      newcomers_[each.peer->value] = now;
  }
}

std::vector<rank> store_state::missing_ranks() const {
  std::vector<rank> missing;
  for (std::size_t r = 0; r < ranks_.size(); ++r)
    if (ranks_[r] == presence::missing) missing.emplace_back(static_cast<std::int32_t>(r));
  return missing;
}

void store_state::give_up_missing(rank missing, const std::string& reason) {
  ranks_[static_cast<std::size_t>(missing.value)] = presence::unreachable;
  notices_.push_back({errc::peer_failed, missing, reason, failure_kind::unreachable});
}

void store_state::confirm_dead(rank failed) {
  presence* const state = find_rank(failed);
  if (!state || (*state != presence::unreachable && *state != presence::missing)) return;
  *state = presence::dead;
  for (failure_notice& each : notices_)
    if (each.peer == failed) each.is_certain = true;
}

std::string store_state::missing() const {
  std::string list;
  const auto total = ranks_.size() - joined_;
  int listed = 0;
  for (std::size_t r = 0; r < ranks_.size() && listed < most_listed; ++r)
    if (ranks_[r] == presence::missing) list += (listed++ == 0 ? "" : ", ") + std::to_string(r);
  if (total > most_listed) list += " and " + std::to_string(total - most_listed) + " more";
  return (total == 1 ? "rank " : "ranks ") + list + " of " + std::to_string(ranks_.size());
}

std::vector<waiting_request> store_state::put(std::string_view key, std::string_view value) {
  if (const auto found = values_.find(key); found != values_.end()) {
    if (found->second != value)
      hawser::fail(errc::mismatch, "the key \"" + std::string(key) + "\" was published twice with different values");
    return {};
  }
  if (key.size() + value.size() > limit_ - used_)
    hawser::fail(errc::resource, "the store is full", "its limit is " + std::to_string(limit_) + " bytes",
                 "erase the keys of finished exchanges");
  values_.emplace(key, value);
  used_ += key.size() + value.size();
  const auto waiting = waiting_.find(key);
  if (waiting == waiting_.end()) return {};
  std::vector<waiting_request> served = std::move(waiting->second);
  waiting_.erase(waiting);
  return served;
}

const std::string* store_state::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

void store_state::wait_for(std::string_view key, waiting_request who) {
  waiting_.try_emplace(std::string(key)).first->second.push_back(who);
}

void store_state::cancel(std::string_view key, waiting_request who) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  std::erase_if(found->second,
                [&](const auto& each) { return each.connection == who.connection && each.id == who.id; });
  if (found->second.empty()) waiting_.erase(found);
}

void store_state::erase(std::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  used_ -= found->first.size() + found->second.size();
  values_.erase(found);
}

void store_state::forget(std::uint64_t connection) {
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    std::erase_if(each->second, [&](const auto& request) { return request.connection == connection; });
    each = each->second.empty() ? waiting_.erase(each) : std::next(each);
  }
}

}  // namespace hawser::bootstrap
