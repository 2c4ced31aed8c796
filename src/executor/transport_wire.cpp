// See transport_wire.hpp. All of the transport's calls are the thread's, and the device's by the thread are those of
// the transport, and flags.
#include <hawser/executor/transport_wire.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>

#include "core/bell.hpp"
#include "core/quiet_thread.hpp"

namespace hawser::executor {
namespace {

/// Flags on cache lines of their own: the device writes one while the host reads the other.
constexpr std::size_t flag_distance = 128;
/// With nothing to do it yields so often before it sleeps.
constexpr int eager_looks = 200;
/// No descriptor tells that a stream has come to an exchange: naps that double from the one to the other.
constexpr std::chrono::microseconds shortest_nap{10}, longest_nap{200};
/// Where a descriptor tells of all that can happen, it looks around this often all the same.
constexpr std::chrono::microseconds longest_sleep{100'000};

/// Whether a number that wraps around has come to another one.
bool has_reached(std::uint32_t number, std::uint32_t wanted) noexcept {
  return static_cast<std::int32_t>(number - wanted) >= 0;
}

class transport_wire final : public stream_wire {
 public:
  transport_wire(transport::any_transport endpoint, stream_device& device, int lanes, std::string name)
      : name_(std::move(name)),
        endpoint_(std::move(endpoint)),
        device_(device),
        bell_("a wire between devices", "use fewer communicators"),
        lanes_(static_cast<std::size_t>(lanes)) {
    flags_ = static_cast<std::byte*>(device_.allocate(2 * flag_distance * lanes_.size(), memory_kind::pinned));
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      lanes_[i].begun = new (flags_ + 2 * i * flag_distance) std::uint32_t{0};
      lanes_[i].ended = new (flags_ + (2 * i + 1) * flag_distance) std::uint32_t{0};
    }
    try {
      thread_ =
          start_quiet_thread([this] { run(); }, "the thread of a wire between devices", "use fewer communicators");
    } catch (...) {
      device_.release(flags_, memory_kind::pinned);
      throw;
    }
  }
  transport_wire(const transport_wire&) = delete;
  transport_wire& operator=(const transport_wire&) = delete;
  ~transport_wire() override {
    abort("the wire has ended");
    thread_.join();
    device_.release(flags_, memory_kind::pinned);
  }

  std::string_view name() const override { return name_; }
  int lanes() const override { return static_cast<int>(lanes_.size()); }
  std::string_view why_not_capturable() const override {
    return "messages go through the host, which a graph does not replay";
  }

  void exchange(int number, stream_handle stream, std::span<const stream_transfer> transfers) override {
    lane& on = lanes_[static_cast<std::size_t>(number)];
    for (const stream_transfer& each : transfers) check(each);
    if (transfers.empty()) return;
    std::uint32_t turn = 0;
    {
      std::lock_guard lock(mutex_);
      if (is_over_) fail(errc::aborted, "the wire \"" + name_ + "\" between devices was aborted", why_over_);
      turn = on.issued + 1;
      on.posted.push_back({turn, {transfers.begin(), transfers.end()}});  // its memory is had, or nothing has begun
      on.issued = turn;
    }
    device_.write_flag(stream, on.begun, turn);
    device_.wait_flag(stream, on.ended, turn);
    bell_.ring();
  }

  std::optional<transport::failure> poll_failure() override {
    std::lock_guard lock(mutex_);
    return failure_;
  }

  void abort(std::string_view reason) noexcept override {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(is_over_, true)) return;
      try {
        why_over_ = reason;
      } catch (const std::bad_alloc&) {  // without a reason then
      }
    }
    bell_.ring();
  }

 private:
  struct lane;
  /// One message under way.
  struct moving : transport::completion {
    moving(transport_wire& on, lane& in) : completion{&moving::end}, wire(on), of(in) {}
    static void end(transport::completion& self, const transport::failure* failed) {
      auto& mine = static_cast<moving&>(self);
      --mine.of.left;
      if (failed != nullptr) mine.wire.note(*failed);
    }
    transport_wire& wire;
    lane& of;
  };
  struct batch {
    std::uint32_t number;
    std::vector<stream_transfer> transfers;
  };
  struct lane {
    std::uint32_t* begun = nullptr;  ///< how many exchanges the stream has come to
    std::uint32_t* ended = nullptr;  ///< how many are through
    std::uint32_t issued = 0;        // under the mutex
    std::list<batch> posted;         // under the mutex
    // The thread's own:
    std::list<batch> ahead;
    std::deque<moving> messages;  // of the first one ahead, once its stream has come to it
    std::size_t left = 0;
    bool is_moving = false;
  };

