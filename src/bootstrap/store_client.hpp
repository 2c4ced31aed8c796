// Inside of the store's client: what its requests and its monitor thread share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include <hawser/bootstrap/store.hpp>

#include "../core/socket.hpp"
#include "wire.hpp"

namespace hawser::bootstrap {

class store_bootstrap::implementation {
 public:
  explicit implementation(store_options options);
  ~implementation();

  void put(std::string_view key, std::string_view value);
  std::string get(std::string_view key, milliseconds timeout);
  void erase(std::string_view key);
  void rendezvous(milliseconds timeout);
  void abort(std::string_view reason);
  void report_lost(rank peer, std::string_view reason);
  void leave();

  const store_options& options() const noexcept { return options_; }
  const std::string& local_address() const noexcept { return local_address_; }
  failure_board& failures() noexcept { return board_; }

 private:
  using clock = std::chrono::steady_clock;

  struct request {
    bool is_answered = false;
    bool is_waiting = false;  // the store said that the answer depends on other ranks
    int status = 0;
    std::string text;
  };
  enum class wait_end { answered, failed, timed_out };

  std::uint64_t start(wire::message type, std::string_view key, std::optional<std::string_view> value = {});
  wait_end wait(std::unique_lock<std::mutex>& lock, const request& on, clock::time_point deadline, bool heeds_failures);
  /// Sends a request and gives its answer's text, or throws.
  std::string call(wire::message type, std::string_view key, std::optional<std::string_view> value,
                   milliseconds timeout, const std::string& problem, bool heeds_failures);
  void send(const std::string& message);
  [[noreturn]] void raise(wait_end end, const request& seen, const std::string& problem, milliseconds timeout);

  static void wake(void* self);
  void monitor();
  bool monitor_once(clock::time_point& last_heartbeat, clock::time_point& last_heard);
  bool read_all(clock::time_point& last_heard);
  void write_all();
  void handle(std::string_view body);
  void lose(const std::string& reason, failure_kind kind);

  store_options options_;
  net::unique_fd fd_, wake_;
  std::string local_address_;
  failure_board board_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, request> requests_;  // guarded, as the following
  std::uint64_t next_request_ = 1;
  std::string output_;
  bool is_lost_ = false;     // the connection is of no use any more
  bool is_closing_ = false;  // the server ended in good order
  bool has_left_ = false;
  bool is_ending_ = false;

  wire::splitter input_;       // of the monitor
  milliseconds peer_timeout_;  // of the monitor
  std::string outgoing_;       // of the monitor
  std::thread thread_;
};

}  // namespace hawser::bootstrap
