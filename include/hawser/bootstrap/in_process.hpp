// Bootstrap for threads as ranks of one process: a shared map; tests may declare a rank dead.
#pragma once

#include <condition_variable>
#include <deque>
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
  /// The bootstrap of a newcomer, numbered behind all that were there before; it waits for `await_admission`.
  std::unique_ptr<bootstrap> join_newcomer();

  /// Tells every other rank that this one has failed, as if its process had been killed.
  void declare_dead(rank failed, std::string_view reason = "declared dead") { give_up(failed, reason, standing::dead); }
  /// The same as if it were cut off: it may live.
  void declare_unreachable(rank failed, std::string_view reason = "declared unreachable") {
    give_up(failed, reason, standing::unreachable);
  }

 private:
  friend class in_process_bootstrap;

  struct member {
    failure_board failures;
    bool has_joined = false;
    standing state = standing::absent;
    std::optional<admission_notice> admitted{};
  };

  in_process_job(int size, std::string secret)
      : size_(size), members_(static_cast<std::size_t>(size)), secret_(std::move(secret)) {}

  int size() const noexcept { return size_; }
  member& at(rank r) { return members_[static_cast<std::size_t>(r.value)]; }

  void give_up(rank failed, std::string_view reason, standing now) {
    const bool is_certain = now == standing::dead;
    std::size_t others = 0;
    {
      std::lock_guard lock(mutex_);
      at(failed).state = now;
      others = members_.size();
    }
    for (std::size_t r = 0; r < others; ++r)  // a deque's members stay where they are
      if (static_cast<std::int32_t>(r) != failed.value)
        member_at(r).failures.post({errc::peer_failed,
                                    failed,
                                    std::string(reason),
                                    is_certain ? failure_kind::dead : failure_kind::unreachable,
                                    {},
                                    is_certain});
    wake(this);
  }
  member& member_at(std::size_t number) {
    std::lock_guard lock(mutex_);
    return members_[number];
  }

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

  std::string get(std::string_view key, milliseconds timeout, const failure_board& failures) {
    const std::string problem = "waiting for the key \"" + std::string(key) + "\"";
    const auto deadline = std::chrono::steady_clock::now() + timeout;
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

  void abort(std::string_view scope, std::string_view reason) {
    std::size_t all = 0;
    {
      std::lock_guard lock(mutex_);
      all = members_.size();
    }
    for (std::size_t r = 0; r < all; ++r)
      member_at(r).failures.post(
          {errc::aborted, std::nullopt, std::string(reason), failure_kind::unknown, std::string(scope)});
  }

  agreement agree(rank self, const question& asked) {
    std::unique_lock lock(mutex_);
    agreements_.ask(self, asked, agreement_table::clock::now());
    for (;;) {
      const auto decided = agreements_.decide(
          agreement_table::clock::now(), [this](rank r) { return at(r).state; }, lobby_);
      for (const std::string& name : decided) admit(name);
      if (!decided.empty()) changed_.notify_all();
      if (const agreement* made = agreements_.find(asked.name)) return *made;
      changed_.wait_for(lock, longest_pause);
    }
  }

  void admit(const std::string& name) {
    const agreement& made = *agreements_.find(name);
    admission_notice notice{name, {}};
    for (const agreement::member& each : made.members) notice.members.push_back(each.number);
    notice.members.insert(notice.members.end(), made.newcomers.begin(), made.newcomers.end());
    for (const rank each : made.newcomers) at(each).admitted = notice;
  }

  admission_notice await_admission(rank self, milliseconds timeout) {
    if (self.value < size_) fail(errc::invalid_argument, "rank " + to_string(self) + " is no newcomer");
    std::unique_lock lock(mutex_);
    lobby_.push_back(self);
    changed_.notify_all();
    if (changed_.wait_for(lock, timeout, [&] { return at(self).admitted.has_value(); })) return *at(self).admitted;
    std::erase(lobby_, self);
    fail(errc::timeout, "this process was not admitted to the job",
         "no communicator has grown within " + std::to_string(timeout.count()) + " ms");
  }

  void leave(rank self) {
    std::lock_guard lock(mutex_);
    if (at(self).state == standing::present) at(self).state = standing::left;
    changed_.notify_all();
  }

  /// A waiting rank looks at the clock at least this often: an agreement may end by time-out.
  static constexpr milliseconds longest_pause{20};

  int size_;
  std::deque<member> members_;  // newcomers behind the ranks of the start
  std::string secret_;
  agreement_table agreements_;
  std::vector<rank> lobby_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string, std::less<>> values_;
};

/// One rank of an in-process job; made by `in_process_job::join`.
class in_process_bootstrap final : public bootstrap {
 public:
  in_process_bootstrap(std::shared_ptr<in_process_job> job, rank self)
      : job_(std::move(job)), self_(self), failures_(job_->member_at(static_cast<std::size_t>(self.value)).failures) {
    failures().add_listener({&in_process_job::wake, job_.get()});
  }
  in_process_bootstrap(const in_process_bootstrap&) = delete;
  in_process_bootstrap& operator=(const in_process_bootstrap&) = delete;
  ~in_process_bootstrap() override {
    if (!has_left_) job_->declare_dead(self_, "it ended without leaving the job");
    failures().remove_listener({&in_process_job::wake, job_.get()});
  }

  using bootstrap::abort;
  using bootstrap::get;
  rank self() const noexcept override { return self_; }
  int size() const noexcept override { return job_->size(); }
  void put(std::string_view key, std::string_view value) override { job_->put(key, value); }
  std::string get(std::string_view key, milliseconds timeout, const failure_board& heeded) override {
    return job_->get(key, timeout, heeded);
  }
  void erase(std::string_view key) override { job_->erase(key); }
  failure_board& failures() noexcept override { return failures_; }
  void abort(std::string_view scope, std::string_view reason) override { job_->abort(scope, reason); }
  agreement agree(const question& asked) override { return job_->agree(self_, asked); }
  admission_notice await_admission(milliseconds timeout) override { return job_->await_admission(self_, timeout); }
  const std::string& secret() const noexcept override { return job_->secret_; }
  void leave() override {
    has_left_ = true;
    job_->leave(self_);
  }

 private:
  std::shared_ptr<in_process_job> job_;
  rank self_;
  failure_board& failures_;
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
    at(self).state = standing::present;
  }
  return std::make_unique<in_process_bootstrap>(shared_from_this(), self);
}

inline std::unique_ptr<bootstrap> in_process_job::join_newcomer() {
  std::int32_t number = 0;
  {
    std::lock_guard lock(mutex_);
    number = static_cast<std::int32_t>(members_.size());
    member& added = members_.emplace_back();
    added.has_joined = true;
    added.state = standing::present;
  }
  return std::make_unique<in_process_bootstrap>(shared_from_this(), rank(number));
}

}  // namespace hawser::bootstrap
