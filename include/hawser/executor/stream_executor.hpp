// Runs programs as work of a device's streams: everything is enqueued ahead, the host waits for nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <hawser/executor/layout.hpp>
#include <hawser/executor/stream_device.hpp>
#include <hawser/executor/stream_wire.hpp>
#include <hawser/schedule/stages.hpp>

namespace hawser::executor {

/// A program and its stages. Shared by all calls of a plan.
struct staged_program {
  explicit staged_program(schedule::program program) : code(std::move(program)), stages(schedule::stages_of(code)) {}

  schedule::program code;
  std::vector<schedule::stage> stages;
};

/// What one call needs beside the device. Memory is the caller's and the device can touch it.
struct stream_arguments {
  std::shared_ptr<const staged_program> program;
  block_layout input;
  block_layout output;
  std::size_t input_bytes = 0;   ///< of the whole input, where `premultiply` or `has_own_input`
  std::size_t output_bytes = 0;  ///< of the whole output, where `divide` or `has_own_output`
  /// The caller has no such buffer (a barrier's token, the output of a reduce away from its root): the executor lends
  /// one.
  bool has_own_input = false;
  bool has_own_output = false;
  std::vector<std::int64_t> scratch_counts;  ///< elements of each scratch block, where blocks are ragged
  std::int64_t scratch_count = 0;            ///< of each, elsewhere
  std::size_t element_bytes = 1;
  std::optional<device_reduction> reduction;  ///< needed where the program reduces
  std::optional<device_scaling> premultiply;  ///< of the whole input, into memory of the executor, before
  std::optional<device_scaling> divide;       ///< of the whole output, after
  std::int64_t segments = 1;
};

/// One rank's. Segments are dealt to lanes, each a stream of its own with its own lane of the wire, so that one
/// segment's messages overlap with another's reductions; inside a lane the stages of a segment, and its segments, run
/// in order. Peers of the program are numbered as the wire does. Calls come from one thread at a time, and in the same
/// order on all ranks; they are done in this order on every lane, whatever streams they were ordered by.
class stream_executor {
 public:
  /// Both must outlive it. Throws errc::resource.
  stream_executor(stream_device& device, stream_wire& wire);
  stream_executor(const stream_executor&) = delete;
  stream_executor& operator=(const stream_executor&) = delete;
  /// Waits for what has been enqueued; after a failure the wire must have been aborted before.
  ~stream_executor();

  /// Enqueues a call behind all that is on the stream; what is enqueued there from now on waits for its end. Into a
  /// graph where the stream is captured: the memory that it uses then stays where it is as long as the executor lives.
  /// Throws std::bad_alloc and errc::unsupported, nothing being enqueued: where a captured call needs more memory than
  /// earlier ones have left, or a wire that the host drives; errc::resource, after which the ranks are not in step any
  /// more.
  void enqueue(const stream_arguments& call, stream_handle stream);

  /// Bytes of memory that it holds for calls to come.
  std::size_t kept_bytes() const noexcept;

 private:
  /// Memory that grows, and never moves what was handed out before.
  class growing_memory {
   public:
    /// At least so many bytes, the same ones as before where they suffice.
    std::byte* at_least(std::size_t bytes, stream_device& device, bool is_capturing);
    void release(stream_device& device) noexcept;
    std::size_t bytes() const noexcept { return all_; }

   private:
    std::vector<void*> blocks_;  // the last one is in use, earlier ones may be by what was captured
    std::size_t size_ = 0, all_ = 0;
  };
  struct lane {
    int number = 0;
    stream_handle stream{};
    event_handle end{}, captured_end{};  // an event of a capture means nothing outside
    growing_memory scratch, staging;
  };
  class segment_issue;

  void prepare_lanes();
  void place_buffers(stream_arguments& call, stream_handle stream, bool is_capturing);

  stream_device& device_;
  stream_wire& wire_;
  event_handle begin_{}, captured_begin_{};
  std::vector<lane> lanes_;
  growing_memory inputs_, outputs_;
};

}  // namespace hawser::executor
