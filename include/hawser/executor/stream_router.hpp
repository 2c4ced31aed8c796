// One wire between devices made of several: each peer is reached through the one that was picked for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <hawser/executor/stream_wire.hpp>

namespace hawser::executor {

/// Models `stream_wire`; has as many lanes as the back end with the fewest. The transfers of an exchange that go
/// through different back ends are on streams of their own until all are through, so that they make progress together.
class stream_router final : public stream_wire {
 public:
  /// The device must outlive it.
  explicit stream_router(stream_device& device) : device_(device) {}
  stream_router(const stream_router&) = delete;
  stream_router& operator=(const stream_router&) = delete;
  ~stream_router() override;

  /// Adds a back end; returns its number for `route`. Before the first exchange.
  std::size_t add(std::unique_ptr<stream_wire> back_end);
  /// Messages with `peer` go through back end number `through`, which knows it as rank `number`.
  void route(rank peer, std::size_t through, rank number);
  /// Whether a peer has a route.
  bool reaches(rank peer) const noexcept;
  /// The name of the back end that serves a peer; "none" where there is none.
  std::string_view name_for(rank peer) const;

  /// "nccl and peer_memory".
  std::string_view name() const override { return name_; }
  int lanes() const override;
  /// Throws errc::unsupported for a peer without a route, and as the back ends.
  void exchange(int lane, stream_handle stream, std::span<const stream_transfer> transfers) override;
  /// Of the first back end that has a reason.
  std::string_view why_not_capturable() const override;
  /// Ranks are numbered as in `route`.
  std::optional<transport::failure> poll_failure() override;
  void abort(std::string_view reason) noexcept override;

 private:
  struct way {
    std::int32_t back_end = -1;
    rank number = -1;
  };
  struct back_end {
    std::unique_ptr<stream_wire> wire;
    std::vector<rank> peers;                 // by their numbers there
    std::vector<stream_transfer> transfers;  // of the exchange that is being made
    std::vector<stream_handle> sides;        // per lane, made when first used; before a capture
    std::vector<event_handle> ends;
  };
  const way* way_to(rank peer) const noexcept;
  void prepare_sides();

  stream_device& device_;
  std::string name_;
  std::vector<back_end> back_ends_;
  std::vector<way> ways_;             // by rank
  std::vector<event_handle> begins_;  // per lane
};

}  // namespace hawser::executor
