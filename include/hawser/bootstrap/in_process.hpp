// Bootstrap for threads as ranks of one process: a shared map; tests may declare a rank dead.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/core/error.hpp>

namespace hawser::bootstrap {

/// A job whose ranks are threads of this process. Thread-safe; kept alive by its members.
class in_process_job : public std::enable_shared_from_this<in_process_job> {
 public:
  /// Throws errc::invalid_argument when size < 1.
  static std::shared_ptr<in_process_job> create(int size, std::string secret = {}) {
    if (size < 1) fail(errc::invalid_argument, "a job of " + std::to_string(size) + " ranks", "it needs at least one");
    return std::shared_ptr<in_process_job>(new in_process_job(size, std::move(secret)));
  }

  /// The bootstrap of one rank. Throws errc::invalid_argument out of range, errc::mismatch when that rank has joined.
  std::unique_ptr<bootstrap> join(rank self);

  /// Tells every other rank that this one has failed, as if its process had been killed.
  void declare_dead(rank failed, std::string_view reason = "declared dead") {
    for (std::size_t r = 0; r < members_.size(); ++r)
      if (static_cast<std::int32_t>(r) != failed.value)
        members_[r].failures.post({errc::peer_failed, failed, std::string(reason)});
  }

 private:
  friend class in_process_bootstrap;

  struct member {
    failure_board failures;
    bool has_joined = false;
  };

  in_process_job(int size, std::string secret) : members_(static_cast<std::size_t>(size)), secret_(std::move(secret)) {}

  int size() const noexcept { return static_cast<int>(members_.size()); }
  member& at(rank r) { return members_[static_cast<std::size_t>(r.value)]; }

  /// Listener of every board: the lock orders the wake-up after a waiter's check.
  static void wake(void* job) {
    auto& self = *static_cast<in_process_job*>(job);
    std::lock_guard lock(self.mutex_);
    self.changed_.notify_all();
  }

  void put(std::string_view key, std::string_view value) {
    std::lock_guard lock(mutex_);
    const auto [entry, is_new] = values_.try_emplace(std::string(key), value);
    if (!is_new && entry->second != value)
      fail(errc::mismatch, "the key \"" + std::string(key) + "\" was published twice with different values");
    changed_.notify_all();
  }

  std::string get(rank self, std::string_view key, milliseconds timeout) {
    const std::string problem = "waiting for the key \"" + std::string(key) + "\"";
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    failure_board& failures = at(self).failures;
    std::unique_lock lock(mutex_);
    for (;;) {
      if (const auto found = values_.find(key); found != values_.end()) return found->second;
      if (failures.generation() != 0) {
        lock.unlock();
        throw to_error(failures.since(0).front(), problem);
      }
      if (std::chrono::steady_clock::now() >= deadline)
        fail(errc::timeout, problem, "nobody published it within " + std::to_string(timeout.count()) + " ms",
             "does every rank make the same calls?");
      changed_.wait_until(lock, deadline);
    }
  }

  void erase(std::string_view key) {
    std::lock_guard lock(mutex_);
    if (const auto found = values_.find(key); found != values_.end()) values_.erase(found);
  }

  void abort(std::string_view reason) {
    for (member& each : members_) each.failures.post({errc::aborted, std::nullopt, std::string(reason)});
  }

  std::vector<member> members_;
  std::string secret_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string, std::less<>> values_;
};

/// One rank of an in-process job; made by `in_process_job::join`.
class in_process_bootstrap final : public bootstrap {
 public:
  in_process_bootstrap(std::shared_ptr<in_process_job> job, rank self) : job_(std::move(job)), self_(self) {
    failures().add_listener({&in_process_job::wake, job_.get()});
  }
  in_process_bootstrap(const in_process_bootstrap&) = delete;
  in_process_bootstrap& operator=(const in_process_bootstrap&) = delete;
  ~in_process_bootstrap() override {
    if (!has_left_) job_->declare_dead(self_, "it ended without leaving the job");
    failures().remove_listener({&in_process_job::wake, job_.get()});
  }

  rank self() const noexcept override { return self_; }
  int size() const noexcept override { return job_->size(); }
  void put(std::string_view key, std::string_view value) override { job_->put(key, value); }
  std::string get(std::string_view key, milliseconds timeout) override { return job_->get(self_, key, timeout); }
  void erase(std::string_view key) override { job_->erase(key); }
  failure_board& failures() noexcept override { return job_->at(self_).failures; }
  void abort(std::string_view reason) override { job_->abort(reason); }
  const std::string& secret() const noexcept override { return job_->secret_; }
  void leave() override { has_left_ = true; }

 private:
  std::shared_ptr<in_process_job> job_;
  rank self_;
  bool has_left_ = false;
};

inline std::unique_ptr<bootstrap> in_process_job::join(rank self) {
  if (self.value < 0 || self.value >= size())
    fail(errc::invalid_argument, "rank " + to_string(self) + " in a job of " + std::to_string(size()) + " ranks",
         "it is out of range");
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(at(self).has_joined, true))
      fail(errc::mismatch, "rank " + to_string(self) + " has joined this job before", "each rank joins once");
  }
  return std::make_unique<in_process_bootstrap>(shared_from_this(), self);
}

}  // namespace hawser::bootstrap
