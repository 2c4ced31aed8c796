// What every transport must do. Instantiate with: INSTANTIATE_TEST_SUITE_P(name, transport_conformance, Values(world)).
#pragma once

#include <algorithm>
#include <list>
#include <memory>
#include <random>

#include "support/transport_world.hpp"

namespace hawser::testing {

class transport_conformance : public ::testing::TestWithParam<transport_world> {
 public:
  static std::string name(const ::testing::TestParamInfo<transport_world>& info) { return info.param.name; }

 protected:
  static void run(int size, const rank_body& body) { GetParam().run(size, body); }
  static void run(int size, const std::function<void(any_transport& endpoint, rank self)>& body) {
    GetParam().run(size, [&](any_transport& endpoint, rank self, shared_store&) { body(endpoint, self); });
  }
};

// Sanitizers see the same paths in fewer and shorter messages, ten times as slowly.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int random_messages = 80;
inline constexpr std::size_t streamed_bytes = (std::size_t{600} << 10) + 5;
#else
inline constexpr int random_messages = 400;
inline constexpr std::size_t streamed_bytes = (std::size_t{3} << 20) + 5;
#endif

inline constexpr std::size_t conformance_sizes[] = {0, 1, 7, 64, 4095, (std::size_t{64} << 10) + 1, streamed_bytes};

inline tag tag_of(std::size_t number) {
  return {.context = 1, .segment = static_cast<std::uint16_t>(number)};
}

/// One transfer with its buffer.
struct transfer {
  explicit transfer(payload moved) : data(std::move(moved)) {}
  ticket done;
  payload data;
};

inline transfer& start_send(any_transport& endpoint, std::list<transfer>& all, rank peer, tag match, payload data) {
  transfer& each = all.emplace_back(std::move(data));
  endpoint.send(peer, match, each.data, each.done);
  return each;
}

inline transfer& start_receive(any_transport& endpoint, std::list<transfer>& all, rank peer, tag match,
                               std::size_t bytes) {
  transfer& each = all.emplace_back(payload(bytes, std::byte{0xEE}));
  endpoint.receive(peer, match, into(each.data), each.done);
  return each;
}

inline void wait_for(any_transport& endpoint, const std::list<transfer>& all, waiting how = waiting::poll) {
  for (const transfer& each : all) wait_for(endpoint, each.done, how);
}

/// Both ranks of a pair know that the other has come here.
inline void meet(any_transport& endpoint, rank peer, tag match) {
  ticket sent, received;
  endpoint.receive(peer, match, {}, received);
  endpoint.send(peer, match, {}, sent);
  wait_for(endpoint, received);
  wait_for(endpoint, sent);
}

TEST_P(transport_conformance, moves_all_sizes_both_ways) {
  run(2, [](any_transport& endpoint, rank self) {
    const int me = self.value, peer = 1 - me;
    for (const waiting how : {waiting::poll, waiting::block})
      for (const std::size_t bytes : conformance_sizes) {
        std::list<transfer> sends, receives;
        start_send(endpoint, sends, peer, tag_of(1), pattern(bytes, bytes + static_cast<std::size_t>(me)));
        transfer& got = start_receive(endpoint, receives, peer, tag_of(1), bytes);
        wait_for(endpoint, receives, how);
        wait_for(endpoint, sends, how);
        require(got.data == pattern(bytes, bytes + static_cast<std::size_t>(peer)), std::to_string(bytes) + " bytes");
      }
  });
}

TEST_P(transport_conformance, matches_by_tag_and_then_by_order) {
  run(2, [](any_transport& endpoint, rank self) {
    constexpr std::size_t tags = 40, each_tag = 3;
    std::list<transfer> all;
    std::vector<transfer*> got(tags * each_tag);
    if (self == rank(0)) {
      for (std::size_t i = 0; i < tags * each_tag; ++i)
        start_send(endpoint, all, 1, tag_of(i % tags), pattern(100 + i, i));
    } else {
      for (std::size_t t = tags; t-- > 0;)
        for (std::size_t k = 0; k < each_tag; ++k)
          got[k * tags + t] = &start_receive(endpoint, all, 0, tag_of(t), 100 + k * tags + t);
    }
    wait_for(endpoint, all, waiting::block);
    for (std::size_t i = 0; self == rank(1) && i < got.size(); ++i)
      require(got[i]->data == pattern(100 + i, i), "message " + std::to_string(i));
  });
}

TEST_P(transport_conformance, keeps_unexpected_messages) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{3000}, std::size_t{100'000}, std::size_t{5} << 20})
    run(2, [bytes](any_transport& endpoint, rank self) {
      const std::size_t messages = bytes > 200'000 ? 3 : 60;
      std::list<transfer> all;
      if (self == rank(0)) {
        for (std::size_t i = 0; i < messages; ++i) start_send(endpoint, all, 1, tag_of(i), pattern(bytes, i));
        start_send(endpoint, all, 1, tag_of(1000), {});
        wait_for(endpoint, all, waiting::block);
        return;
      }
      ticket last;  // lies behind all the others
      endpoint.receive(0, tag_of(1000), {}, last);
      wait_for(endpoint, last, waiting::block);
      for (std::size_t i = messages; i-- > 0;) {
        transfer& got = start_receive(endpoint, all, 0, tag_of(i), bytes);
        wait_for(endpoint, got.done, waiting::block);
        require(got.data == pattern(bytes, i), "unexpected message " + std::to_string(i));
      }
    });
}

/// A random conversation of one ordered pair, the same on both sides.
struct conversation {
  conversation(std::uint64_t seed, int from, int to)
      : random(seed * 10007 + static_cast<std::uint64_t>(from * 64 + to)) {}
  std::size_t next_size() {
    const unsigned kind = static_cast<unsigned>(random() % 100);
    if (kind < 10) return 0;
    if (kind < 70) return random() % 300;
    if (kind < 95) return random() % 20'000;
    return random() % 300'000;
  }
  std::mt19937_64 random;
};

inline std::uint64_t seed_of(std::uint64_t seed, int from, int number) {
  return seed + static_cast<std::uint64_t>(from) * 100'000 + static_cast<std::uint64_t>(number);
}

/// Sends and receives `count` messages with every other rank, a window of them at a time, in shuffled order.
inline void converse(any_transport& endpoint, int me, int size, std::uint64_t seed, int count, waiting how) {
  constexpr int window = 24;
  std::vector<conversation> out, in;
  for (int peer = 0; peer < size; ++peer) out.emplace_back(seed, me, peer), in.emplace_back(seed, peer, me);
  std::mt19937_64 shuffle(seed + static_cast<std::uint64_t>(me));
  for (int first = 0; first < count; first += window) {
    std::list<transfer> sends, receives;
    std::vector<std::pair<transfer*, std::uint64_t>> expected;
    std::vector<std::function<void()>> actions;
    for (int peer = 0; peer < size; ++peer) {
      for (int i = first; peer != me && i < std::min(count, first + window); ++i) {
        const std::size_t sent = out[static_cast<std::size_t>(peer)].next_size();
        const std::size_t received = in[static_cast<std::size_t>(peer)].next_size();
        actions.push_back([&, peer, i, sent] {
          start_send(endpoint, sends, peer, tag_of(static_cast<unsigned>(i)), pattern(sent, seed_of(seed, me, i)));
        });
        actions.push_back([&, peer, i, received] {
          transfer& got = start_receive(endpoint, receives, peer, tag_of(static_cast<unsigned>(i)), received);
          expected.emplace_back(&got, seed_of(seed, peer, i));
        });
      }
    }
    std::shuffle(actions.begin(), actions.end(), shuffle);
    for (const auto& act : actions) {
      act();
      if (shuffle() % 4 == 0) endpoint.progress();
    }
    wait_for(endpoint, receives, how);
    wait_for(endpoint, sends, how);
    for (const auto& [got, made_from] : expected)
      require(got->data == pattern(got->data.size(), made_from), "the right bytes, with seed " + std::to_string(seed));
  }
}

TEST_P(transport_conformance, carries_random_traffic_between_four_ranks) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  for (const waiting how : {waiting::poll, waiting::block})
    run(4, [=](any_transport& endpoint, rank self) { converse(endpoint, self.value, 4, seed, random_messages, how); });
}

