// Exchanges of streams carried by a thread of the host: over endpoints in the process, with staging in small pieces.
#include <hawser/executor/transport_wire.hpp>

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include <hawser/core/error.hpp>
#include <hawser/executor/staged.hpp>
#include <hawser/transport/in_process.hpp>

#include "support/payload.hpp"
#include "support/seed.hpp"
#include "support/thread_device.hpp"

namespace hawser::test {
namespace {

using executor::make_transport_wire;
using executor::stream_transfer;
using executor::stream_wire;
using testing::pattern;
using testing::payload;

/// A rank with a device and its end of the wire.
struct end_of_wire {
  end_of_wire(transport::any_transport endpoint, int ranks, int lanes, unsigned number)
      : device(seed_of_run() + number, std::chrono::microseconds(50)),
        wire(make_transport_wire(
            with_staging(std::move(endpoint), device, ranks,
                         {.buffer_bytes = 10'000, .pieces_per_peer = 2, .most_buffers = 3, .eager_bytes = 1000}),
            device, lanes, "host memory")) {}
  ~end_of_wire() {
    wire->abort("the test is over");
    for (const stream_handle each : streams) device.synchronise(each);
    wire.reset();
    for (void* each : memory) device.release(each, memory_kind::device);
    for (const stream_handle each : streams) device.destroy(each);
    EXPECT_EQ(device.violations(), std::vector<std::string>{});
    EXPECT_EQ(device.live(), 0U);
  }
  stream_handle new_stream() {
    streams.push_back(device.make_stream());
    return streams.back();
  }
  std::byte* room(std::size_t bytes) {
    memory.push_back(device.allocate(bytes, memory_kind::device));
    return static_cast<std::byte*>(memory.back());
  }

  thread_device device;
  std::unique_ptr<stream_wire> wire;
  std::vector<stream_handle> streams;
  std::vector<void*> memory;
};

std::vector<std::unique_ptr<end_of_wire>> make_ends(int ranks, int lanes) {
  std::vector<std::unique_ptr<end_of_wire>> made;
  unsigned number = 0;
  for (transport::any_transport& each : transport::in_process_endpoints(ranks))
    made.push_back(std::make_unique<end_of_wire>(std::move(each), ranks, lanes, number++));
  return made;
}

struct message {
  int from, to;
  std::size_t bytes;
  std::uint64_t seed;
};
/// What one lane carries: exchanges, the same ones in the same order on all ranks.
using conversation = std::vector<std::vector<message>>;

conversation random_conversation(std::mt19937_64& random, int ranks) {
  conversation made(12);
  for (auto& exchange : made)
    for (std::uint64_t i = 1 + random() % 8; i > 0; --i) {
      const int from = static_cast<int>(random() % static_cast<unsigned>(ranks));
      const int to = (from + 1 + static_cast<int>(random() % static_cast<unsigned>(ranks - 1))) % ranks;
      exchange.push_back({from, to, 1 + random() % (random() % 4 == 0 ? 60'000 : 600), random()});
    }
  return made;
}

struct arrival {
  const std::byte* data;
  message what;
};

/// Enqueues one rank's part on a stream. The data is written on the stream, before the exchange and late.
void converse(end_of_wire& on, int self, int lane, const conversation& all, std::vector<arrival>& arrivals) {
  const stream_handle stream = on.new_stream();
  for (const auto& exchange : all) {
    std::vector<stream_transfer> transfers;
    for (const message& each : exchange) {
      if (each.from != self && each.to != self) continue;
      std::byte* const data = on.room(each.bytes);
      if (each.from == self)
        on.device.enqueue(stream, [data, each] {
          const payload made = pattern(each.bytes, each.seed);
          std::memcpy(data, made.data(), made.size());
        });
      else
        arrivals.push_back({data, each});
      transfers.push_back({each.from == self ? each.to : each.from, each.from == self, data, each.bytes});
    }
    on.wire->exchange(lane, stream, transfers);
  }
}

TEST(transport_wire, carries_random_exchanges_of_all_lanes) {
  constexpr int lanes = 3;
  std::mt19937_64 random(seed_of_run());
  for (const int ranks : {2, 4}) {
    const auto ends = make_ends(ranks, lanes);
    std::vector<conversation> all;
    for (int lane = 0; lane < lanes; ++lane) all.push_back(random_conversation(random, ranks));
    std::vector<std::vector<arrival>> arrivals(static_cast<std::size_t>(ranks));
    std::vector<std::thread> callers;
    for (int self = 0; self < ranks; ++self)
      callers.emplace_back([&, self] {
        end_of_wire& on = *ends[static_cast<std::size_t>(self)];
        for (int lane = 0; lane < lanes; ++lane)
          converse(on, self, lane, all[static_cast<std::size_t>(lane)], arrivals[static_cast<std::size_t>(self)]);
        for (const stream_handle each : on.streams) on.device.synchronise(each);
      });
    for (std::thread& each : callers) each.join();
    for (const auto& of_rank : arrivals)
      for (const arrival& each : of_rank) {
        const payload expected = pattern(each.what.bytes, each.what.seed);
        EXPECT_EQ(std::memcmp(each.data, expected.data(), expected.size()), 0)
            << each.what.bytes << " bytes from " << each.what.from << " to " << each.what.to;
      }
    for (const auto& each : ends) EXPECT_FALSE(each->wire->poll_failure());
  }
}

/// One message from rank 0 to rank 1, of which each end has an idea of its own.
void send_one(end_of_wire& from, std::size_t bytes) {
  from.wire->exchange(0, from.new_stream(), std::vector<stream_transfer>{{1, true, from.room(bytes), bytes}});
}
void receive_one(end_of_wire& at, std::size_t bytes) {
  at.wire->exchange(0, at.new_stream(), std::vector<stream_transfer>{{0, false, at.room(bytes), bytes}});
}

TEST(transport_wire, lets_streams_go_when_it_is_aborted) {
  const auto ends = make_ends(2, 1);
  send_one(*ends[0], 50'000);  // nobody receives it
  ends[0]->wire->abort("the test has seen enough");
  ends[0]->wire->abort("too late to be heard");
  ends[0]->device.synchronise(ends[0]->streams.back());
  EXPECT_FALSE(ends[0]->wire->poll_failure());
  try {
    send_one(*ends[0], 10);
    ADD_FAILURE() << "an aborted wire has taken an exchange";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::aborted);
    EXPECT_NE(std::string(refused.what()).find("the test has seen enough"), std::string::npos) << refused.what();
  }
}

TEST(transport_wire, tells_a_failure_and_holds_the_stream_until_it_is_aborted) {
  const auto ends = make_ends(2, 1);
  send_one(*ends[0], 100);
  receive_one(*ends[1], 200);
  end_of_wire& at = *ends[1];
  const event_handle end = at.device.make_event();
  at.device.record(end, at.streams.back());
  std::optional<transport::failure> told;
  while (!(told = at.wire->poll_failure())) std::this_thread::yield();
  EXPECT_EQ(told->code, errc::mismatch);
  EXPECT_EQ(told->peer, rank(0));
  EXPECT_FALSE(at.device.has_passed(end));
  at.wire->abort("a rank has failed");
  at.device.synchronise(at.streams.back());
  EXPECT_EQ(at.wire->poll_failure()->code, errc::mismatch);
  at.device.destroy(end);
}

TEST(transport_wire, refuses_what_it_cannot_do) {
  const auto ends = make_ends(2, 2);
  EXPECT_EQ(ends[0]->wire->lanes(), 2);
  EXPECT_EQ(ends[0]->wire->name(), "host memory");
  EXPECT_FALSE(ends[0]->wire->why_not_capturable().empty());
  EXPECT_THROW(send_one(*ends[0], 0), error);
  ends[0]->wire->exchange(0, ends[0]->streams.back(), {});  // nothing
  ends[0]->device.synchronise(ends[0]->streams.back());
  thread_device device;
  for (const int lanes : {0, -1, 70'000})
    EXPECT_THROW(make_transport_wire(transport::any_transport(), device, lanes, "none"), error);
}

TEST(transport_wire, is_not_made_without_memory) {
  thread_device device;
  device.fail_allocation_after(0);
  EXPECT_THROW(make_transport_wire(std::move(transport::in_process_endpoints(1)[0]), device, 1, "none"),
               std::bad_alloc);
  EXPECT_EQ(device.live(), 0U);
}

}  // namespace
}  // namespace hawser::test
