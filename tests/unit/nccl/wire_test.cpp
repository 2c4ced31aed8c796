// Exchanges over NCCL: random groups on several lanes, captured ones, failures of every call, aborts.
#include <atomic>
#include <cstring>
#include <map>

#include "unit/nccl/ranks.hpp"

namespace hawser::test {
namespace {

using executor::stream_transfer;
using nccl::communicators;
using nccl::nccl_options;

nccl_options with_lanes(int lanes) {
  nccl_options options;
  options.lanes = lanes;
  return options;
}

/// What one rank sends to another in a round on a lane: each derives it alone. 0 bytes: nothing.
struct letter {
  std::size_t bytes;
  unsigned char first;
};
letter letter_of(std::uint64_t seed, int lane, int round, int from, int to, int which) {
  std::minstd_rand random(static_cast<unsigned>(
      seed + 1 +
      static_cast<unsigned>(lane * 7919 + round * 104729 + from * 1299709 + to * 15485863 + which * 49979687)));
  random.discard(3);
  const bool is_sent = random() % 3 != 0;
  return {is_sent ? 1 + random() % 3000 : 0, static_cast<unsigned char>(random())};
}

/// One lane's rounds of random groups, up to two messages each way between each two ranks, checked.
class mail {
 public:
  mail(nccl_rank& on, executor::stream_wire& wire, int size, int lane)
      : on_(on), wire_(wire), size_(size), lane_(lane), stream_(on.device.make_stream()) {}
  ~mail() { on_.device.destroy(stream_); }
  mail(const mail&) = delete;
  mail& operator=(const mail&) = delete;

  void enqueue(int round) {
    std::vector<stream_transfer> transfers;
    for (int which = 0; which < 2; ++which)
      for (int peer = 0; peer < size_; ++peer)
        if (peer != on_.self) {
          add(transfers, letter_of(seed_of_run(), lane_, round, on_.self, peer, which), peer, true);
          add(transfers, letter_of(seed_of_run(), lane_, round, peer, on_.self, which), peer, false);
        }
    wire_.exchange(lane_, stream_, transfers);
  }
  void check() {
    on_.device.synchronise(stream_);
    for (auto& [memory, sent] : expected_)
      for (std::size_t i = 0; i < sent.bytes; ++i)
        ASSERT_EQ(memory->as()[i], static_cast<unsigned char>(sent.first + i)) << "byte " << i << ", lane " << lane_;
  }

 private:
  void add(std::vector<stream_transfer>& to, const letter& what, int peer, bool is_send) {
    if (what.bytes == 0) return;
    device_bytes& memory = *memory_.emplace_back(std::make_unique<device_bytes>(on_.device, what.bytes));
    if (is_send)
      for (std::size_t i = 0; i < what.bytes; ++i) memory.as()[i] = static_cast<unsigned char>(what.first + i);
    else
      expected_.emplace_back(&memory, what);
    to.push_back({peer, is_send, memory.as(), what.bytes});
  }

