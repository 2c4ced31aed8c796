// See stream_watch.hpp.
#include "stream_watch.hpp"

#include <utility>

#include <hawser/core/error.hpp>

namespace hawser::detail {

namespace {

/// Short against any time-out, long against a look.
constexpr std::chrono::milliseconds between_looks{5};

}  // namespace

stream_watch::stream_watch(executor::stream_device& device, std::function<bool()> look, std::function<void()> is_late)
    : device_(device), look_(std::move(look)), is_late_(std::move(is_late)) {}

stream_watch::~stream_watch() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const watched& each : calls_) device_.destroy(each.end);
  for (const executor::event_handle each : free_) device_.destroy(each);
}

void stream_watch::add(executor::stream_handle stream, clock::time_point deadline) {
  std::lock_guard lock(mutex_);
  if (is_over_) return;
  free_.reserve(free_.size() + calls_.size() + 1);  // so that giving one back needs no memory
  if (free_.empty()) free_.push_back(device_.make_event());
  device_.record(free_.back(), stream);
  calls_.push_back({free_.back(), deadline});
  free_.pop_back();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

/// Under the lock. False where the oldest that is left is late.
bool stream_watch::drop_those_that_ended() {
  while (!calls_.empty() && device_.has_passed(calls_.front().end)) {
    free_.push_back(calls_.front().end);
    calls_.pop_front();
  }
  return calls_.empty() || clock::now() < calls_.front().deadline;
}

void stream_watch::run() {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    if (calls_.empty()) {
      changed_.wait(lock, [this] { return !calls_.empty() || is_ending_; });
      continue;
    }
    bool is_in_time = true, goes_on = true;
    try {
      is_in_time = drop_those_that_ended();
    } catch (const error&) {  // the device has failed, as the next call on it says
      goes_on = false;
    }
    lock.unlock();
    if (!is_in_time) is_late_();
    goes_on = goes_on && is_in_time && look_();
    lock.lock();
    if (!goes_on) {
      is_over_ = true;
      return;
    }
    changed_.wait_for(lock, between_looks, [this] { return is_ending_; });
  }
}

}  // namespace hawser::detail
