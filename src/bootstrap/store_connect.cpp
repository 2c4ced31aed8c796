// Connection attempts to the store, with growing pauses.
#include "store_connect.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include <hawser/core/error.hpp>
#include <hawser/core/handshake.hpp>
#include <hawser/core/units.hpp>

namespace hawser::bootstrap {
namespace {

using clock = std::chrono::steady_clock;

constexpr milliseconds first_pause{10};
constexpr milliseconds longest_pause{500};
constexpr milliseconds longest_attempt{5000};  // of one address, connection and handshake together

std::string place(const store_options& options) {
  return options.address + ":" + std::to_string(options.port);
}

/// Waits for an event; false when the time is up, or when `cancel` (-1: none) is readable.
bool wait_for(int fd, short events, clock::time_point deadline, int cancel = -1) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now());
    if (left.count() <= 0) return false;
    pollfd both[2] = {{fd, events, 0}, {cancel, POLLIN, 0}};
    const int ready = ::poll(both, 2, static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
    if (both[1].revents != 0) return false;
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/// Runs the handshake; returns why it is worth another attempt, or nothing when it ended.
std::string exchange(int fd, handshake& greeting, clock::time_point deadline, int cancel = -1) {
  std::array<std::byte, handshake::longest_message> buffer;
  while (greeting.current() != handshake::state::ended) {
    const bool writes = !greeting.output().empty();
    const net::io_result done = writes ? net::write_some(fd, greeting.output())
                                       : net::read_some(fd, std::span(buffer).first(greeting.wanted()));
    switch (done.status) {
      case net::io_status::moved:
        if (writes)
          greeting.sent(done.count);
        else
          greeting.feed(std::span(buffer).first(done.count));
        break;
      case net::io_status::would_block:
        if (!wait_for(fd, writes ? POLLOUT : POLLIN, deadline, cancel))
          return "it accepts connections but does not answer";
        break;
      case net::io_status::closed: return "it closed the connection during the handshake";
      case net::io_status::failed: return net::describe_errno(done.code);
    }
  }
  return {};
}

/// Throws for a verdict that no further attempt changes; returns the reason of one that may change.
std::string judge(const handshake& greeting, const store_options& options) {
  const std::string problem = "rank " + to_string(options.self) + " cannot join the job at " + place(options);
  if (greeting.is_malformed())
    fail(errc::mismatch, problem, "what listens there is not a hawser store", "check MASTER_ADDR and MASTER_PORT");
  switch (greeting.result()) {
    case verdict::accepted: return {};
    case verdict::not_now: return greeting.reason();
    case verdict::refused: fail(errc::mismatch, problem, greeting.reason(), "check RANK and WORLD_SIZE");
    case verdict::other_version:
      fail(errc::mismatch, problem, greeting.reason(), "start every rank with the same version of hawser");
    case verdict::not_believed: break;
  }
  fail(errc::authentication, problem, "this process and the store do not have the same secret",
       "give every rank the same HAWSER_SECRET_FILE");
}

/// One attempt at one address; fills `why` where it did not succeed.
net::unique_fd attempt(const net::address& to, const store_options& options, clock::time_point deadline,
                       std::string& why) {
  net::unique_fd fd = net::begin_connect(to);
  if (!fd) return why = net::describe_errno(errno), net::unique_fd{};
  if (!wait_for(fd.value(), POLLOUT, deadline)) return why = "no answer to the connection", net::unique_fd{};
  if (const int code = net::pending_error(fd.value())) return why = net::describe_errno(code), net::unique_fd{};
  handshake greeting = handshake::initiate(options.secret, {service::store, options.self, rank{0}, options.size});
  why = exchange(fd.value(), greeting, deadline);
  if (why.empty()) why = judge(greeting, options);
  return why.empty() ? std::move(fd) : net::unique_fd{};
}

/// Nothing: it is worth another attempt.
std::optional<reception> ask_once(const net::address& where, const std::string& secret, const introduction& who,
                                  clock::time_point deadline, int cancel, net::unique_fd& joined) {
  net::unique_fd fd = net::begin_connect(where);
  if (!fd) return errno == ECONNREFUSED ? std::optional(reception::nobody) : std::nullopt;
  if (!wait_for(fd.value(), POLLOUT, deadline, cancel)) return std::nullopt;
  if (const int code = net::pending_error(fd.value()))
    return code == ECONNREFUSED ? std::optional(reception::nobody) : std::nullopt;
  handshake greeting = handshake::initiate(secret, who);
  if (!exchange(fd.value(), greeting, deadline, cancel).empty()) return std::nullopt;
  if (greeting.is_malformed()) return reception::no_answer;
  switch (greeting.result()) {
    case verdict::accepted: return joined = std::move(fd), reception::joined;
    case verdict::not_now: return std::nullopt;
    case verdict::refused: return reception::given_up;
    default: return reception::no_answer;
  }
}

}  // namespace

reception ask_successor(const net::address& where, const std::string& secret, const introduction& who,
                        clock::time_point deadline, int cancel, net::unique_fd& joined) {
  for (;;) {
    if (const auto came = ask_once(where, secret, who, deadline, cancel, joined)) return *came;
    if (clock::now() >= deadline) return reception::no_answer;
    pollfd cancelled{cancel, POLLIN, 0};
    if (::poll(&cancelled, 1, static_cast<int>(first_pause.count())) > 0) return reception::cancelled;
  }
}

net::unique_fd connect_to_store(const store_options& options) {
  const auto deadline = clock::now() + options.connect_timeout;
  milliseconds pause = first_pause;
  std::string why = "there was no time for an attempt";
  for (int attempts = 1;; ++attempts) {
    try {
      for (const net::address& to : net::resolve(options.address, options.port, false)) {
        net::unique_fd fd = attempt(to, options, std::min(deadline, clock::now() + longest_attempt), why);
        if (fd) return fd;
        why = to.print() + ": " + why;
      }
    } catch (const error& unresolved) {
      if (unresolved.code() != errc::io) throw;
      why = unresolved.what();  // a name may appear when its host does
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
    if (left <= pause)
      fail(errc::timeout,
           "rank " + to_string(options.self) + " cannot reach the store at " + place(options) + " within " +
               to_string(seconds(options.connect_timeout)),
           std::to_string(attempts) + " attempts, the last one: " + why,
           "is rank 0 running? check MASTER_ADDR and MASTER_PORT");
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, longest_pause);
  }
}

}  // namespace hawser::bootstrap
