// A device whose calls fail on demand: another one's, but for the one call that throws.
#pragma once

#include <new>
#include <string>

#include <hawser/core/error.hpp>
#include <hawser/executor/stream_device.hpp>

namespace hawser::testing {

/// Counts the calls that may fail, and fails the one that it is told to, and, where it is lost, all after it.
class failing_device final : public executor::stream_device {
 public:
  using event_handle = executor::event_handle;
  using stream_handle = executor::stream_handle;

  explicit failing_device(executor::stream_device& real) : real_(real) {}

  /// Of the calls to come; 1 is the next one.
  void fail_call(long number, bool is_lost) {
    calls_ = 0;
    failing_ = number;
    is_lost_ = is_lost;
  }
  bool has_failed() const noexcept { return failing_ > 0 && calls_ >= failing_; }

  std::string_view name() const override { return real_.name(); }
  stream_handle make_stream() override { return call("making a stream"), real_.make_stream(); }
  void destroy(stream_handle stream) noexcept override { real_.destroy(stream); }
  event_handle make_event() override { return call("making an event"), real_.make_event(); }
  void destroy(event_handle event) noexcept override { real_.destroy(event); }
  void record(event_handle event, stream_handle stream) override { call("record"), real_.record(event, stream); }
  void wait(stream_handle stream, event_handle event) override { call("wait"), real_.wait(stream, event); }
  bool has_passed(event_handle event) override { return call("has_passed"), real_.has_passed(event); }
  /// A lost device runs nothing, but this one's streams go on: they are waited for, and then it says so.
  void synchronise(stream_handle stream) override { real_.synchronise(stream), call("synchronise"); }
  bool is_capturing(stream_handle stream) override { return real_.is_capturing(stream); }
  void* allocate(std::size_t bytes, executor::memory_kind where) override {
    if (counts_down()) throw std::bad_alloc();
    return real_.allocate(bytes, where);
  }
  void release(void* memory, executor::memory_kind where) noexcept override { real_.release(memory, where); }
  executor::memory_kind kind_of(const void* address) override { return real_.kind_of(address); }
  void copy(stream_handle stream, void* to, const void* from, std::size_t bytes) override {
    call("copy"), real_.copy(stream, to, from, bytes);
  }
  void reduce(stream_handle stream, const executor::device_reduction& how, void* out, const void* left,
              const void* right, std::size_t count) override {
    call("reduce"), real_.reduce(stream, how, out, left, right, count);
  }
  void scale(stream_handle stream, const executor::device_scaling& how, void* out, const void* in,
             std::size_t count) override {
    call("scale"), real_.scale(stream, how, out, in, count);
  }
  void write_flag(stream_handle stream, std::uint32_t* flag, std::uint32_t value) override {
    call("write_flag"), real_.write_flag(stream, flag, value);
  }
  void wait_flag(stream_handle stream, const std::uint32_t* flag, std::uint32_t at_least) override {
    call("wait_flag"), real_.wait_flag(stream, flag, at_least);
  }

 private:
  bool counts_down() {
    ++calls_;
    return failing_ > 0 && (is_lost_ ? calls_ >= failing_ : calls_ == failing_);
  }
  void call(const char* what) {
    if (counts_down()) fail(errc::resource, std::string("the device refused a call: ") + what, "the test's failure");
  }

  executor::stream_device& real_;
  long calls_ = 0, failing_ = 0;
  bool is_lost_ = false;
};

}  // namespace hawser::testing
