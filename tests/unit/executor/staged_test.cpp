// Staged messages over every transport for memory of the host, of a device and of both by turns: a transport like any
// other. Then what is special: order across memories, bounded buffers, and ends in the middle of a message.
#include <hawser/executor/staged.hpp>

#include "support/decorated_worlds.hpp"
#include "support/device_memory.hpp"
#include "support/failing_device.hpp"
#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using executor::memory_kind;
using executor::staging_options;
using executor::with_staging;
using hawser::test::thread_device;

constexpr std::uint64_t device_seed = 7;

thread_device& the_device() {
  static thread_device made(device_seed, std::chrono::microseconds(20));
  return made;
}

/// In pieces so small that messages have many of them, with fewer buffers than that.
staging_options small_pieces() {
  return {.buffer_bytes = 40'000, .pieces_per_peer = 3, .most_buffers = 4, .eager_bytes = 2000};
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;  // the same code, ten times slower: fewer of everything
#else
constexpr bool is_sanitized = false;
#endif

std::vector<transport_world> staged_worlds() {
  static device_memory device(the_device(), false), mixed(the_device(), true);
  std::vector<transport_world> all;
  for (const bool is_small : {false, true}) {
    if (is_sanitized && !is_small) continue;
    const staging_options options = is_small ? small_pieces() : staging_options{};
    const decoration around = [=](any_transport inner, rank) {
      return with_staging(std::move(inner), the_device(), 4, options);
    };
    for (transport_world world : decorated_worlds(around)) {
      if (world.name == "shared_memory_in_place") continue;
      world.how = transport_world::start::threads;  // a device of threads does not survive a fork
      const std::string name = world.name + (is_small ? "_small_pieces" : "");
      if (!is_small) {
        world.name = name + "_host";
        all.push_back(world);
      }
      world.name = name + "_device";
      world.memory = [] { return &device; };
      if (!is_sanitized) all.push_back(world);
      world.name = name + "_mixed";
      world.memory = [] { return &mixed; };
      if (is_small) all.push_back(world);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(staged, transport_conformance, ::testing::ValuesIn(staged_worlds()),
                         transport_conformance::name);

/// Pinned memory and other traces that a test of its own device has left, and what it did wrong.
void expect_clean(const thread_device& device) {
  EXPECT_EQ(device.live(), 0U);
  EXPECT_EQ(device.violations(), std::vector<std::string>{});
}

/// Memory of one device, which ends before it.
struct on_device {
  on_device(thread_device& owner, payload made, memory_kind where = memory_kind::device)
      : device(owner), bytes(made.size()), kind(where) {
    data = static_cast<std::byte*>(device.allocate(bytes, kind));
    if (bytes > 0) std::memcpy(data, made.data(), bytes);
  }
  on_device(const on_device&) = delete;
  ~on_device() { device.release(data, kind); }
  std::span<const std::byte> view() const { return {data, bytes}; }
  sink into() { return {.data = data, .bytes = bytes}; }
  bool holds(const payload& expected) const {
    return bytes == expected.size() && std::memcmp(data, expected.data(), bytes) == 0;
  }
  thread_device& device;
  std::size_t bytes;
  memory_kind kind;
  std::byte* data;
};

/// Two endpoints in one thread over a hub, on a device of their own.
struct pair_of_ranks {
  explicit pair_of_ranks(executor::stream_device& device, const staging_options& options = small_pieces())
      : hub(std::make_shared<transport::in_process_hub>(2)) {
    shared_store store;
    for (int i : {0, 1})
      ends[i] = with_staging(transport::in_process_factory(hub).open(environment_of(i, 2, store)), device, 2, options);
  }
  template <class Condition>
  bool drive_until(Condition&& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      for (any_transport& each : ends)
        if (each) each.progress();
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }
  std::shared_ptr<transport::in_process_hub> hub;
  any_transport ends[2];
};

TEST(staged, messages_of_one_tag_keep_their_order_whatever_memory_they_lie_in) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  thread_device device(seed, std::chrono::microseconds(50));
  {
    pair_of_ranks both(device);
    constexpr std::size_t count = 120;
    const memory_kind kinds[] = {memory_kind::host, memory_kind::pinned, memory_kind::managed, memory_kind::device};
    std::list<on_device> sent, received;
    std::list<ticket> tickets;
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < count; ++i) sizes.push_back(random() % 3 == 0 ? random() % 300'000 : random() % 3000);
    for (std::size_t i = 0; i < count; ++i) {
      received.emplace_back(device, payload(sizes[i], std::byte{0xEE}), kinds[random() % 4]);
      both.ends[1].receive(0, tag_of(1), received.back().into(), tickets.emplace_back());
      sent.emplace_back(device, pattern(sizes[i], i), kinds[random() % 4]);
      both.ends[0].send(1, tag_of(1), sent.back().view(), tickets.emplace_back());
      if (random() % 4 == 0) both.ends[random() % 2].progress();
    }
    ASSERT_TRUE(both.drive_until(
        [&] { return std::all_of(tickets.begin(), tickets.end(), [](const ticket& t) { return t.is_over(); }); }));
    for (const ticket& each : tickets) EXPECT_TRUE(each.has_succeeded());
    std::size_t i = 0;
    for (const on_device& each : received) {
      EXPECT_TRUE(each.holds(pattern(sizes[i], i))) << "message " << i;
      ++i;
    }
  }
  expect_clean(device);
}

/// More long messages than there are buffers, and each side awaits others first than its peer sends: buffers go to
/// those only that both have posted.
TEST(staged, buffers_never_wait_for_a_message_that_the_peer_has_not_posted) {
  thread_device device(3, std::chrono::microseconds(20));
  {
    pair_of_ranks both(device);
    constexpr std::size_t count = 24, bytes = 150'000;
    std::list<on_device> sent, received;
    std::list<ticket> early, late;
    for (int me : {0, 1})
      for (std::size_t i = 0; i < count; ++i) {
        sent.emplace_back(device, pattern(bytes, i));
        both.ends[me].send(1 - me, tag_of(i), sent.back().view(), early.emplace_back());
      }
    for (int round = 0; round < 200; ++round) both.ends[0].progress(), both.ends[1].progress();
    for (int me : {0, 1})
      for (std::size_t i = count; i-- > 0;) {
        received.emplace_back(device, payload(bytes));
        both.ends[me].receive(1 - me, tag_of(i), received.back().into(), late.emplace_back());
        if (i != count / 2) continue;  // those are complete before the others are posted
        ASSERT_TRUE(both.drive_until([&] { return late.back().is_over(); }));
      }
    const auto is_over = [](const ticket& t) { return t.is_over(); };
    ASSERT_TRUE(both.drive_until([&] {
      return std::all_of(early.begin(), early.end(), is_over) && std::all_of(late.begin(), late.end(), is_over);
    }));
    std::size_t number = 0;
    for (const on_device& each : received) EXPECT_TRUE(each.holds(pattern(bytes, count - 1 - number++ % count)));
  }
  expect_clean(device);
}

TEST(staged, a_message_long_on_one_side_only_is_a_mismatch) {
  thread_device device;
  {
    pair_of_ranks both(device);
    for (const memory_kind kind : {memory_kind::host, memory_kind::device}) {
      on_device sent(device, pattern(1000, 1)), received(device, payload(5000), kind);
      ticket out, in;
      both.ends[0].send(1, tag_of(1), sent.view(), out);
      both.ends[1].receive(0, tag_of(1), received.into(), in);
      ASSERT_TRUE(both.drive_until([&] { return in.is_over(); }));
      ASSERT_TRUE(in.why.has_value());
      EXPECT_EQ(in.why->code, errc::mismatch);
      EXPECT_NE(in.why->what.find("at most 2000 bytes were sent, 5000 expected"), std::string::npos) << in.why->what;
      ASSERT_TRUE(both.drive_until([&] { return out.is_over(); }));
    }
    both.ends[0].shutdown(), both.ends[1].shutdown();
  }
  expect_clean(device);
}

TEST(staged, memory_of_another_device_is_refused) {
  thread_device device;
  pair_of_ranks both(device);
  on_device foreign(device, pattern(100, 1), memory_kind::other_device);
  ticket done;
  try {
    both.ends[0].send(1, tag_of(1), foreign.view(), done);
    FAIL() << "no error";
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::invalid_argument);
  }
  EXPECT_FALSE(done.is_over());
}

/// Ends of both kinds after every number of rounds: all is completed once, and no stream touches anything any more.
TEST(staged, the_end_may_come_at_any_moment_of_a_message) {
  for (const bool is_shutdown : {true, false})
    for (int rounds = 0; rounds < 60; rounds += is_sanitized ? 5 : 1) {
      SCOPED_TRACE((is_shutdown ? "shutdown after " : "peer failed after ") + std::to_string(rounds));
      thread_device device(static_cast<std::uint64_t>(rounds), std::chrono::microseconds(100));
      {
        pair_of_ranks both(device);
        std::list<on_device> memory;
        std::list<ticket> own, others;
        for (const std::size_t bytes : {200'000U, 100U, 90'000U, 0U, 1999U})
          for (const auto kind : {memory_kind::device, memory_kind::host}) {
            memory.emplace_back(device, pattern(bytes, 1), kind);
            both.ends[0].send(1, tag_of(1), memory.back().view(), own.emplace_back());
            memory.emplace_back(device, payload(bytes), memory_kind::device);
            both.ends[0].receive(1, tag_of(1), memory.back().into(), own.emplace_back());
            memory.emplace_back(device, pattern(bytes, 1), memory_kind::device);
            both.ends[1].send(0, tag_of(1), memory.back().view(), others.emplace_back());
            memory.emplace_back(device, payload(bytes), kind);
            both.ends[1].receive(0, tag_of(1), memory.back().into(), others.emplace_back());
          }
        for (int i = 0; i < rounds; ++i) both.ends[0].progress(), both.ends[1].progress();
        if (is_shutdown)
          both.ends[0].shutdown();
        else
          both.ends[0].peer_failed({errc::peer_failed, 1, "killed by the test"});
        for (const ticket& each : own) EXPECT_EQ(each.calls, 1);
        ticket late;
        both.ends[0].send(1, tag_of(2), memory.front().view(), late);
        EXPECT_TRUE(late.calls == 1 && late.why.has_value());
        both.ends[1].shutdown();
        for (const ticket& each : others) EXPECT_EQ(each.calls, 1);
        for (on_device& each : memory) std::memset(each.data, 0, each.bytes);  // a race, if any stream still did
      }
      expect_clean(device);
    }
}

TEST(staged, what_cannot_be_made_leaves_nothing_behind) {
  thread_device real;
  failing_device device(real);
  for (long call = 1;; ++call) {
    device.fail_call(call, false);
    try {
      pair_of_ranks both(device);
      EXPECT_GT(call, 10);
      break;
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::resource) << refused.what();
    }
    expect_clean(real);
  }
  expect_clean(real);
}

/// Each call of the device failing in turn, for once or for good, in the middle of messages of both kinds: what is told
/// of a failure is told once, and what has succeeded is right.
TEST(staged, a_device_that_fails_fails_what_it_carried) {
  int failures = 0;
  for (const bool is_lost : {false, true})
    for (long call = 1; call < 200; call += is_sanitized ? 4 : 1) {
      SCOPED_TRACE("call " + std::to_string(call) + (is_lost ? " and all later ones" : ""));
      thread_device real(static_cast<std::uint64_t>(call), std::chrono::microseconds(20));
      failing_device device(real);
      bool has_failed = false;
      {
        pair_of_ranks both(device);
        std::list<on_device> memory;
        std::list<ticket> tickets;
        std::list<std::pair<const ticket*, const on_device*>> received;
        device.fail_call(call, is_lost);
        for (const std::size_t bytes : {150'000U, 100U, 90'000U, 1999U}) {
          memory.emplace_back(real, pattern(bytes, bytes));
          both.ends[0].send(1, tag_of(1), memory.back().view(), tickets.emplace_back());
          memory.emplace_back(real, payload(bytes));
          both.ends[1].receive(0, tag_of(1), memory.back().into(), tickets.emplace_back());
          received.emplace_back(&tickets.back(), &memory.back());
        }
        const auto is_over = [](const ticket& t) { return t.is_over(); };
        ASSERT_TRUE(both.drive_until([&] {
          return std::all_of(tickets.begin(), tickets.end(), is_over) ||
                 std::any_of(tickets.begin(), tickets.end(), [](const ticket& t) { return t.why.has_value(); });
        }));
        has_failed = device.has_failed();
        for (any_transport& each : both.ends) each.shutdown();
        bool is_told = false;
        for (const ticket& each : tickets) {
          EXPECT_EQ(each.calls, 1);
          is_told = is_told || (each.why && each.why->code == errc::resource);
        }
        EXPECT_TRUE(is_told || !has_failed);
        for (const auto& [done, into] : received)
          EXPECT_TRUE(!done->has_succeeded() || into->holds(pattern(into->bytes, into->bytes)));
      }
      expect_clean(real);
      failures += has_failed ? 1 : 0;
      if (!has_failed) break;
    }
  EXPECT_GT(failures, 30);
}

}  // namespace
}  // namespace hawser::testing