/// Takes bytes as a reduction would, and remembers whether the pieces kept the rules.
struct consumer {
  explicit consumer(std::size_t aligned) : granule(aligned) {}
  sink as_sink(std::size_t bytes) {
    return {.data = nullptr, .bytes = bytes, .consume = &take, .state = this, .granule = granule};
  }
  static void take(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) {
    auto& mine = *static_cast<consumer*>(state);
    mine.keeps_rules = mine.keeps_rules && !mine.is_at_end && offset == mine.got.size();
    mine.is_at_end = bytes % mine.granule != 0;
    mine.got.append(from, bytes);
  }
  std::size_t granule;
  payload got;
  bool keeps_rules = true;
  bool is_at_end = false;
};

TEST_P(transport_conformance, feeds_consumers_whole_granules) {
  run(2, [](any_transport& endpoint, rank self) {
    const int peer = 1 - self.value;
    for (const std::size_t granule : {1u, 4u, 12u, 200u})
      for (const std::size_t bytes : conformance_sizes) {
        std::list<transfer> sends;
        if (self == rank(0)) {
          start_send(endpoint, sends, peer, tag_of(granule), pattern(bytes, granule));
          wait_for(endpoint, sends, waiting::block);
        } else if (endpoint.consumes_in_place(peer)) {
          consumer taker(granule);
          ticket done;
          endpoint.receive(peer, tag_of(granule), taker.as_sink(bytes), done);
          wait_for(endpoint, done, waiting::block);
          require(taker.keeps_rules, "pieces of whole granules, in order");
          require(taker.got == pattern(bytes, granule), "consumed bytes");
        } else {
          std::list<transfer> receives;
          start_receive(endpoint, receives, peer, tag_of(granule), bytes);
          wait_for(endpoint, receives, waiting::block);
        }
      }
  });
}

