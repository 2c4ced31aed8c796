// See members_door.hpp.
#include "members_door.hpp"

#include <algorithm>
#include <utility>

namespace hawser::bootstrap {
namespace {

/// Connections of a scope prove a secret of their own: who was left behind in an earlier scope is a stranger here.
std::string secret_of(const std::string& root, const std::string& scope) {
  return root.empty() || scope.empty() ? root : root + " " + scope;
}

}  // namespace

members_door::members_door(std::shared_ptr<shared_door> shared, std::string scope, std::vector<rank> members)
    : shared_(std::move(shared)),
      scope_(std::move(scope)),
      members_(std::move(members)),
      secret_(secret_of(root().secret(), scope_)) {
  const auto found = std::find(members_.begin(), members_.end(), root().self());
  if (found == members_.end()) fail(errc::internal, "a rank makes a job that it is not a member of");
  self_ = rank(static_cast<std::int32_t>(found - members_.begin()));
  shared_->add_user();
  for (const failure_notice& known : root().failures().add_watcher({&members_door::take, this}))
    // A lost store is of the past for those that have come together since. For the job as it was started it is not:
    // what other ranks have said there may be lost with it, and what they did then is only a consequence.
    if (known.peer || known.code == errc::aborted || scope_.empty()) take(this, known);
}

members_door::~members_door() {
  root().failures().remove_watcher({&members_door::take, this});
  if (!has_left_) shared_->remove_user();  // the last one ends its root, which counts as this rank's death
}

void members_door::take(void* self, const failure_notice& notice) {
  auto& door = *static_cast<members_door*>(self);
  failure_notice own = notice;
  if (notice.is_of_scope_only() && notice.scope != door.scope_) return;
  if (notice.peer) {
    const auto found = std::find(door.members_.begin(), door.members_.end(), *notice.peer);
    if (found == door.members_.end()) return;
    own.peer = rank(static_cast<std::int32_t>(found - door.members_.begin()));
  }
  door.failures_.post(std::move(own));
}

std::string members_door::name_of(std::string_view key) const {
  return scope_.empty() ? std::string(key) : scope_ + ":" + std::string(key);
}

void members_door::put(std::string_view key, std::string_view value) {
  root().put(name_of(key), value);
}

std::string members_door::get(std::string_view key, milliseconds timeout, const failure_board& heeded) {
  return root().get(name_of(key), timeout, heeded);
}

void members_door::erase(std::string_view key) {
  root().erase(name_of(key));
}

void members_door::abort(std::string_view scope, std::string_view reason) {
  root().abort(scope.empty() ? std::string_view(scope_) : scope, reason);
}

void members_door::report_lost(std::string_view scope, rank peer, std::string_view reason) {
  root().report_lost(scope.empty() ? std::string_view(scope_) : scope, members_[static_cast<std::size_t>(peer.value)], reason);
}

void members_door::leave() {
  if (!std::exchange(has_left_, true) && shared_->remove_user()) root().leave();
}

std::vector<rank> all_members(const bootstrap& root) {
  std::vector<rank> all(static_cast<std::size_t>(root.size()));
  for (std::size_t r = 0; r < all.size(); ++r) all[r] = rank(static_cast<std::int32_t>(r));
  return all;
}

}  // namespace hawser::bootstrap
