// Inside of the store's client: what its requests and its monitor thread share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <hawser/bootstrap/store.hpp>

#include "../core/channel.hpp"
#include "wire.hpp"

namespace hawser::bootstrap {

/// A rank, and where it would open a store.
struct standby {
  rank number;
  std::string where;  ///< "host port"
};

class store_bootstrap::implementation {
 public:
  explicit implementation(store_options options);
  ~implementation();

  void put(std::string_view key, std::string_view value);
  std::string get(std::string_view key, milliseconds timeout, const failure_board& heeded);
  void erase(std::string_view key);
  void rendezvous(milliseconds timeout);
  void abort(std::string_view scope, std::string_view reason);
  void report_lost(std::string_view scope, rank peer, std::string_view reason);
  agreement agree(const question& asked);
  admission_notice await_admission(milliseconds timeout);
  void leave(milliseconds linger);

  const store_options& options() const noexcept { return options_; }
  rank self() const;
  std::string store_address() const;
  const std::string& local_address() const noexcept { return local_address_; }
  failure_board& failures() noexcept { return board_; }

 private:
  using clock = std::chrono::steady_clock;

  struct request {
    bool is_answered = false;
    bool is_waiting = false;  // the store said that the answer depends on other ranks
    bool is_cut = false;      // the store was lost before it has answered
    int status = 0;
    std::string text;
  };
  enum class wait_end { answered, failed, timed_out };

  /// Where the connection stands: `recovering` while a successor of a lost store is looked for.
  enum class link { up, recovering, down };

  std::uint64_t start(wire::message type, const std::string& fields);
  /// `heeded`: failures that end the wait for what depends on others; null: none does.
  wait_end wait(std::unique_lock<std::mutex>& lock, const request& on, clock::time_point deadline,
                const failure_board* heeded);
  bool wait_for_link(std::unique_lock<std::mutex>& lock, clock::time_point deadline);
  /// Sends a request and gives its answer's text, or throws.
  std::string call(wire::message type, std::string_view key, std::optional<std::string_view> value,
                   milliseconds timeout, const std::string& problem, const failure_board* heeded);
  /// The same for one that outlives the store: it is asked again where a successor is found.
  std::string persevere(wire::message type, const std::string& fields, milliseconds timeout,
                        const std::string& problem);
  void send(const std::string& message);
  [[noreturn]] void raise(wait_end end, const request& seen, const std::string& problem, milliseconds timeout,
                          const failure_board* heeded);
  std::optional<failure_notice> why_lost() const;
  [[noreturn]] void raise_lost(const std::string& problem);

  static void wake(void* self);
  void monitor();
  bool monitor_once(clock::time_point& last_heartbeat, clock::time_point& last_heard);
  bool read_all(clock::time_point& last_heard);
  void write_all();
  void handle(std::string_view body);
  void welcome(wire::reader& fields);
  void lose(const std::string& reason, failure_kind kind);
  bool is_given_up();
  void stand_by();
  void learn_standbys(const std::string& table);
  bool recover();
  std::vector<standby> candidates(std::optional<rank> lost);
  bool promote();
  void resume(net::channel connected, std::optional<rank> server, const std::string& where);
  void remember(const std::string& name, const std::string& text);

  store_options options_;
  std::shared_ptr<const net::tls_keys> keys_;  // null: in the clear
  net::channel fd_;
  net::unique_fd wake_, ending_;
  std::string local_address_;
  failure_board board_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, request> requests_;  // guarded, as the following
  std::uint64_t next_request_ = 1;
  std::string output_;
  link link_ = link::up;
  rank self_;               // a newcomer's is known from the welcome on
  std::string store_at_;    // "host port": where the store is now
  std::optional<failure_notice> lost_;  // how the last store was lost, unless that was to be expected
  int stores_before_ = 0;   // stores that the job has lost
  net::unique_fd standby_;  // the listener of a store that this process would open
  std::string standby_address_;
  std::vector<standby> standbys_;
  std::map<std::string, std::string> decided_;  // the last agreements, for a successor that may not know them
  std::deque<std::string> decided_order_;
  std::unique_ptr<store_server> successor_;  // that this process runs
  bool is_closing_ = false;                  // the server ended in good order
  bool has_left_ = false;
  bool is_ending_ = false;

  wire::splitter input_;       // of the monitor
  milliseconds peer_timeout_;  // of the monitor
  std::string outgoing_;       // of the monitor
  std::thread thread_;
};

}  // namespace hawser::bootstrap
