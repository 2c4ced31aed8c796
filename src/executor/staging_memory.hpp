// Pinned buffers, and copies through them on a stream of their own, in order.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include <hawser/executor/stream_device.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::executor {

/// One pinned buffer and the mark of the copy that uses it.
struct pinned_buffer {
  std::byte* data = nullptr;
  event_handle copied = event_handle::none;
};

/// Buffers of one size, all made at once.
class pinned_pool {
 public:
  /// Throws errc::resource.
  pinned_pool(stream_device& device, int count, std::size_t bytes_each);
  pinned_pool(const pinned_pool&) = delete;
  pinned_pool& operator=(const pinned_pool&) = delete;
  ~pinned_pool();

  /// Null where all are taken.
  pinned_buffer* take() noexcept;
  void give(pinned_buffer& back) noexcept { free_.push_back(&back); }  // within its capacity

 private:
  void release() noexcept;

  stream_device& device_;
  void* memory_ = nullptr;
  std::vector<pinned_buffer> all_;
  std::vector<pinned_buffer*> free_;
};

/// Who waits for a copy; `failed` is null on success.
struct copy_work {
  void (*copied)(copy_work& self, const transport::failure* failed) = nullptr;
};

/// A stream for copies of one direction. Copies end in the order in which they began.
class copy_queue {
 public:
  /// Throws errc::resource.
  explicit copy_queue(stream_device& device) : device_(device), stream_(device.make_stream()) {}
  copy_queue(const copy_queue&) = delete;
  copy_queue& operator=(const copy_queue&) = delete;
  ~copy_queue();

  bool is_empty() const noexcept { return under_way_.empty(); }
  /// Begins a copy from or to the buffer. `waiting` hears of its end from `poll` or `drain`, or at once of a failure.
  void begin(void* to, const void* from, std::size_t bytes, pinned_buffer& through, copy_work& waiting);
  /// Tells those whose copies are done; whether there were any.
  bool poll();
  /// Waits for all copies, and tells. The device touches no memory any more for them.
  void drain() noexcept;

 private:
  struct copy {
    event_handle mark;
    copy_work* waiting;
  };

  void stop(const transport::failure& why) noexcept;
  void tell(std::size_t how_many, const transport::failure* why) noexcept;

  stream_device& device_;
  stream_handle stream_;
  std::deque<copy> under_way_;
};

}  // namespace hawser::executor
