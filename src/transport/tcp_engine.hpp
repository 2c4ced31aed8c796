// Inside of the TCP transport: peers, connections on their way to one, and the epoll set.
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/core/handshake.hpp>
#include <hawser/transport/matching.hpp>
#include <hawser/transport/tcp.hpp>

#include "../core/channel.hpp"

namespace hawser::transport {

class tcp_transport::engine {
 public:
  engine(const endpoint_environment& environment, tcp_options options);
  ~engine();

  void send(rank to, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank from, tag match, sink into, completion& done);
  bool progress();
  bool arm() noexcept;
  int wait_descriptor() const noexcept { return epoll_.value(); }
  void peer_failed(const failure& why);
  void shutdown();

 private:
  using clock = std::chrono::steady_clock;

  // Keys of the epoll set: peers are their rank, then these, then visitors.
  static constexpr std::uint64_t listener_key = std::uint64_t{1} << 32;
  static constexpr std::uint64_t timer_key = listener_key + 1;
  static constexpr std::uint64_t first_visitor = listener_key + 2;

  static constexpr std::size_t head_bytes = 16;  // tag 8, bytes 8; little-endian
  using head = std::array<std::byte, head_bytes>;

  struct outgoing {
    head start;
    std::span<const std::byte> bytes;
    completion* done = nullptr;
  };

  enum class stage { idle, connecting, greeting, open, lost };

  struct peer {
    peer(rank number, std::size_t buffer_limit, std::size_t& pending)
        : who(number), queue(number, buffer_limit, &pending) {}

    rank who;
    stage now = stage::idle;
    net::channel fd;
    std::string address;                // where it was connected to, for messages
    std::optional<handshake> greeting;  // of the connecting side
    clock::time_point began;            // connecting
    bool has_tried_again = false;       // after the network had no way
    std::uint32_t interest = 0;
    std::optional<failure> why_lost;

    std::deque<outgoing> sends;
    std::size_t sent = 0;  // of the first one, its head included
    bool is_dirty = false;
    bool is_unread = false;   // its channel holds bytes that the socket does not tell of
    bool is_blocked = false;  // the socket took no more

    match_queue queue;
    arrival* current = nullptr;  // the message whose bytes arrive
    head partial{};              // a head that has arrived in part
    std::size_t partial_bytes = 0;
  };

  /// An accepted connection that has not said, and proven, who it is.
  struct visitor {
    net::channel fd;
    handshake greeting;
    clock::time_point deadline;
    std::uint32_t interest = 0;
  };

  // tcp_engine.cpp: peers and their ends
  peer& peer_of(rank who);
  void use(peer& each);
  void fail_peer(peer& each, const failure& why);
  void lose(peer& each, std::string_view reason);
  void close(peer& each);
  void mark_dirty(peer& each);
  void flush_dirty();
  void read_unread();
  bool may_look_away() noexcept;
  void on_event(std::uint64_t key, std::uint32_t events);
  bool watch(int fd, std::uint64_t key, std::uint32_t& current, std::uint32_t wanted);
  void watch(peer& each);

  // tcp_connect.cpp: from nothing to an open connection
  void listen(const endpoint_environment& environment);
  void set_listening(bool is_listening);
  void set_timer();
  void on_timer();
  void accept_all();
  void on_visitor(std::uint64_t id);
  std::string refusal(const introduction& who) const;
  void admit(visitor& guest, std::uint64_t id);
  void connect(peer& each);
  void on_connected(peer& each);
  void on_greeting(peer& each);
  void greet_again(peer& each, std::string_view how_it_ended);
  void fail_strange(peer& each);
  void finish_greeting(peer& each);
  void open(peer& each, net::channel fd);

  // tcp_liveness.cpp: links that are cut
  void watch_over(int fd) const;
  bool is_look_due() noexcept;
  void look_at_links();

  // tcp_stream.cpp: bytes
  void write(peer& each);
  bool complete_sends(peer& each, std::size_t count);
  void read(peer& each);
  bool take(peer& each, std::span<const std::byte> data);
  bool begin(peer& each);
  bool finish(peer& each);

  tcp_options options_;
  rank self_;
  int size_;
  std::function<std::string(std::string_view)> look_up_;
  std::string secret_;
  std::shared_ptr<const net::tls_keys> keys_;  // null: in the clear
  std::chrono::milliseconds connect_timeout_, peer_timeout_;
  clock::time_point next_look_{};
  bool is_look_due_ = false;
  std::size_t buffer_limit_;
  net::unique_fd epoll_, listener_, timer_;
  std::uint32_t listener_interest_ = 0;
  bool is_timer_set_ = false;
  std::size_t pending_ = 0;     // transfers of all peers
  int looked_away_ = 0;         // rounds of progress since the kernel was last asked
  bool has_moved_ = false;      // in this round of progress
  bool has_only_sent_ = false;  // in the round before
  std::unordered_map<std::int32_t, std::unique_ptr<peer>> peers_;
  std::unordered_map<std::uint64_t, visitor> visitors_;
  std::uint64_t next_visitor_;
  std::vector<peer*> dirty_, flushing_;  // peers with something new to send
  std::vector<peer*> unread_, reading_;  // peers with something that has left the socket
  std::vector<std::byte> scratch_;
  std::optional<failure> closed_;
};

}  // namespace hawser::transport
