// Rules of the store: who may join, keys are written once, memory is bounded.
#include "store_state.hpp"

#include <algorithm>

#include <hawser/core/error.hpp>

namespace hawser::bootstrap {
namespace {

constexpr int most_listed = 16;  // ranks in one message

}  // namespace

admission store_state::admit(const introduction& who) const {
  const std::string name = "rank " + to_string(who.from);
  const std::string size = std::to_string(ranks_.size());
  if (who.size != static_cast<std::int32_t>(ranks_.size()))
    return {verdict::refused,
            name + " says the job has " + std::to_string(who.size) + " ranks, the store was started for " + size};
  if (who.from.value < 0 || who.from.value >= who.size)
    return {verdict::refused, name + " is out of range, the job has " + size + " ranks"};
  switch (ranks_[static_cast<std::size_t>(who.from.value)]) {
    case presence::missing: return {};
    case presence::active: return {verdict::refused, name + " is connected already: two processes have the same rank"};
    case presence::failed: return {verdict::refused, name + " has failed in this job and cannot come back"};
    case presence::left: return {verdict::not_now, name + " has left this job, whose store is about to end"};
  }
  return {verdict::refused, "unknown state of " + name};
}

void store_state::join(rank joined) {
  ranks_[static_cast<std::size_t>(joined.value)] = presence::active;
  ++joined_;
  ++active_;
}

void store_state::leave(rank left) {
  presence& state = ranks_[static_cast<std::size_t>(left.value)];
  if (state != presence::active) return;
  state = presence::left;
  --active_;
}

bool store_state::fail(rank failed, const std::string& reason, failure_kind kind) {
  presence& state = ranks_[static_cast<std::size_t>(failed.value)];
  if (state != presence::active) return false;
  state = presence::failed;
  --active_;
  notices_.push_back({errc::peer_failed, failed, reason, kind});
  return true;
}

bool store_state::abort(const std::string& reason) {
  for (const failure_notice& known : notices_)
    if (known.code == errc::aborted) return false;
  notices_.push_back({errc::aborted, std::nullopt, reason, failure_kind::unknown});
  return true;
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