  nccl_rank& on_;
  executor::stream_wire& wire_;
  int size_, lane_;
  executor::stream_handle stream_;
  std::vector<std::unique_ptr<device_bytes>> memory_;
  std::vector<std::pair<device_bytes*, letter>> expected_;
};

TEST(nccl_wire, carries_random_groups_on_all_lanes_at_once) {
  constexpr int lanes = 3, rounds = 25;
  for (int size = 2; size <= 5; ++size) {
    fake_nccl fake(seed_of_run());
    expect_well(run_nccl(fake, size, [&](nccl_rank& on) {
      const communicators made(on.all(), with_lanes(lanes), on.library);
      const auto wire = nccl::make_wire(made);
      EXPECT_EQ(wire->name(), "nccl");
      EXPECT_EQ(wire->lanes(), lanes);
      std::vector<std::thread> threads;
      for (int lane = 0; lane < lanes; ++lane)
        threads.emplace_back([&, lane] {
          mail post(on, *wire, size, lane);
          for (int round = 0; round < rounds; ++round) post.enqueue(round);
          post.check();
        });
      for (std::thread& each : threads) each.join();
      EXPECT_FALSE(wire->poll_failure());
    }));
    EXPECT_EQ(fake.aborted(), 0U);
    expect_nothing_left(fake);
  }
}

/// A ring of one message per rank, on lane 0.
std::vector<stream_transfer> ring_of(int self, int size, device_bytes& out, device_bytes& in) {
  return {{(self + 1) % size, true, out.as(), out.size()}, {(self + size - 1) % size, false, in.as(), in.size()}};
}

TEST(nccl_wire, can_be_captured_and_replayed) {
  fake_nccl fake(seed_of_run());
  expect_well(run_nccl(fake, 3, [&](nccl_rank& on) {
    const communicators made(on.all(), {}, on.library);
    const auto wire = nccl::make_wire(made);
    EXPECT_EQ(wire->why_not_capturable(), "");
    device_bytes out(on.device, 64), in(on.device, 64);
    const auto stream = on.device.make_stream();
    on.device.begin_capture();
    wire->exchange(0, stream, ring_of(on.self, 3, out, in));
    const auto graph = on.device.end_capture();
    for (int replay = 0; replay < 20; ++replay) {
      std::memset(out.as(), on.self * 20 + replay, out.size());
      thread_device::launch(graph);
      on.device.synchronise(stream);
      EXPECT_EQ(in.as()[63], (on.self + 2) % 3 * 20 + replay);
    }
    on.device.destroy(stream);
  }));
  expect_nothing_left(fake);
}

template <class F>
void expect_code(errc code, const std::string& text, F&& call) {
  try {
    call();
    ADD_FAILURE() << "nothing was refused: " << text;
  } catch (const error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
  }
}

TEST(nccl_wire, refuses_itself_strangers_and_nothing) {
  fake_nccl fake;
  expect_well(run_nccl(fake, 3, [&](nccl_rank& on) {
    if (on.self == 2) return;
    const communicators made({on.job, "two", {0, 1}}, {}, on.library);
    const auto wire = nccl::make_wire(made);
    device_bytes memory(on.device, 8);
    const auto send = [&](int lane, int peer, std::size_t bytes) {
      const stream_transfer one{peer, true, memory.as(), bytes};
      wire->exchange(lane, {}, {&one, 1});
    };
    expect_code(errc::unsupported, "sends to itself", [&] { send(0, on.self, 8); });
    expect_code(errc::unsupported, "NCCL does not reach rank 2", [&] { send(0, 2, 8); });
    expect_code(errc::invalid_argument, "an empty message", [&] { send(0, 1 - on.self, 0); });
    expect_code(errc::invalid_argument, "there is no NCCL lane 1", [&] { send(1, 1 - on.self, 8); });
    wire->exchange(0, {}, {});
  }));
  expect_nothing_left(fake);
}

/// What an executor does: an error at one rank aborts its wire, its peers notice, and abort theirs.
void exchange_or_fail(nccl_rank& on, int size, int lanes) {
  const communicators made(on.all(), with_lanes(lanes), on.library);
  const auto wire = nccl::make_wire(made);
  device_bytes out(on.device, 100), in(on.device, 100);
  const auto stream = on.device.make_stream();
  try {
    for (int round = 0; round < 2; ++round)
      for (int lane = 0; lane < lanes; ++lane) wire->exchange(lane, stream, ring_of(on.self, size, out, in));
    const auto passed = on.device.make_event();
    on.device.record(passed, stream);
    while (!on.device.has_passed(passed))
      if (const auto failed = wire->poll_failure()) throw error(failed->code, failed->what);
    on.device.destroy(passed);
  } catch (const error& e) {
    wire->abort(e.what());
    wire->abort("once more");
    on.device.synchronise(stream);
    on.device.destroy(stream);
    throw;
  }
  on.device.destroy(stream);
}

/// The `call`-th call of a function fails on a rank; false where there are not so many.
bool fail_once(const char* name, int rank, int call) {
  constexpr int size = 3, lanes = 2;
  fake_nccl fake(seed_of_run());
  fake.fail_at(rank, name, call);
  const auto ends = run_nccl(fake, size, [&](nccl_rank& on) { exchange_or_fail(on, size, lanes); });
  SCOPED_TRACE(std::string(name) + " of rank " + std::to_string(rank) + ", its call " + std::to_string(call));
  expect_nothing_left(fake);
  if (fake.failed().empty()) {
    expect_well(ends);
    return false;
  }
  if (std::string(name) == "ncclCommGetAsyncError") return true;  // may be met while they are made, or at their end
  for (const nccl_end& end : ends) EXPECT_NE(end.code, std::nullopt);
  EXPECT_EQ(ends[static_cast<std::size_t>(rank)].code, errc::resource);
  EXPECT_EQ(ends[static_cast<std::size_t>(rank)].native_code, ncclSystemError);
  return true;
}

TEST(nccl_wire, ends_everywhere_whichever_call_fails) {
  for (int rank = 0; rank < 3; ++rank) {
    for (const char* name : {"ncclGroupStart", "ncclSend", "ncclRecv", "ncclGroupEnd"}) {
      int call = 1;
      while (fail_once(name, rank, call)) ++call;
      EXPECT_EQ(call, 5) << name;  // two rounds on two lanes, and then none
    }
    for (int call = 1; call < 60; ++call) fail_once("ncclCommGetAsyncError", rank, call);
  }
}

TEST(nccl_wire, tells_what_nccl_notices_once) {
  const std::map<ncclResult_t, errc> codes{
      {ncclRemoteError, errc::peer_failed}, {ncclUnhandledCudaError, errc::resource},
      {ncclSystemError, errc::resource},    {ncclInvalidUsage, errc::unsupported},
      {ncclInternalError, errc::internal},  {static_cast<ncclResult_t>(8), errc::timeout}};
  for (const auto& [result, code] : codes) {
    fake_nccl fake;
    expect_well(run_nccl(fake, 1, [&](nccl_rank& on) {
      const communicators made(on.all(), with_lanes(2), on.library);
      const auto wire = nccl::make_wire(made);
      EXPECT_FALSE(wire->poll_failure());
      fake.break_rank(0, result);
      for (int lane = 0; lane < 2; ++lane) {
        const auto failed = wire->poll_failure();
        ASSERT_TRUE(failed);
        EXPECT_EQ(failed->code, code);
        EXPECT_NE(failed->what.find("NCCL cannot go on ("), std::string::npos) << failed->what;
      }
      EXPECT_FALSE(wire->poll_failure());
    }));
    EXPECT_EQ(fake.aborted(), 2U);  // what has failed does not end in good order
    expect_nothing_left(fake);
  }
}

TEST(nccl_wire, abort_from_another_thread_ends_everything_once) {
  fake_nccl fake(seed_of_run());
  fake.tells_peers = false;
  expect_well(run_nccl(fake, 2, [&](nccl_rank& on) {
    const communicators made(on.all(), with_lanes(2), on.library);
    const auto wire = nccl::make_wire(made);
    device_bytes memory(on.device, 8);
    const auto stream = on.device.make_stream();
    const stream_transfer never{1 - on.self, false, memory.as(), 8};  // both only receive
    for (int lane = 0; lane < 2; ++lane) wire->exchange(lane, stream, {&never, 1});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { wire->abort("the test has seen enough"); });
    on.device.synchronise(stream);
    for (std::thread& each : threads) each.join();
    expect_code(errc::aborted, "the test has seen enough", [&] { wire->exchange(0, stream, {&never, 1}); });
    EXPECT_FALSE(wire->poll_failure());
    on.device.destroy(stream);
  }));
  EXPECT_EQ(fake.aborted(), 4U);
  expect_nothing_left(fake);
}

TEST(nccl_wire, that_is_destroyed_with_work_on_its_way_aborts_in_time) {
  fake_nccl fake;
  fake.tells_peers = false;
  expect_well(run_nccl(fake, 2, [&](nccl_rank& on) {
    nccl_options options = with_lanes(2);
    options.abort_timeout = std::chrono::milliseconds(50);
    device_bytes memory(on.device, 8);
    const auto stream = on.device.make_stream();
    const stream_transfer never{1 - on.self, false, memory.as(), 8};
    {
      const communicators made(on.all(), options, on.library);
      nccl::make_wire(made)->exchange(1, stream, {&never, 1});
    }
    on.device.synchronise(stream);
    on.device.destroy(stream);
  }));
  EXPECT_EQ(fake.aborted(), 2U);  // the lane without work ended in good order
  expect_nothing_left(fake);
}

TEST(nccl_wire, failure_of_a_member_ends_the_wait_for_it) {
  fake_nccl fake;
  fake.tells_peers = false;
  const auto ends = run_nccl(
      fake, 2,
      [&](nccl_rank& on) {
        const communicators made(on.all(), {}, on.library);
        const auto wire = nccl::make_wire(made);
        if (on.self == 1) return on.job.abort("rank 1 gives up");
        device_bytes memory(on.device, 8);
        const stream_transfer one{1, true, memory.as(), 8};
        try {
          wire->exchange(0, {}, {&one, 1});
        } catch (const error&) {
          wire->abort("the job was aborted");
          on.device.synchronise({});
          throw;
        }
      },
      [](nccl::functions& calls) {  // connecting to the peer never ends
        const auto asked = calls.async_error;
        const auto has_sent = std::make_shared<std::atomic<bool>>(false);
        const auto send = calls.send;
        calls.send = [=](auto... arguments) {
          has_sent->store(true);
          return send(arguments...);
        };
        calls.async_error = [=](ncclComm_t comm, ncclResult_t* state) {
          const ncclResult_t result = asked(comm, state);
          if (has_sent->load()) *state = ncclInProgress;
          return result;
        };
      });
  EXPECT_EQ(ends[0].code, errc::aborted);
  EXPECT_NE(ends[0].error.find("rank 1 gives up"), std::string::npos) << ends[0].error;
  expect_nothing_left(fake);
}

}  // namespace
}  // namespace hawser::test
