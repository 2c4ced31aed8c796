// What every transport between processes must do, as checks that all ranks of a job run together. They throw.
#pragma once

#include <poll.h>
#include <sched.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hawser/transport/transport.hpp>

namespace hawser::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

inline void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

/// A message's bytes depend on who sends it to whom and on a number, so that no two are taken for each other.
inline std::vector<std::byte> pattern(std::size_t bytes, rank from, rank to, unsigned number) {
  std::vector<std::byte> made(bytes);
  std::uint32_t state = 1 + static_cast<std::uint32_t>(from.value) * 7919U +
                        static_cast<std::uint32_t>(to.value) * 104729U + number * 2654435761U;
  for (std::byte& each : made) {
    state = state * 1664525U + 1013904223U;
    each = static_cast<std::byte>(state >> 24);
  }
  return made;
}

/// One transfer, its memory and its outcome.
struct transfer : transport::completion {
  std::vector<std::byte> memory;
  int calls = 0;
  std::optional<transport::failure> failed;

  explicit transfer(std::vector<std::byte> bytes) : memory(std::move(bytes)) {
    done = [](completion& self, const transport::failure* why) {
      auto& mine = static_cast<transfer&>(self);
      ++mine.calls;
      if (why) mine.failed = *why;
    };
  }
  explicit transfer(std::size_t bytes) : transfer(std::vector<std::byte>(bytes)) {}
  bool is_done() const { return calls > 0; }
};

/// A rank's view of the job under test.
struct participant {
  transport::any_transport& endpoint;
  rank self;
  int size;

  rank next() const { return (self.value + 1) % size; }
  rank previous() const { return (self.value + size - 1) % size; }

  void send(rank peer, transport::tag match, transfer& which) { endpoint.send(peer, match, which.memory, which); }
  void receive(rank peer, transport::tag match, transfer& which) {
    endpoint.receive(peer, match, {.data = which.memory.data(), .bytes = which.memory.size()}, which);
  }
  /// Progresses, and blocks in poll(2) where the transport can be waited for: a lost wake-up shows as a late success.
  template <class Predicate>
  void wait(Predicate is_over, std::chrono::milliseconds bound = 20s) {
    const auto deadline = clock::now() + bound;
    for (int idle = 0; !is_over();) {
      idle = endpoint.progress() ? 0 : idle + 1;
      if (is_over()) return;
      require(clock::now() < deadline, "a wait ran out");
      if (endpoint.wait_descriptor() < 0 || idle < 50) {
        if (idle > 0) sched_yield();
      } else if (endpoint.arm()) {
        pollfd events{endpoint.wait_descriptor(), POLLIN, 0};
        const int ready = poll(&events, 1, static_cast<int>(bound.count()));
        if (ready == 0) require(is_over(), "blocked until the bound: a lost wake-up or a lost message");
      }
    }
  }
  void wait(transfer& which, std::chrono::milliseconds bound = 20s) {
    wait([&] { return which.is_done(); }, bound);
  }
  void wait_all(std::deque<transfer>& all) {
    for (transfer& each : all) wait(each);
  }
};

inline void require_success(const transfer& which, const std::string& what) {
  require(which.calls == 1, what + ": the completion was called " + std::to_string(which.calls) + " times");
  require(!which.failed, what + ": " + (which.failed ? which.failed->what : ""));
}

inline void require_failure(const transfer& which, errc code, rank peer, const std::string& what) {
  require(which.calls == 1, what + ": the completion was called " + std::to_string(which.calls) + " times");
  require(which.failed.has_value(), what + ": succeeded");
  require(which.failed->code == code && which.failed->peer == peer,
          what + ": " + std::string(to_string(which.failed->code)) + " of rank " + to_string(which.failed->peer) +
              ": " + which.failed->what);
}

