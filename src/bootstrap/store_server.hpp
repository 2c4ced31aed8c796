// Inside of the store server: its connections and its one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <hawser/bootstrap/store.hpp>
#include <hawser/core/handshake.hpp>

#include "../core/channel.hpp"
#include "death_probe.hpp"
#include "store_state.hpp"
#include "wire.hpp"

namespace hawser::bootstrap {

/// What a store that takes another one's place begins with.
struct store_server::inheritance {
  net::unique_fd listener{};            ///< where the ranks will look for it
  std::vector<failure_notice> known{};  ///< what was said of ranks before
  int stores_before = 1;
  std::unordered_map<std::int32_t, std::string> standbys{};  ///< where ranks would open a store
  milliseconds grace{10'000};                                ///< ranks that have not come by then are given up
};

class store_server::implementation {
 public:
  explicit implementation(store_server_options options);
  /// Takes an earlier store's place.
  implementation(store_server_options options, inheritance inherited);
  ~implementation();

  int port() const noexcept { return port_; }
  void close(milliseconds linger);

 private:
  using clock = std::chrono::steady_clock;

  struct connection {
    std::uint64_t id = 0;
    net::channel fd;
    std::optional<handshake> greeting;  // until it has ended
    rank peer;                          // after the greeting
    bool is_member = false;             // joined, and has neither left nor failed
    bool closes_when_flushed = false;
    bool is_probed = false;        // it has been silent for long, and was sent something to acknowledge
    clock::time_point last_heard;  // before the greeting's end: when it was accepted
    wire::splitter input;
    std::string output;
    std::size_t sent = 0;
    std::uint32_t interest = 0;

    std::size_t unsent() const noexcept { return output.size() - sent; }
  };

  void run();
  void end_gracefully();
  int tick_ms() const noexcept;
  void set_accepting(bool is_accepting);
  void accept_all();
  void check_deadlines();

  void on_event(std::uint64_t id, std::uint32_t events);
  void read_from(connection& from);
  void read_unread();
  void check_member(connection& each, clock::duration silence);
  bool greet(connection& from);
  void after_greeting(connection& from);
  void handle(connection& from, std::string_view body);
  void put(connection& from, wire::reader& fields);
  void get(connection& from, wire::reader& fields);
  void rendezvous(connection& from, wire::reader& fields);
  void answer_rendezvous();
  void agree(connection& from, wire::reader& fields);
  void decide_agreements();
  void check_missing();
  void probe_missing();
  std::string standby_table() const;
  void answer(std::uint64_t connection_id, std::uint64_t request, std::string_view text);
  void push(const failure_notice& notice, std::uint64_t except);
  void note_lost_link(connection& from, wire::reader& fields);
  void testify(const connection& living);

  void queue(connection& to, std::string_view bytes);
  void flush(connection& to);
  void update_interest(connection& of);
  void fail_member(connection& failed, const std::string& reason, failure_kind kind);
  void drop(connection& gone);
  void reap();

  store_server_options options_;
  std::shared_ptr<const net::tls_keys> keys_;  // null: in the clear
  int port_ = 0;
  net::unique_fd listener_, epoll_, wake_;
  bool is_accepting_ = false;
  std::size_t greeting_ = 0;  // connections that have not proven the secret
  std::uint64_t next_id_ = 2;
  std::unordered_map<std::uint64_t, connection> connections_;
  std::vector<std::uint64_t> unread_;   // connections that hold bytes which their sockets do not tell of
  std::vector<std::uint64_t> dropped_;  // removed at the end of a round, so that no reference dangles in it
  store_state state_;
  std::vector<waiting_request> rendezvous_;
  int at_rendezvous_ = 0;  // ranks that have come to it
  /// A rank has lost its connection to another one, of which nothing has been heard since.
  struct lost_link {
    rank from, to;
    std::string scope, reason;
    clock::time_point since;
  };
  std::vector<lost_link> lost_links_;
  std::unordered_map<std::int32_t, std::string> standbys_;  // where each rank would open a store
  agreement_table agreements_;
  std::unordered_map<std::string, std::vector<waiting_request>> asking_;  // by the agreement's name
  std::vector<rank> lobby_;                                               // newcomers that wait for their admission
  std::unordered_map<std::int32_t, waiting_request> admissions_;
  death_probes probes_;
  int stores_before_ = 0;
  std::optional<clock::time_point> grace_ends_;  // a successor: when ranks that have not come are given up
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::int64_t> linger_ms_{-1};  // >= 0: end in good order
  std::thread thread_;
};

}  // namespace hawser::bootstrap
