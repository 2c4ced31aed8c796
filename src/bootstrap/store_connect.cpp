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

/// What `exchange` says of a peer that TLS has shown not to have the secret.
const std::string strange = "it does not have this job's secret";

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
std::string exchange(net::channel& fd, handshake& greeting, clock::time_point deadline, int cancel = -1) {
  std::array<std::byte, handshake::longest_message> buffer;
  while (greeting.current() != handshake::state::ended) {
    const bool writes = !greeting.output().empty();
    const net::io_result done =
        writes ? fd.write(greeting.output()) : fd.read(std::span(buffer).first(greeting.wanted()));
    switch (done.status) {
      case net::io_status::moved:
        if (writes)
          greeting.sent(done.count);
        else
          greeting.feed(std::span(buffer).first(done.count));
        break;
      case net::io_status::would_block:
        if (!wait_for(fd.value(), writes ? fd.awaited_by_write() : fd.awaited_by_read(), deadline, cancel))
          return "it accepts connections but does not answer";
        break;
      case net::io_status::closed:
        return "it closed the connection during the handshake; is HAWSER_TLS the same there?";
      case net::io_status::failed:
        if (done.code == EKEYREJECTED) return strange;
        return net::describe_errno(done.code);
    }
  }
  return {};
}

std::string problem_of(const store_options& options) {
  return "rank " + to_string(options.self) + " cannot join the job at " + place(options);
}

[[noreturn]] void fail_strange(const store_options& options) {
  fail(errc::authentication, problem_of(options), "this process and the store do not have the same secret",
       "give every rank the same HAWSER_SECRET_FILE");
}

/// Throws for a verdict that no further attempt changes; returns the reason of one that may change.
std::string judge(const handshake& greeting, const store_options& options) {
  const std::string problem = problem_of(options);
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
  fail_strange(options);
}

/// One attempt at one address; fills `why` where it did not succeed.
net::channel attempt(const net::address& to, const store_options& options, const keys& by, clock::time_point deadline,
                     std::string& why) {
  net::channel fd(net::begin_connect(to), by, net::tls_side::connects);
  if (!fd) return why = net::describe_errno(errno), net::channel{};
  if (!wait_for(fd.value(), POLLOUT, deadline)) return why = "no answer to the connection", net::channel{};
  if (const int code = net::pending_error(fd.value())) return why = net::describe_errno(code), net::channel{};
  handshake greeting = handshake::initiate(options.secret, {service::store, options.self, rank{0}, options.size});
  why = exchange(fd, greeting, deadline);
  if (why == strange) fail_strange(options);
  if (why.empty()) why = judge(greeting, options);
  return why.empty() ? std::move(fd) : net::channel{};
}

/// Nothing: it is worth another attempt.
std::optional<reception> ask_once(const net::address& where, const std::string& secret, const keys& by,
                                  const introduction& who, clock::time_point deadline, int cancel,
                                  net::channel& joined) {
  net::channel fd(net::begin_connect(where), by, net::tls_side::connects);
  if (!fd) return errno == ECONNREFUSED ? std::optional(reception::nobody) : std::nullopt;
  if (!wait_for(fd.value(), POLLOUT, deadline, cancel)) return std::nullopt;
  if (const int code = net::pending_error(fd.value()))
    return code == ECONNREFUSED ? std::optional(reception::nobody) : std::nullopt;
  handshake greeting = handshake::initiate(secret, who);
  if (const std::string why = exchange(fd, greeting, deadline, cancel); !why.empty())
    return why == strange ? std::optional(reception::no_answer) : std::nullopt;
  if (greeting.is_malformed()) return reception::no_answer;
  switch (greeting.result()) {
    case verdict::accepted: return joined = std::move(fd), reception::joined;
    case verdict::not_now: return std::nullopt;
    case verdict::refused: return reception::given_up;
    default: return reception::no_answer;
  }
}

}  // namespace

reception ask_successor(const net::address& where, const std::string& secret, const keys& by, const introduction& who,
                        clock::time_point deadline, int cancel, net::channel& joined) {
  for (;;) {
    if (const auto came = ask_once(where, secret, by, who, deadline, cancel, joined)) return *came;
    if (clock::now() >= deadline) return reception::no_answer;
    pollfd cancelled{cancel, POLLIN, 0};
    if (::poll(&cancelled, 1, static_cast<int>(first_pause.count())) > 0) return reception::cancelled;
  }
}

net::channel connect_to_store(const store_options& options, const keys& by) {
  const auto deadline = clock::now() + options.connect_timeout;
  milliseconds pause = first_pause;
  std::string why = "there was no time for an attempt";
  for (int attempts = 1;; ++attempts) {
    try {
      for (const net::address& to : net::resolve(options.address, options.port, false)) {
        net::channel fd = attempt(to, options, by, std::min(deadline, clock::now() + longest_attempt), why);
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