  static void check(const stream_transfer& each) {
    if (each.bytes == 0 || each.data == nullptr)
      fail(errc::invalid_argument, "an empty message to or from rank " + to_string(each.peer), {}, "leave it out");
  }

  /// The first failure counts; what the end drops is none.
  void note(const transport::failure& why) noexcept {
    std::lock_guard lock(mutex_);
    if (is_over_ || failure_) return;
    try {
      failure_ = why;
    } catch (const std::bad_alloc&) {
      failure_ = transport::failure{errc::resource, rank(-1), {}};
    }
  }

  void run() noexcept {
    for (int idle = 0; take_posted();) {
      bool has_moved = false;
      try {
        has_moved = endpoint_.progress();
        for (lane& each : lanes_) has_moved = advance(each) || has_moved;
      } catch (const error& raised) {
        note({raised.code(), raised.peer().value_or(rank(-1)), raised.what()});
      } catch (const std::exception& raised) {
        note({errc::internal, rank(-1), raised.what()});
      }
      idle = has_moved ? 0 : idle + 1;
      if (!has_moved) rest(idle);
    }
    endpoint_.shutdown();  // nothing touches the messages' memory any more
    std::lock_guard lock(mutex_);
    for (lane& each : lanes_) stream_device::write(each.ended, each.issued);
  }

  /// Takes over what was enqueued; false where the wire is over.
  bool take_posted() noexcept {
    std::lock_guard lock(mutex_);
    if (is_over_) return false;
    for (lane& each : lanes_) each.ahead.splice(each.ahead.end(), each.posted);
    return true;
  }

  /// Takes a lane one step on, where it can go on.
  bool advance(lane& on) {
    if (on.ahead.empty()) return false;
    const batch& next = on.ahead.front();
    if (!on.is_moving) {
      if (!has_reached(stream_device::read(on.begun), next.number)) return false;
      post(on, next);
      return true;
    }
    if (on.left > 0 || poll_failure()) return false;
    stream_device::write(on.ended, next.number);
    on.ahead.pop_front();
    on.messages.clear();
    on.is_moving = false;
    return true;
  }

  void post(lane& on, const batch& begun) {
    on.is_moving = true;
    on.left = begun.transfers.size();
    for (std::size_t i = 0; i < begun.transfers.size(); ++i) on.messages.emplace_back(*this, on);
    // Messages of a lane match in the order in which both ends post them: all have one tag.
    const transport::tag match{.channel = static_cast<std::uint16_t>(&on - lanes_.data())};
    for (std::size_t i = 0; i < begun.transfers.size(); ++i) {
      const stream_transfer& each = begun.transfers[i];
      auto* const bytes = static_cast<std::byte*>(each.data);
      if (each.is_send)
        endpoint_.send(each.peer, match, {bytes, each.bytes}, on.messages[i]);
      else
        endpoint_.receive(each.peer, match, {.data = bytes, .bytes = each.bytes}, on.messages[i]);
    }
  }

  /// Sleeps until something can have happened, or a little where nothing would tell.
  void rest(int idle) noexcept {
    if (idle < eager_looks) return std::this_thread::yield();
    const bool awaits_streams = std::any_of(lanes_.begin(), lanes_.end(),
                                            [](const lane& each) { return !each.ahead.empty() && !each.is_moving; });
    const bool tells = endpoint_.wait_descriptor() >= 0 && endpoint_.arm();
    auto longest = longest_sleep;
    if (awaits_streams || !tells)
      longest = std::min(longest_nap, shortest_nap * (1 << std::min(idle - eager_looks, 5)));
    pollfd watched[] = {{bell_.descriptor(), POLLIN, 0}, {tells ? endpoint_.wait_descriptor() : -1, POLLIN, 0}};
    const timespec until{longest.count() / 1'000'000, longest.count() % 1'000'000 * 1000};
    ::ppoll(watched, std::size(watched), &until, nullptr);
    if ((watched[0].revents & POLLIN) != 0) bell_.clear();
  }

  const std::string name_;
  transport::any_transport endpoint_;
  stream_device& device_;
  bell bell_;
  std::vector<lane> lanes_;
  std::byte* flags_ = nullptr;
  std::mutex mutex_;
  std::optional<transport::failure> failure_;  // under the mutex, as the next two
  bool is_over_ = false;
  std::string why_over_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<stream_wire> make_transport_wire(transport::any_transport endpoint, stream_device& device, int lanes,
                                                 std::string name) {
  if (lanes < 1 || lanes > 0xFFFF)
    fail(errc::invalid_argument, "a wire between devices with " + std::to_string(lanes) + " lanes", {}, "1 to 65535");
  return std::make_unique<transport_wire>(std::move(endpoint), device, lanes, std::move(name));
}

}  // namespace hawser::executor