inline void check_sizes(participant me) {
  for (const std::size_t bytes : {0UL, 1UL, 7UL, 1000UL, 8192UL, 65536UL, 100'001UL, 1UL << 20, (5UL << 20) + 3}) {
    const transport::tag match{.context = 1, .operation = static_cast<std::uint16_t>(bytes % 977)};
    transfer out(pattern(bytes, me.self, me.next(), 1)), in(bytes);
    me.receive(me.previous(), match, in);
    me.send(me.next(), match, out);
    me.wait(in);
    me.wait(out);
    require_success(out, "send of " + std::to_string(bytes));
    require_success(in, "receive of " + std::to_string(bytes));
    require(in.memory == pattern(bytes, me.previous(), me.self, 1), "wrong bytes, size " + std::to_string(bytes));
  }
}

/// Receives are posted in the reverse order of the sends, each part of the tag varied alone.
inline void check_tags(participant me) {
  std::vector<transport::tag> tags;
  for (std::uint16_t i = 0; i < 8; ++i) {
    tags.push_back({.context = 2, .operation = i, .segment = 100});
    tags.push_back({.context = 2, .operation = 100, .segment = i});
    tags.push_back({.context = 2, .operation = 101, .segment = 101, .channel = i});
    tags.push_back({.context = static_cast<std::uint16_t>(10 + i), .operation = 102});
  }
  std::deque<transfer> out, in;
  for (unsigned i = 0; i < tags.size(); ++i) {
    const std::size_t bytes = 16 + 3000 * (i % 5);
    me.send(me.next(), tags[i], out.emplace_back(pattern(bytes, me.self, me.next(), i)));
  }
  for (unsigned i = static_cast<unsigned>(tags.size()); i-- > 0;)
    me.receive(me.previous(), tags[i], in.emplace_front(16 + 3000 * (i % 5)));
  me.wait_all(in);
  me.wait_all(out);
  for (unsigned i = 0; i < tags.size(); ++i) {
    require_success(in[i], "tag " + std::to_string(i));
    require(in[i].memory == pattern(in[i].memory.size(), me.previous(), me.self, i), "a tag took another's message");
  }
}

/// Messages that arrive before their receive, many with one tag: they match in order.
inline void check_unexpected(participant me) {
  const transport::tag match{.context = 3}, last{.context = 3, .operation = 1};
  std::deque<transfer> out, in;
  constexpr unsigned count = 40;
  const auto bytes = [](unsigned i) { return std::size_t{1} << (i % 18); };
  for (unsigned i = 0; i < count; ++i)
    me.send(me.next(), match, out.emplace_back(pattern(bytes(i), me.self, me.next(), i)));
  transfer go(pattern(8, me.self, me.next(), 999)), come(8);
  me.send(me.next(), last, go);
  me.receive(me.previous(), last, come);
  me.wait(come);
  for (unsigned i = 0; i < count; ++i) me.receive(me.previous(), match, in.emplace_back(bytes(i)));
  me.wait_all(in);
  me.wait_all(out);
  me.wait(go);
  for (unsigned i = 0; i < count; ++i) {
    require_success(in[i], "unexpected message " + std::to_string(i));
    require(in[i].memory == pattern(bytes(i), me.previous(), me.self, i), "equal tags matched out of order");
  }
}

/// Every rank with every rank, itself included, both directions at once.
inline void check_all_pairs(participant me) {
  std::deque<transfer> out, in;
  constexpr unsigned rounds = 25;
  const auto bytes = [](unsigned i) { return (i * 7919U) % 200'000U; };
  const auto match = [](unsigned i) { return transport::tag{.context = 4, .segment = static_cast<std::uint16_t>(i)}; };
  for (unsigned i = 0; i < rounds; ++i)
    for (int peer = 0; peer < me.size; ++peer) {
      me.receive(peer, match(i), in.emplace_back(bytes(i)));
      me.send(peer, match(i), out.emplace_back(pattern(bytes(i), me.self, peer, i)));
    }
  me.wait_all(in);
  me.wait_all(out);
  for (unsigned k = 0; k < in.size(); ++k) {
    const unsigned i = k / static_cast<unsigned>(me.size);
    require_success(in[k], "interleaved message");
    require(in[k].memory == pattern(bytes(i), static_cast<int>(k) % me.size, me.self, i), "interleaved bytes differ");
  }
}

/// A receive that expects another size fails, says so, and the connection stays usable.
inline void check_mismatch(participant me) {
  constexpr std::pair<std::size_t, std::size_t> cases[] = {{100, 200}, {200, 100}, {0, 8}, {8, 0}, {300'000, 200'000}};
  std::uint16_t operation = 0;
  for (const auto& [sent, expected] : cases) {
    const transport::tag match{.context = 5, .operation = operation++};
    transfer out(pattern(sent, me.self, me.next(), 1)), in(expected);
    me.receive(me.previous(), match, in);
    me.send(me.next(), match, out);
    me.wait(in);
    me.wait(out);
    require_failure(in, errc::mismatch, me.previous(), std::to_string(sent) + " for " + std::to_string(expected));
  }
  check_all_pairs(me);
}

/// `peer_failed` fails what is pending and what comes, and names the peer. Afterwards that peer cannot be used.
inline void check_declared_failure(participant me, rank peer) {
  transfer in(64), large(1 << 20), late(pattern(8, me.self, peer, 1));
  me.receive(peer, {.context = 6}, in);
  me.receive(peer, {.context = 6, .operation = 1}, large);
  me.endpoint.peer_failed({errc::peer_failed, peer, "declared by the test"});
  me.wait(in, 5s);
  me.wait(large, 5s);
  require_failure(in, errc::peer_failed, peer, "pending receive");
  require_failure(large, errc::peer_failed, peer, "pending large receive");
  me.send(peer, {.context = 6, .operation = 2}, late);
  require_failure(late, errc::peer_failed, peer, "send after the failure");
  transfer later(8);
  me.receive(peer, {.context = 6, .operation = 3}, later);
  require_failure(later, errc::peer_failed, peer, "receive after the failure");
}

/// `shutdown` completes what is pending as aborted, within its bound.
inline void check_shutdown(participant me) {
  transfer in(64), out(pattern(6 << 20, me.self, me.previous(), 1));
  me.receive(me.next(), {.context = 7}, in);
  me.send(me.previous(), {.context = 7, .operation = 1}, out);
  const auto before = clock::now();
  me.endpoint.shutdown();
  require(clock::now() - before < 5s, "shutdown took more than 5 s");
  require_failure(in, errc::aborted, me.next(), "pending receive");
  require(out.calls == 1, "a pending send was not completed by shutdown");
  transfer late(pattern(8, me.self, me.next(), 1));
  me.send(me.next(), {.context = 7}, late);
  require_failure(late, errc::aborted, me.next(), "send after shutdown");
  require(!me.endpoint.progress() && !me.endpoint.arm(), "a closed endpoint claims to have work");
}

}  // namespace hawser::test