TEST_P(transport_conformance, never_loses_a_wake_up) {
  run(2, [](any_transport& endpoint, rank self) {
    const int peer = 1 - self.value;
    std::uint64_t value = 0;
    const auto bytes = std::as_writable_bytes(std::span(&value, 1));
    for (std::uint64_t round = 0; round < 20'000; ++round) {
      ticket sent, received;
      const auto ping = [&] {
        value = round;
        endpoint.send(peer, tag_of(round), bytes, sent);
        wait_for(endpoint, sent, waiting::block);
      };
      if (self == rank(0)) ping();
      value = ~round;
      endpoint.receive(peer, tag_of(round), {.data = bytes.data(), .bytes = bytes.size()}, received);
      wait_for(endpoint, received, waiting::block);
      require(value == round, "round " + std::to_string(round));
      if (self == rank(1)) ping();
    }
  });
}

TEST_P(transport_conformance, streams_both_ways_while_blocking) {
  run(2, [](any_transport& endpoint, rank self) {
    const int me = self.value, peer = 1 - me;
    constexpr std::size_t messages = 12, bytes = streamed_bytes;
    std::list<transfer> sends, receives;
    for (std::size_t i = 0; i < messages; ++i)
      start_send(endpoint, sends, peer, tag_of(i), pattern(bytes, static_cast<std::size_t>(me) * messages + i));
    for (std::size_t i = 0; i < messages; ++i) start_receive(endpoint, receives, peer, tag_of(i), bytes);
    wait_for(endpoint, receives, waiting::block);
    wait_for(endpoint, sends, waiting::block);
    std::size_t number = static_cast<std::size_t>(peer) * messages;
    for (const transfer& each : receives) require(each.data == pattern(bytes, number++), "a streamed message");
  });
}

