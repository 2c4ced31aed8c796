// A transport in one thread's memory that moves only when its random numbers say so: completions are delayed and come
// in any order that the concept allows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/transport/transport.hpp>

namespace hawser::testing {

/// What the endpoints of all ranks share. Messages with one tag match in order; everything else is left to chance: when
/// bytes are taken out of the sender's memory, and when either end is told. A posted receive's memory is spoiled first.
class delayed_network {
 public:
  delayed_network(std::uint64_t seed, bool consumes) : random_(seed), consumes_(consumes) {}

  /// After so many messages the rank is gone: whatever others have under way with it, or start, fails.
  void lose(rank gone, std::int64_t after_messages) {
    lost_ = gone;
    messages_until_loss_ = after_messages;
  }
  /// Messages that have arrived.
  std::int64_t delivered() const noexcept { return delivered_; }
  /// The most different segments that one rank had under way at once, of one operation.
  std::size_t most_segments() const noexcept { return most_segments_; }
  /// Ends of transfers that have not been completed.
  std::size_t outstanding() const noexcept { return ends_.size(); }

 private:
  friend class delayed_wire;

  struct end {
    rank self, peer;
    transport::tag match;
    bool is_send;
    std::span<const std::byte> bytes;  // of a send
    transport::sink into;              // of a receive
    transport::completion* done;
    std::shared_ptr<end> partner{};
    bool is_through = false;  // the bytes have been moved
  };

  bool chance() { return random_() % 4 == 0; }
  bool is_lost(rank r) const { return lost_ && *lost_ == r && delivered_ >= messages_until_loss_; }

  void post(end made) {
    auto added = std::make_shared<end>(std::move(made));
    const auto partner = std::find_if(ends_.begin(), ends_.end(), [&](const auto& each) {
      return each->self == added->peer && each->peer == added->self && each->is_send != added->is_send &&
             each->match == added->match && !each->partner;
    });
    if (partner != ends_.end()) {
      added->partner = *partner;
      (*partner)->partner = added;
    }
    ends_.push_back(std::move(added));
    count_segments(ends_.back()->self, ends_.back()->match);
  }

  void count_segments(rank self, transport::tag like) {
    std::vector<std::uint16_t> segments;
    for (const auto& each : ends_)
      if (each->self == self && each->match.operation == like.operation && each->match.context == like.context)
        segments.push_back(each->match.segment);
    std::sort(segments.begin(), segments.end());
    const auto different = std::unique(segments.begin(), segments.end()) - segments.begin();
    most_segments_ = std::max(most_segments_, static_cast<std::size_t>(different));
  }

  /// Moves the bytes to the receiver, in pieces where it consumes them.
  void move_bytes(const end& from, const end& to) {
    ASSERT_EQ(from.bytes.size(), to.into.bytes);
    ++delivered_;
    if (!to.into.consume) {
      if (!from.bytes.empty()) std::memcpy(to.into.data, from.bytes.data(), from.bytes.size());
      return;
    }
    for (std::size_t at = 0; at < from.bytes.size();) {
      const std::size_t piece = std::min(from.bytes.size() - at, (random_() % 3 + 1) * to.into.granule);
      to.into.consume(to.into.state, at, from.bytes.data() + at, piece);
      at += piece;
    }
  }

  /// Takes an end out; it is complete.
  void take(const std::shared_ptr<end>& gone) {
    gone->partner = nullptr;  // no circle of owners
    std::erase(ends_, gone);
  }

  std::mt19937_64 random_;
  bool consumes_;
  std::optional<rank> lost_;
  std::int64_t messages_until_loss_ = std::numeric_limits<std::int64_t>::max(), delivered_ = 0;
  std::size_t most_segments_ = 0;
  std::vector<std::shared_ptr<end>> ends_;  // in the order in which they were posted
};

/// One rank's endpoint. All of them are used by the thread that made the network.
class delayed_wire {
 public:
  delayed_wire(std::shared_ptr<delayed_network> network, rank self) : network_(std::move(network)), self_(self) {}

  std::string_view name() const noexcept { return "delayed"; }
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
    network_->post({self_, peer, match, true, bytes, {}, &done});
  }
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
    if (into.data) std::memset(into.data, 0xEE, into.bytes);
    network_->post({self_, peer, match, false, {}, into, &done});
  }
  bool progress() {
    auto mine = own();
    std::shuffle(mine.begin(), mine.end(), network_->random_);
    bool moved = false;
    for (const auto& each : mine) moved = try_complete(each) || moved;
    return moved;
  }
  bool arm() { return false; }
  int wait_descriptor() const noexcept { return -1; }
  bool consumes_in_place(rank) const noexcept { return network_->consumes_; }
  void peer_failed(const transport::failure& why) {
    for (const auto& each : own())
      if (each->peer == why.peer) drop(each, why);
  }
  void shutdown() {
    for (const auto& each : own()) drop(each, {errc::aborted, self_, "shut down"});
  }

 private:
  using end = delayed_network::end;

  std::vector<std::shared_ptr<end>> own() const {
    std::vector<std::shared_ptr<end>> mine;
    for (const auto& each : network_->ends_)
      if (each->self == self_) mine.push_back(each);
    return mine;
  }

  bool try_complete(const std::shared_ptr<end>& each) {
    if (!network_->chance()) return false;
    if (!each->is_through && (network_->is_lost(each->peer) || network_->is_lost(self_))) {
      const rank gone = network_->is_lost(self_) ? self_ : each->peer;
      drop(each, {errc::peer_failed, gone, "it is gone"});
      return true;
    }
    if (!each->is_through) {  // the receiver fetches the bytes; the sender is told some time later
      if (each->is_send || !each->partner) return false;
      network_->move_bytes(*each->partner, *each);
      each->is_through = each->partner->is_through = true;
    }
    network_->take(each);
    each->done->done(*each->done, nullptr);
    return true;
  }

  /// The partner waits for ever, as it would on a real wire.
  void drop(const std::shared_ptr<end>& each, const transport::failure& why) {
    if (each->partner && !each->is_through) each->partner->partner = nullptr;
    network_->take(each);
    each->done->done(*each->done, &why);
  }

  std::shared_ptr<delayed_network> network_;
  rank self_;
};

static_assert(transport::transport<delayed_wire>);

}  // namespace hawser::testing
