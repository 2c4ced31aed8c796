// A device whose streams are threads and whose memory is the host's: what CUDA promises of order, and nothing more.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/executor/reduce.hpp>
#include <hawser/executor/stream_device.hpp>

namespace hawser::test {

using executor::event_handle;
using executor::memory_kind;
using executor::stream_handle;

/// One stream: work in order, each piece at once or late, as the seed has it.
class thread_stream {
 public:
  thread_stream(std::uint64_t seed, std::chrono::microseconds longest_delay)
      : random_(static_cast<unsigned>(seed)), longest_delay_(longest_delay), thread_([this] { run(); }) {}
  /// Once its work is done.
  ~thread_stream() {
    {
      std::lock_guard lock(mutex_);
      is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void put(std::function<void()> work) {
    {
      std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    }
    changed_.notify_all();
  }
  void wait_until_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return work_.empty() && !is_busy_; });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !work_.empty() || is_ending_; });
      if (work_.empty()) return;
      const std::function<void()> next = std::move(work_.front());
      work_.pop_front();
      is_busy_ = true;
      lock.unlock();
      delay();
      next();
      lock.lock();
      is_busy_ = false;
      changed_.notify_all();
    }
  }

  /// Spins, since the delays that show a missing order are far shorter than a sleep.
  void delay() {
    if (longest_delay_.count() == 0 || random_() % 2 == 0) return;
    const auto until = std::chrono::steady_clock::now() + longest_delay_ * (random_() % 16) / 16;
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;
  bool is_busy_ = false, is_ending_ = false;
  std::minstd_rand random_;
  std::chrono::microseconds longest_delay_;
  std::thread thread_;
};

/// Memory that `allocate` has made counts as of its kind, all other as the host's, which work must not touch. What CUDA
/// forbids is noted instead of refused: tests look at `violations`.
class thread_device final : public executor::stream_device {
 public:
  /// Calls that were enqueued during a capture, to be made again.
  using graph = std::vector<std::function<void()>>;

  explicit thread_device(std::uint64_t seed = 1, std::chrono::microseconds longest_delay = {})
      : seed_(seed), longest_delay_(longest_delay) {
    streams_[stream_handle::none] = std::make_unique<thread_stream>(seed_, longest_delay_);
  }

  std::string_view name() const override { return "a device of threads"; }

  stream_handle make_stream() override {
    forbid_during_capture("making a stream");
    std::lock_guard lock(mutex_);
    const auto made = static_cast<stream_handle>(next_++);
    streams_[made] = std::make_unique<thread_stream>(seed_ * 2654435761u + next_, longest_delay_);
    return made;
  }
  void destroy(stream_handle stream) noexcept override {
    forbid_during_capture("destroying a stream");
    std::unique_ptr<thread_stream> ended;
    std::lock_guard lock(mutex_);
    if (const auto found = streams_.find(stream); found != streams_.end()) ended = std::move(found->second);
    streams_.erase(stream);
    ended_streams_.push_back(std::move(ended));  // ends when its work is done: not here, where others may be waited for
  }
  event_handle make_event() override {
    forbid_during_capture("making an event");
    std::lock_guard lock(mutex_);
    const auto made = static_cast<event_handle>(next_++);
    events_[made] = std::make_shared<mark>();
    return made;
  }
  void destroy(event_handle event) noexcept override {
    forbid_during_capture("destroying an event");
    std::lock_guard lock(mutex_);
    events_.erase(event);
  }

