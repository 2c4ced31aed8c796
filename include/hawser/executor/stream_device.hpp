// What running plans on a device needs of it: queues whose work runs in order, marks between them, memory, and work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>

namespace hawser::executor {

/// A queue of a device's work, which runs in its order; in CUDA a cudaStream_t. Zero: the default one.
enum class stream_handle : std::uintptr_t { none = 0 };
/// A mark in a queue; in CUDA a cudaEvent_t.
enum class event_handle : std::uintptr_t { none = 0 };

/// Where memory lies, as seen from one device.
enum class memory_kind : std::uint8_t {
  host,          ///< the device cannot touch it
  pinned,        ///< the host's, and the device can
  managed,       ///< unified: both can
  device,        ///< of this device
  other_device,  ///< of another one
};

/// "host" and the like.
constexpr std::string_view to_string(memory_kind kind) noexcept {
  switch (kind) {
    case memory_kind::host: return "host";
    case memory_kind::pinned: return "pinned";
    case memory_kind::managed: return "managed";
    case memory_kind::device: return "device";
    case memory_kind::other_device: return "other_device";
  }
  return "unknown";
}

/// A reduction of two operands as a device runs it: a legal pair (docs/types.md), avg and premul_sum as sum.
struct device_reduction {
  data_type type = data_type::float32;
  reduce_kind kind = reduce_kind::sum;
};

/// A scaling of the elements of one operand: by a factor (premul_sum, before), or by a divisor (avg, after). Rounds as
/// `make_scaler` and `make_divider` do.
struct device_scaling {
  data_type type = data_type::float32;
  double factor = 1;          ///< where `divisor` is 0
  std::uint32_t divisor = 0;  ///< 0: multiply
};

/// One device of this process. What takes a stream only enqueues and returns at once; the caller orders streams by
/// events. Memory is the caller's and stays where it is until the work is done. Calls for one stream come from one
/// thread at a time, `has_passed`, `write` and `read` from any. All throw errc::resource with the device's code, and none allocates or
/// waits but those that say so, so that the others may be captured into a graph.
class stream_device {
 public:
  virtual ~stream_device() = default;

  /// What it is, for people: "NVIDIA H200 (device 0)".
  virtual std::string_view name() const = 0;

  /// A queue of its own, and its end once its work is done. Not during a capture.
  virtual stream_handle make_stream() = 0;
  virtual void destroy(stream_handle stream) noexcept = 0;
  /// A mark, and its end. Not during a capture.
  virtual event_handle make_event() = 0;
  virtual void destroy(event_handle event) noexcept = 0;
  /// Marks all that has been enqueued on the stream so far.
  virtual void record(event_handle event, stream_handle stream) = 0;
  /// What is enqueued on the stream from now on waits for the last mark; for none where nothing was recorded.
  virtual void wait(stream_handle stream, event_handle event) = 0;
  /// Whether all before the last mark is done; true where nothing was recorded. From any thread, also while another one
  /// captures a stream.
  virtual bool has_passed(event_handle event) = 0;
  /// Blocks the caller until all that is on the stream is done. Not during a capture.
  virtual void synchronise(stream_handle stream) = 0;
  /// Whether what is enqueued on the stream is recorded into a graph instead of run.
  virtual bool is_capturing(stream_handle stream) = 0;

  /// Memory of the device, or of the host where the device can touch it too (`pinned`); aligned to 256 bytes. Throws
  /// std::bad_alloc. Not during a capture.
  virtual void* allocate(std::size_t bytes, memory_kind where) = 0;
  virtual void release(void* memory, memory_kind where) noexcept = 0;
  /// What memory an address is of.
  virtual memory_kind kind_of(const void* address) = 0;

  /// Copies between any memories that the device can touch.
  virtual void copy(stream_handle stream, void* to, const void* from, std::size_t bytes) = 0;
  /// out[i] = left[i] op right[i]; `out` may be exactly one of the operands. Any alignment. Throws errc::unsupported
  /// for what no kernel reduces.
  virtual void reduce(stream_handle stream, const device_reduction& how, void* out, const void* left, const void* right,
                      std::size_t count) = 0;
  /// out[i] = in[i] scaled; `out` may be exactly `in`. Any alignment.
  virtual void scale(stream_handle stream, const device_scaling& how, void* out, const void* in, std::size_t count) = 0;

  /// A flag lies in pinned memory. The stream writes it, after all that is before on the stream is visible to the host;
  /// the stream waits until it is at least so much, as numbers that wrap around.
  virtual void write_flag(stream_handle stream, std::uint32_t* flag, std::uint32_t value) = 0;
  virtual void wait_flag(stream_handle stream, const std::uint32_t* flag, std::uint32_t at_least) = 0;
  /// The host's side of a flag, from any thread: release and acquire.
  static void write(std::uint32_t* flag, std::uint32_t value) noexcept;
  static std::uint32_t read(const std::uint32_t* flag) noexcept;
};

}  // namespace hawser::executor
