// How the members of a group come to one outcome while they make communicators: a verdict that is written once.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/core/error.hpp>

namespace hawser::nccl {

/// The verdict is "yes", by the first member when all others have reported, or the refusal of whoever is first to be
/// refused something: all get the same one, also those who wait inside NCCL for whoever has given up. A thread waits
/// for it, so that the store has one request to keep, however long NCCL takes.
class meeting {
 public:
  using clock = std::chrono::steady_clock;

  /// `name` is that of the keys; `place` counts `members`, which are ranks of the job. `promised` are the keys that
  /// this member will publish: a refusal tells those who wait for one.
  meeting(bootstrap::bootstrap& job, const bootstrap::failure_board& heeded, std::string name,
          std::vector<rank> members, int place, clock::time_point deadline, std::set<std::string> promised);
  meeting(const meeting&) = delete;
  meeting& operator=(const meeting&) = delete;
  /// Waits for a verdict, which there is unless the job is lost; at most until the deadline.
  ~meeting();

  /// Publishes a promised value.
  void put(const std::string& key, const std::string& value);
  /// Waits for one. Throws the verdict where its member has refused; errc::timeout; a failure that becomes known.
  std::string get(const std::string& key);
  /// Takes a value that nobody needs any more out of the store.
  void erase(const std::string& key) { job_.erase(name_ + "/" + key); }

  /// For those who wait for NCCL: throws the refusal where there is one, and a failure that became known.
  void look() const;
  /// Tries to make `why` the verdict, and throws the one that holds; `why` itself where a failure is known already.
  [[noreturn]] void refuse(const error& why);
  /// This member has all it needs. Comes back where all have.
  void conclude();

  clock::time_point deadline() const noexcept { return deadline_; }

 private:
  std::chrono::milliseconds left() const;
  std::string get_raw(const std::string& key) const;
  /// Joins the thread; throws unless the verdict is yes.
  void await_verdict();
  void throw_unless_yes() const;

  bootstrap::bootstrap& job_;
  const bootstrap::failure_board& heeded_;
  std::string name_;
  std::vector<rank> members_;
  int place_;
  clock::time_point deadline_;
  std::set<std::string> promised_;

  std::string verdict_;            ///< empty: none was seen
  std::exception_ptr no_verdict_;  ///< why
  std::atomic<bool> is_seen_{false};
  std::thread watch_;
};

}  // namespace hawser::nccl
