// One transport made of several: each peer is reached through the one that was picked for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// Models `transport`. A peer without a route fails its transfers with errc::unsupported.
class router {
 public:
  router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;
  ~router();

  /// Adds a back end; returns its number for `route`.
  std::size_t add(any_transport back_end);
  /// Sends and receives of this peer go through back end number `back_end`.
  void route(rank peer, std::size_t back_end);
  /// Peers without a route of their own use this back end.
  void route_others(std::size_t back_end) { others_ = static_cast<std::int32_t>(back_end); }
  any_transport& at(std::size_t back_end) { return back_ends_[back_end]; }
  /// The name of the back end that serves a peer; "none" where there is none.
  std::string_view name_for(rank peer) const;

  std::string_view name() const noexcept { return "router"; }
  /// As the concept `transport` says, each through its peer's back end.
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank peer, tag match, sink into, completion& done);
  bool progress();
  bool arm();
  /// Readable when any back end has work or `wake` was called; -1 where one of them can only be polled.
  int wait_descriptor() const noexcept { return can_block_ ? epoll_ : -1; }
  bool consumes_in_place(rank peer) const;
  void peer_failed(const failure& why);
  void shutdown();

  /// Ends a wait on `wait_descriptor`, from any thread.
  void wake() noexcept;

 private:
  any_transport* back_end_of(rank peer);

  std::vector<any_transport> back_ends_;
  std::vector<std::int16_t> route_of_;  // by rank, grown on demand; -1: others_
  std::int32_t others_ = -1;
  int epoll_ = -1;
  int wake_ = -1;
  bool can_block_ = true;
};

static_assert(transport<router>);

}  // namespace hawser::transport
