// The thread that writes dumps when a signal or a failure asks for them, whatever the ranks of this process are doing.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hawser::detail {

class job;

/// One per process, while a job with a folder for dumps is there. It takes no lock that a rank in a call holds.
class dump_service {
 public:
  /// The process's; started where there is none. Throws errc::resource.
  static std::shared_ptr<dump_service> shared();

  dump_service();
  dump_service(const dump_service&) = delete;
  dump_service& operator=(const dump_service&) = delete;
  ~dump_service();

  void add(job& served);
  /// When it returns, the job is not used any more.
  void remove(job& served);
  /// A failure has been told to one of the jobs.
  void wake() noexcept;
  /// From now on this signal asks every job for a dump. False where the program has a handler of its own for it, or
  /// ignores it.
  bool listen_to(int number);

 private:
  void run();

  std::mutex mutex_;
  std::vector<job*> jobs_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

}  // namespace hawser::detail