  void record(event_handle event, stream_handle stream) override {
    if (keep([=, this] { record(event, stream); })) return;
    const std::shared_ptr<mark> of = mark_of(event);
    std::uint64_t number = 0;
    {
      std::lock_guard lock(of->mutex);
      number = ++of->recorded;
    }
    put(stream, [of, number] {
      std::lock_guard lock(of->mutex);
      of->passed = std::max(of->passed, number);
      of->changed.notify_all();
    });
  }
  void wait(stream_handle stream, event_handle event) override {
    if (keep([=, this] { wait(stream, event); })) return;
    const std::shared_ptr<mark> of = mark_of(event);
    std::unique_lock lock(of->mutex);
    const std::uint64_t number = of->recorded;
    lock.unlock();
    put(stream, [of, number] {
      std::unique_lock held(of->mutex);
      of->changed.wait(held, [&] { return of->passed >= number; });
    });
  }
  bool has_passed(event_handle event) override {
    {
      std::lock_guard lock(mutex_);
      if (is_capturing_ && capturing_ == std::this_thread::get_id()) note("asking an event during a capture");
    }
    const std::shared_ptr<mark> of = mark_of(event);
    std::lock_guard lock(of->mutex);
    return of->passed == of->recorded;
  }
  void synchronise(stream_handle stream) override {
    forbid_during_capture("waiting for a stream");
    stream_of(stream).wait_until_idle();
  }
  bool is_capturing(stream_handle) override {
    std::lock_guard lock(mutex_);
    return is_capturing_;
  }

  void* allocate(std::size_t bytes, memory_kind where) override {
    forbid_during_capture("allocating");
    if (allocations_left_.load() >= 0 && allocations_left_.fetch_sub(1) == 0) throw std::bad_alloc();
    void* const made = std::aligned_alloc(256, (std::max<std::size_t>(bytes, 1) + 255) / 256 * 256);
    if (made == nullptr) throw std::bad_alloc();
    std::memset(made, 0xA5, bytes);
    std::lock_guard lock(mutex_);
    memory_[static_cast<const std::byte*>(made)] = {bytes, where};
    return made;
  }
  void release(void* memory, memory_kind where) noexcept override {
    forbid_during_capture("releasing memory");
    std::lock_guard lock(mutex_);
    const auto found = memory_.find(static_cast<const std::byte*>(memory));
    if (found == memory_.end() || found->second.second != where) return note("releasing what was not allocated so");
    memory_.erase(found);
    std::free(memory);
  }
  memory_kind kind_of(const void* address) override {
    std::lock_guard lock(mutex_);
    const auto found = range_of(address);
    return found == memory_.end() ? memory_kind::host : found->second.second;
  }

  void copy(stream_handle stream, void* to, const void* from, std::size_t bytes) override {
    if (keep([=, this] { copy(stream, to, from, bytes); })) return;
    check_access(to, bytes, "copying to");
    check_access(from, bytes, "copying from");
    put(stream, [=] { std::memcpy(to, from, bytes); });
  }
  void reduce(stream_handle stream, const executor::device_reduction& how, void* out, const void* left,
              const void* right, std::size_t count) override {
    if (keep([=, this] { reduce(stream, how, out, left, right, count); })) return;
    for (const void* each : {static_cast<const void*>(out), left, right})
      check_access(each, count * size_of(how.type), "reducing");
    const reducer function = executor::make_reducer(how.type, how.kind);
    put(stream, [=] { function(out, left, right, count); });
  }
  void scale(stream_handle stream, const executor::device_scaling& how, void* out, const void* in,
             std::size_t count) override {
    if (keep([=, this] { scale(stream, how, out, in, count); })) return;
    check_access(out, count * size_of(how.type), "scaling to");
    check_access(in, count * size_of(how.type), "scaling from");
    const executor::scaler function =
        how.divisor == 0 ? executor::make_scaler(how.type, how.factor) : executor::make_divider(how.type, how.divisor);
    put(stream, [=] { function(out, in, count); });
  }

  void write_flag(stream_handle stream, std::uint32_t* flag, std::uint32_t value) override {
    if (keep([=, this] { write_flag(stream, flag, value); })) return;
    check_access(flag, sizeof *flag, "a flag");
    put(stream, [=] { write(flag, value); });
  }
  void wait_flag(stream_handle stream, const std::uint32_t* flag, std::uint32_t at_least) override {
    if (keep([=, this] { wait_flag(stream, flag, at_least); })) return;
    check_access(flag, sizeof *flag, "a flag");
    put(stream, [=, this] {
      while (static_cast<std::int32_t>(read(flag) - at_least) < 0 && !is_aborted_.load()) std::this_thread::yield();
    });
  }

  /// For wires: any work on a stream. It runs on the stream's thread and may wait for other streams.
  void enqueue(stream_handle stream, const std::function<void()>& work) {
    if (!keep([=, this] { enqueue(stream, work); })) put(stream, work);
  }

