// See staging_memory.hpp.
#include "staging_memory.hpp"

#include <exception>
#include <new>
#include <utility>

#include <hawser/core/error.hpp>

namespace hawser::executor {

namespace {

transport::failure device_failure(const std::exception& raised) {
  return {errc::resource, rank(-1), describe("a copy between host and device failed", raised.what())};
}

}  // namespace

pinned_pool::pinned_pool(stream_device& device, int count, std::size_t bytes_each) : device_(device) {
  const std::size_t buffers = static_cast<std::size_t>(count);
  try {
    all_.resize(buffers);
    free_.reserve(buffers);
    memory_ = device.allocate(buffers * bytes_each, memory_kind::pinned);
    for (pinned_buffer& each : all_) {
      each.data = static_cast<std::byte*>(memory_) + bytes_each * free_.size();
      each.copied = device.make_event();
      free_.push_back(&each);
    }
  } catch (const std::bad_alloc&) {
    release();
    fail(errc::resource, "no pinned memory for messages of device memory",
         std::to_string(count) + " buffers of " + std::to_string(bytes_each) + " bytes were asked for",
         "lower staging_options::most_buffers, or raise the limit of locked memory (ulimit -l)");
  } catch (...) {
    release();
    throw;
  }
}

pinned_pool::~pinned_pool() {
  release();
}

void pinned_pool::release() noexcept {
  for (const pinned_buffer& each : all_)
    if (each.copied != event_handle::none) device_.destroy(each.copied);
  if (memory_) device_.release(std::exchange(memory_, nullptr), memory_kind::pinned);
}

pinned_buffer* pinned_pool::take() noexcept {
  if (free_.empty()) return nullptr;
  pinned_buffer* const taken = free_.back();
  free_.pop_back();
  return taken;
}

copy_queue::~copy_queue() {
  drain();
  device_.destroy(stream_);
}

void copy_queue::begin(void* to, const void* from, std::size_t bytes, pinned_buffer& through, copy_work& waiting) {
  bool is_enqueued = false;
  try {
    device_.copy(stream_, to, from, bytes);
    is_enqueued = true;
    device_.record(through.copied, stream_);
    under_way_.push_back({through.copied, &waiting});
  } catch (const std::exception& raised) {
    const transport::failure why = device_failure(raised);
    if (is_enqueued) stop(why);
    waiting.copied(waiting, &why);
  }
}

bool copy_queue::poll() {
  bool moved = false;
  try {
    while (!under_way_.empty() && device_.has_passed(under_way_.front().mark)) {
      tell(1, nullptr);
      moved = true;
    }
  } catch (const std::exception& raised) {
    stop(device_failure(raised));
    return true;
  }
  return moved;
}

void copy_queue::drain() noexcept {
  while (!under_way_.empty()) {  // who is told may begin another copy
    try {
      device_.synchronise(stream_);
    } catch (const std::exception& raised) {  // a device that is lost touches nothing
      return stop(device_failure(raised));
    }
    tell(under_way_.size(), nullptr);
  }
}

/// After an error of the device: what is under way is waited for as far as that is possible, and has failed.
void copy_queue::stop(const transport::failure& why) noexcept {
  do {  // also for a copy that was enqueued and has no mark
    try {
      device_.synchronise(stream_);
    } catch (const std::exception&) {  // the same error; `why` has the first
    }
    tell(under_way_.size(), &why);
  } while (!under_way_.empty());
}

void copy_queue::tell(std::size_t how_many, const transport::failure* why) noexcept {
  for (; how_many > 0; --how_many) {
    copy_work& ended = *under_way_.front().waiting;
    under_way_.pop_front();
    ended.copied(ended, why);
  }
}

}  // namespace hawser::executor
