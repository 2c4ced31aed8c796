// Sees to it that calls on streams end: a thread that looks after them while there are any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <hawser/executor/stream_device.hpp>

namespace hawser::detail {

/// Calls end in the order in which they were made, so that the oldest one tells of all.
class stream_watch {
 public:
  using clock = std::chrono::steady_clock;

  /// `look` is called every few milliseconds while a call is under way; false ends the watch for good. `is_late` is
  /// called, once, when a call has not ended by its deadline. Both from the watch's thread.
  stream_watch(executor::stream_device& device, std::function<bool()> look, std::function<void()> is_late);
  stream_watch(const stream_watch&) = delete;
  stream_watch& operator=(const stream_watch&) = delete;
  /// Nothing may be under way, or what is must have been aborted.
  ~stream_watch();

  /// What is on the stream now should have ended by then. Not for a stream that is captured. Throws std::bad_alloc and
  /// errc::resource.
  void add(executor::stream_handle stream, clock::time_point deadline);

 private:
  struct watched {
    executor::event_handle end;
    clock::time_point deadline;
  };

  void run();
  bool drop_those_that_ended();

  executor::stream_device& device_;
  std::function<bool()> look_;
  std::function<void()> is_late_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<watched> calls_;                 // oldest first
  std::vector<executor::event_handle> free_;  // events for calls to come
  bool is_ending_ = false;
  bool is_over_ = false;
  std::thread thread_;  // from the first call on
};

}  // namespace hawser::detail