  /// Between the two, what is enqueued is kept instead of run, once; `launch` enqueues it, between what is on the
  /// stream before and after.
  void begin_capture() {
    std::lock_guard lock(mutex_);
    is_capturing_ = true;
    capturing_ = std::this_thread::get_id();
    captured_.clear();
  }
  graph end_capture() {
    std::lock_guard lock(mutex_);
    is_capturing_ = false;
    return std::exchange(captured_, {});
  }
  static void launch(const graph& captured) {
    for (const auto& each : captured) each();
  }

  /// Streams, but for the default one, events and allocations that live.
  std::size_t live() const {
    std::lock_guard lock(mutex_);
    return streams_.size() - 1 + events_.size() + memory_.size();
  }
  std::vector<std::string> violations() const {
    std::lock_guard lock(mutex_);
    return violations_;
  }
  /// The allocation after so many more fails.
  void fail_allocation_after(int more) noexcept { allocations_left_.store(more); }
  /// Ends the waits for flags, for a test that gives up.
  void abort() noexcept { is_aborted_.store(true); }
  /// For wires that wait for other streams.
  bool is_aborted() const noexcept { return is_aborted_.load(); }

 private:
  struct mark {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t recorded = 0, passed = 0;
  };
  using ranges = std::map<const std::byte*, std::pair<std::size_t, memory_kind>>;

  thread_stream& stream_of(stream_handle stream) {
    std::lock_guard lock(mutex_);
    const auto found = streams_.find(stream);
    if (found != streams_.end()) return *found->second;
    note("a stream that is not there");
    return *streams_.begin()->second;
  }
  std::shared_ptr<mark> mark_of(event_handle event) {
    std::lock_guard lock(mutex_);
    const auto found = events_.find(event);
    if (found != events_.end()) return found->second;
    note("an event that is not there");
    return std::make_shared<mark>();
  }
  void put(stream_handle stream, std::function<void()> work) { stream_of(stream).put(std::move(work)); }

  /// Under the lock.
  void note(std::string violation) { violations_.push_back(std::move(violation)); }
  // Not inlined: GCC 12 then takes the text for too long to be put together.
  [[gnu::noinline]] void forbid_during_capture(const char* what) {
    std::lock_guard lock(mutex_);
    if (is_capturing_) note(std::string(what) + " during a capture");
  }
  bool keep(std::function<void()> again) {
    std::lock_guard lock(mutex_);
    if (is_capturing_) captured_.push_back(std::move(again));
    return is_capturing_;
  }

  /// Under the lock.
  ranges::const_iterator range_of(const void* address) const {
    auto after = memory_.upper_bound(static_cast<const std::byte*>(address));
    if (after == memory_.begin()) return memory_.end();
    --after;
    return static_cast<const std::byte*>(address) < after->first + after->second.first ? after : memory_.end();
  }
  void check_access(const void* address, std::size_t bytes, const char* what) {
    if (bytes == 0) return;
    std::lock_guard lock(mutex_);
    const auto found = range_of(address);
    if (found == memory_.end())
      note(std::string(what) + " the host's memory");
    else if (static_cast<const std::byte*>(address) + bytes > found->first + found->second.first)
      note(std::string(what) + " past the end of an allocation");
    else if (found->second.second == memory_kind::host || found->second.second == memory_kind::other_device)
      note(std::string(what) + " memory of another device");
  }

  std::atomic<int> allocations_left_{-1};
  std::atomic<bool> is_aborted_{false};  // streams that end look at it
  const std::uint64_t seed_;
  const std::chrono::microseconds longest_delay_;
  mutable std::mutex mutex_;
  std::map<stream_handle, std::unique_ptr<thread_stream>> streams_;
  std::vector<std::unique_ptr<thread_stream>> ended_streams_;
  std::map<event_handle, std::shared_ptr<mark>> events_;
  ranges memory_;
  std::uintptr_t next_ = 1;
  bool is_capturing_ = false;
  std::thread::id capturing_;
  graph captured_;
  std::vector<std::string> violations_;
};

}  // namespace hawser::test
