// The one thread of a process that drives asynchronous work while the callers compute.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <hawser/executor/engine.hpp>

namespace hawser::executor {

/// Shared by all engines of the process. It blocks on their descriptors and touches an engine only while something is
/// unattended there and no thread of the caller waits in it.
class progress_thread {
 public:
  /// The process's: started here where there is none, joined when the last owner lets it go.
  /// Throws errc::resource where no thread or descriptor can be had.
  static std::shared_ptr<progress_thread> shared();

  progress_thread();
  progress_thread(const progress_thread&) = delete;
  progress_thread& operator=(const progress_thread&) = delete;
  ~progress_thread();

  /// The engine must be able to block.
  void add(engine& driven);
  /// When it returns, the thread does not touch the engine any more.
  void remove(engine& driven);
  /// From any thread, under any lock: look at all engines again.
  void wake() noexcept;

 private:
  void run();
  bool step_all(std::vector<int>& descriptors);
  void fall_asleep(const std::vector<int>& descriptors);

  const int bell_;
  std::atomic<bool> is_rung_{false};
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;  // held while engines are driven; taken before an engine's own
  std::vector<engine*> engines_;
  std::thread thread_;
};

}  // namespace hawser::executor
