// The door of a communicator's job into the job that it came out of: a part of its ranks, renumbered.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>

namespace hawser::bootstrap {

/// The door that the process has joined its job through, for all its jobs of communicators: the last to leave leaves
/// it.
class shared_door {
 public:
  explicit shared_door(std::unique_ptr<bootstrap> root) : root_(std::move(root)) {}

  bootstrap& root() noexcept { return *root_; }
  void add_user() noexcept { users_.fetch_add(1); }
  /// True for the last one.
  bool remove_user() noexcept { return users_.fetch_sub(1) == 1; }

 private:
  std::unique_ptr<bootstrap> root_;
  std::atomic<int> users_{0};
};

/// Keys of a scope are apart from those of others; failures are those of the members, and aborts those of the scope.
/// Since no number of a rank is ever used again, what failed before a scope came into being does not concern it.
class members_door final : public bootstrap {
 public:
  /// Rank r is number `members[r]` of the root, this one among them; an empty scope: the job as it was started.
  members_door(std::shared_ptr<shared_door> shared, std::string scope, std::vector<rank> members);
  members_door(const members_door&) = delete;
  members_door& operator=(const members_door&) = delete;
  ~members_door() override;

  using bootstrap::abort;
  using bootstrap::get;
  rank self() const noexcept override { return self_; }
  int size() const noexcept override { return static_cast<int>(members_.size()); }
  void put(std::string_view key, std::string_view value) override;
  std::string get(std::string_view key, milliseconds timeout, const failure_board& heeded) override;
  void erase(std::string_view key) override;
  failure_board& failures() noexcept override { return failures_; }
  void abort(std::string_view scope, std::string_view reason) override;
  void report_lost(std::string_view scope, rank peer, std::string_view reason) override;
  /// As the root does it, in the root's numbers.
  agreement agree(const question& asked) override { return root().agree(asked); }
  admission_notice await_admission(milliseconds timeout) override { return root().await_admission(timeout); }
  std::string local_address() const override { return shared_->root().local_address(); }
  std::string store_address() const override { return shared_->root().store_address(); }
  const std::string& secret() const noexcept override { return secret_; }
  void leave() override;

  const std::shared_ptr<shared_door>& shared() const noexcept { return shared_; }
  const std::string& scope() const noexcept { return scope_; }
  /// The root's number of each rank.
  const std::vector<rank>& members() const noexcept { return members_; }

 private:
  bootstrap& root() noexcept { return shared_->root(); }
  std::string name_of(std::string_view key) const;
  static void take(void* self, const failure_notice& notice);

  std::shared_ptr<shared_door> shared_;
  std::string scope_;
  std::vector<rank> members_;
  rank self_;
  std::string secret_;
  failure_board failures_;
  bool has_left_ = false;
};

/// The members of the job as it was started.
std::vector<rank> all_members(const bootstrap& root);

}  // namespace hawser::bootstrap
