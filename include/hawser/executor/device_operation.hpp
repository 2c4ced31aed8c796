// A collective on memory of a device, driven by the host: its copies and reductions are work of a stream.
#pragma once

#include <deque>
#include <vector>

#include <hawser/executor/operation.hpp>
#include <hawser/executor/stream_device.hpp>

namespace hawser::executor {

/// The stream on which the operations of one engine work, and the marks that tell them what is done. The device must
/// outlive it, and it the operations.
class device_queue {
 public:
  /// Throws errc::resource.
  explicit device_queue(stream_device& device) : device_(device), stream_(device.make_stream()) {}
  device_queue(const device_queue&) = delete;
  device_queue& operator=(const device_queue&) = delete;
  ~device_queue();

  stream_device& device() const noexcept { return device_; }
  stream_handle stream() const noexcept { return stream_; }
  /// A mark that nobody uses; throws errc::resource.
  event_handle take_mark();
  void give_mark(event_handle mark) { marks_.push_back(mark); }

 private:
  stream_device& device_;
  stream_handle stream_;
  std::vector<event_handle> marks_;
};

/// Runs a program whose input and output are memory of a device, over a transport that takes such memory (with_staging
/// makes one of any). Scratch and staging are made here, once, since making memory may wait for the device: none of it
/// happens while streams wait for this operation. A step is complete when its mark has passed.
class device_operation final : public operation {
 public:
  /// `how` says how the device reduces; `arguments.reduce` is not used. Throws errc::resource where the device has no
  /// memory for it.
  device_operation(operation_arguments arguments, const device_reduction& how, transport::any_transport& wire,
                   device_queue& queue);
  ~device_operation() override;

  void let_go() noexcept override;

 private:
  /// Work on the stream of one step.
  struct work {
    slot* home;
    std::uint32_t step;
    std::uint64_t recorded;
    bool is_gathered;  ///< a send, whose message lies together when it is done
  };
  /// What one mark is behind.
  struct batch {
    event_handle mark;
    std::size_t works;
  };

  void move() override;
  void allocate_scratch(slot& home) override;
  void issue(slot& home, std::uint32_t index) override;
  void arrived(transfer& t) override;

  std::size_t staged_bytes(const slot& home, std::uint32_t index) const;
  void send(slot& home, std::uint32_t index);
  void send_now(slot& home, std::uint32_t index, std::span<const std::byte> message);
  void receive(slot& home, std::uint32_t index);
  void reduce_locally(slot& home, std::uint32_t index);
  void copy_locally(slot& home, std::uint32_t index);
  void finish_receive(transfer& t);
  void enqueue_copy(std::byte* to, const std::byte* from, std::size_t bytes);
  void enqueue_reduction(const schedule::step& s, std::byte* to, const std::byte* own, const std::byte* other,
                         std::size_t bytes);
  template <class Enqueue>
  void begin(const work& of, Enqueue&& enqueue);
  void mark_batch();
  void reap();
  void finish(const work& done);

  device_queue& queue_;
  device_reduction how_;
  std::vector<void*> memory_;
  std::deque<work> works_;     // in the stream's order
  std::deque<batch> batches_;  // the first works, up to what has no mark yet
  std::size_t unmarked_ = 0;
};

}  // namespace hawser::executor
