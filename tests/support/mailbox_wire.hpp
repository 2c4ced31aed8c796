// The strictest wire between devices of threads: an exchange blocks its stream until all of its messages are through.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/executor/stream_wire.hpp>
#include <support/thread_device.hpp>

namespace hawser::test {

/// Where the ranks' messages meet. Thread-safe.
class post_office {
 public:
  /// One exchange of one rank.
  struct parcel {
    int left = 0;
  };

  /// Blocks until all transfers are through; false where the office was closed before.
  bool exchange(int lane, rank self, const std::vector<executor::stream_transfer>& transfers) {
    std::unique_lock lock(mutex_);
    parcel mine{static_cast<int>(transfers.size())};
    for (const executor::stream_transfer& each : transfers) {
      const auto way =
          each.is_send ? std::tuple(lane, self.value, each.peer.value) : std::tuple(lane, each.peer.value, self.value);
      ends& both = ends_[way];
      (each.is_send ? both.sent : both.wanted).push_back({each.data, each.bytes, &mine});
      meet(both);
    }
    changed_.wait(lock, [&] { return mine.left == 0 || is_closed_; });
    return mine.left == 0;
  }
  void close() {
    std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }
  bool is_closed() const {
    std::lock_guard lock(mutex_);
    return is_closed_;
  }
  /// Messages that were sent and never received, or the other way; and what did not fit.
  std::string complaints() const {
    std::lock_guard lock(mutex_);
    std::string text = complaints_;
    for (const auto& [way, both] : ends_)
      if (!both.sent.empty() || !both.wanted.empty())
        text += "from " + std::to_string(std::get<1>(way)) + " to " + std::to_string(std::get<2>(way)) + " on lane " +
                std::to_string(std::get<0>(way)) + ": " + std::to_string(both.sent.size()) + " not received, " +
                std::to_string(both.wanted.size()) + " not sent; ";
    return text;
  }

 private:
  struct end {
    void* data;
    std::size_t bytes;
    parcel* of;
  };
  struct ends {
    std::deque<end> sent, wanted;
  };

  void meet(ends& both) {
    if (is_closed_) return;
    while (!both.sent.empty() && !both.wanted.empty()) {
      const end from = both.sent.front(), to = both.wanted.front();
      both.sent.pop_front();
      both.wanted.pop_front();
      if (from.bytes != to.bytes)
        complaints_ += std::to_string(from.bytes) + " bytes were sent, " + std::to_string(to.bytes) + " wanted; ";
      std::memcpy(to.data, from.data, std::min(from.bytes, to.bytes));
      --from.of->left;
      --to.of->left;
    }
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::tuple<int, std::int32_t, std::int32_t>, ends> ends_;
  std::string complaints_;
  bool is_closed_ = false;
};

/// One rank's end at the office, on its device.
class mailbox_wire final : public executor::stream_wire {
 public:
  mailbox_wire(std::shared_ptr<post_office> office, rank self, thread_device& device, int lanes,
               std::string why_not_capturable = {}, std::string name = "mailboxes")
      : name_(std::move(name)),
        office_(std::move(office)),
        self_(self),
        device_(device),
        lanes_(lanes),
        why_not_capturable_(std::move(why_not_capturable)) {}

  std::string_view name() const override { return name_; }
  int lanes() const override { return lanes_; }
  void exchange(int lane, stream_handle stream, std::span<const executor::stream_transfer> transfers) override {
    if (office_->is_closed()) fail(errc::aborted, "the mailboxes are closed");
    device_.enqueue(stream, [office = office_, lane, self = self_,
                             list = std::vector<executor::stream_transfer>(transfers.begin(), transfers.end())] {
      office->exchange(lane, self, list);
    });
  }
  std::string_view why_not_capturable() const override { return why_not_capturable_; }
  std::optional<transport::failure> poll_failure() override {
    if (!office_->is_closed()) return {};
    return transport::failure{errc::aborted, rank(-1), "the mailboxes are closed"};
  }
  void abort(std::string_view) noexcept override { office_->close(); }

 private:
  std::string name_;
  std::shared_ptr<post_office> office_;
  rank self_;
  thread_device& device_;
  int lanes_;
  std::string why_not_capturable_;
};

}  // namespace hawser::test