TEST_P(transport_conformance, reports_a_size_mismatch_and_goes_on) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{64}, std::size_t{1} << 20})
    run(2, [bytes](any_transport& endpoint, rank self) {
      const int peer = 1 - self.value;
      std::list<transfer> sends;
      if (self == rank(0)) {
        start_send(endpoint, sends, peer, tag_of(1), pattern(bytes, 1));
        start_send(endpoint, sends, peer, tag_of(2), pattern(1000, 2));
        wait_until(endpoint, waiting::block,
                   [&] { return sends.front().done.is_over() && sends.back().done.is_over(); });
        require(sends.back().done.has_succeeded(), "the next message is sent");
        return;
      }
      std::list<transfer> receives;
      transfer& wrong = start_receive(endpoint, receives, peer, tag_of(1), bytes + 8);
      wait_until(endpoint, waiting::block, [&] { return wrong.done.is_over(); });
      require(wrong.done.why && wrong.done.why->code == errc::mismatch, "a mismatch");
      require(wrong.done.why->peer == rank(peer), "of that peer");
      require(wrong.done.why->what.find(std::to_string(bytes + 8)) != std::string::npos, "with the expected size");
      transfer& right = start_receive(endpoint, receives, peer, tag_of(2), 1000);
      wait_for(endpoint, right.done, waiting::block);
      require(right.data == pattern(1000, 2), "the next message is not disturbed");
    });
}

TEST_P(transport_conformance, fails_all_transfers_with_a_failed_peer_and_no_other) {
  run(3, [](any_transport& endpoint, rank self) {
    std::list<transfer> doomed;
    if (self == rank(0)) {
      for (std::size_t i = 0; i < 5; ++i) start_receive(endpoint, doomed, 1, tag_of(i), 1000);
      for (std::size_t i = 0; i < 5; ++i)
        start_send(endpoint, doomed, 1, tag_of(100 + i), pattern(std::size_t{5} << 20, i));
      for (int i = 0; i < 100; ++i) endpoint.progress();
      endpoint.peer_failed({errc::peer_failed, 1, "killed by the test"});
      for (transfer& each : doomed) {
        require(each.done.calls == 1, "every transfer is completed, once");
        each.data.fill(std::byte{0});  // and its memory is ours again
      }
      for (std::size_t i = 0; i < 5; ++i)
        require(std::next(doomed.begin(), static_cast<long>(i))->done.why->what == "killed by the test",
                "receives give the reason");
      std::list<transfer> late;
      start_send(endpoint, late, 1, tag_of(7), pattern(10, 1));
      start_receive(endpoint, late, 1, tag_of(7), 10);
      for (const transfer& each : late) require(each.done.calls == 1 && each.done.why.has_value(), "later ones fail");
    }
    if (self != rank(1)) meet(endpoint, 2 - self.value, tag_of(500));  // ranks 0 and 2 go on
  });
}

TEST_P(transport_conformance, drops_pending_transfers_on_shutdown) {
  run(2, [](any_transport& endpoint, rank self, shared_store& store) {
    constexpr std::size_t bytes = std::size_t{5} << 20;
    std::list<transfer> all;
    if (self == rank(0)) {
      meet(endpoint, 1, tag_of(1));
      start_receive(endpoint, all, 1, tag_of(2), 100);
      for (std::size_t i = 0; i < 4; ++i) start_send(endpoint, all, 1, tag_of(10 + i), pattern(bytes, i));
      for (int i = 0; i < 20; ++i) endpoint.progress();
      endpoint.shutdown();
      for (transfer& each : all) {
        require(each.done.calls == 1, "every transfer is completed, once");
        each.data.fill(std::byte{0x5A});
      }
      require(all.front().done.why && all.front().done.why->code == errc::aborted, "as aborted");
      ticket late;
      endpoint.send(1, tag_of(3), all.front().data, late);
      require(late.calls == 1 && late.why.has_value(), "later ones fail");
      store.barrier(2);
    } else {
      meet(endpoint, 0, tag_of(1));
      for (std::size_t i = 0; i < 4; ++i) start_receive(endpoint, all, 0, tag_of(10 + i), bytes);
      for (int i = 0; i < 20'000; ++i) endpoint.progress();
      std::size_t number = 0;
      for (const transfer& each : all) {
        require(!each.done.has_succeeded() || each.data == pattern(bytes, number),
                "whole, failed or pending, not wrong");
        ++number;
      }
      store.barrier(2);
      endpoint.shutdown();
      for (const transfer& each : all) require(each.done.calls == 1, "every receive is completed, once");
    }
  });
}

}  // namespace hawser::testing
