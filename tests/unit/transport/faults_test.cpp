// Fault injection: its text form, the faults that a transport may have (late, overtaken), and each one that it may not.
#include <hawser/transport/faults.hpp>

#include "support/decorated_worlds.hpp"
#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using namespace std::chrono_literals;
using transport::fault_plan;
using transport::message_fault;
using transport::parse_faults;

decoration with(const std::string& faults) {
  return [plan = parse_faults(faults)](any_transport inner, rank self) {
    return transport::with_faults(std::move(inner), plan, self);
  };
}

// Late and overtaken messages are within the concept: nothing may notice.
INSTANTIATE_TEST_SUITE_P(faults, transport_conformance,
                         ::testing::ValuesIn(decorated_worlds(with("delay:100us@0.05,reorder:0.002,stall:1ms@0.001"))),
                         transport_conformance::name);

TEST(faults, are_read_and_written_as_text) {
  const fault_plan plan = parse_faults("corrupt:0.01,delay:5ms@0.1,seed:7,rank:3,to:0,after:10,most:2");
  EXPECT_EQ(plan.chance_of(message_fault::corrupt), 0.01);
  EXPECT_EQ(plan.chance_of(message_fault::delay), 0.1);
  EXPECT_EQ(plan.delay, 5ms);
  EXPECT_EQ(plan.seed, 7u);
  EXPECT_EQ(plan.only, rank(3));
  EXPECT_EQ(plan.towards, rank(0));
  EXPECT_EQ(plan.after, 10u);
  EXPECT_EQ(plan.most, 2u);
  EXPECT_TRUE(plan.is_active());
  const std::string text = to_string(plan);
  EXPECT_EQ(text, "corrupt:0.01,delay:5000us@0.1,seed:7,rank:3,to:0,after:10,most:2");
  EXPECT_EQ(to_string(parse_faults(text)), text);
  EXPECT_FALSE(parse_faults("").is_active());
  EXPECT_FALSE(parse_faults("drop:0,seed:1").is_active());
  EXPECT_FALSE(parse_faults("drop:1,most:0").is_active());
}

TEST(faults, that_cannot_be_read_are_quoted) {
  for (const auto& [text, quoted] : {std::pair{"corrupt", "corrupt"},
                                     {"corrupt:", "corrupt:"},
                                     {"corrupt:1.5", "corrupt:1.5"},
                                     {"corrupt:-0.1", "corrupt:-0.1"},
                                     {"corrupt:nan", "corrupt:nan"},
                                     {"corrupt:0.1x", "corrupt:0.1x"},
                                     {"delay:0.1", "delay:0.1"},
                                     {"delay:5@", "delay:5@"},
                                     {"delay:5kg@0.1", "kg"},
                                     {"stall:0s@1", "stall:0s@1"},
                                     {"stall:9e9s@1", "stall:9e9s@1"},
                                     {"seed:-1", "seed:-1"},
                                     {"rank:x", "rank:x"},
                                     {"burn:1", "burn"},
                                     {"drop:0.1,", "comma"},
                                     {",drop:0.1", "\"\""},
                                     {"drop:0.1,,seed:1", "\"\""},
                                     {"rank:99999999999", "rank:9"}}) {
    try {
      parse_faults(text);
      ADD_FAILURE() << text << " was read";
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::parse) << text;
      EXPECT_NE(std::string(refused.what()).find(quoted), std::string::npos) << refused.what();
    }
  }
}

TEST(faults, are_logged_with_their_receiver_unless_there_was_nothing_to_strike) {
  auto log = std::make_shared<transport::fault_log>();
  const auto logged = [log](any_transport inner, rank self) {
    const fault_plan plan = parse_faults("corrupt:1,after:1,most:3,rank:0,seed:3");
    return transport::with_faults(std::move(inner), plan, self, self == rank(0) ? log : nullptr);
  };
  const transport_world world = decorated_worlds(logged).front();
  world.run(2, [&](any_transport& endpoint, rank self, shared_store&) {
    std::list<transfer> all;
    for (const std::size_t bytes : {10u, 20u, 0u, 30u, 40u})
      self == rank(0) ? start_send(endpoint, all, 1, tag_of(bytes), pattern(bytes, 1))
                      : start_receive(endpoint, all, 0, tag_of(bytes), bytes);
    for (transfer& each : all) wait_for(endpoint, each.done);
  });
  // The second, third and fourth are struck; the third is empty.
  EXPECT_EQ(log->injected(), (std::vector<transport::injected_fault>{{message_fault::corrupt, 0, 1, 20},
                                                                     {message_fault::corrupt, 0, 1, 30}}));
  EXPECT_EQ(to_string(message_fault::short_write), "short");
}

/// Rank 0 sends `count` messages of 100 bytes on different tags to rank 1, which calls `judge` with what it got.
void send_under(const transport_world& world, std::size_t count,
                const std::function<void(any_transport&, std::list<transfer>&)>& judge) {
  world.run(2, [&](any_transport& endpoint, rank self, shared_store& store) {
    std::list<transfer> all;
    for (std::size_t i = 0; i < count; ++i)
      self == rank(0) ? start_send(endpoint, all, 1, tag_of(i), pattern(100, i))
                      : start_receive(endpoint, all, 0, tag_of(i), 100);
    if (self == rank(1)) {
      judge(endpoint, all);
      store.put("judged", "yes");
    } else {
      wait_until(endpoint, waiting::poll, [&] {
        return std::all_of(all.begin(), all.end(), [](const transfer& each) { return each.done.is_over(); });
      });
      static_cast<void>(store.get("judged"));
    }
    endpoint.shutdown();  // what never came is still awaited in `all`
  });
}

TEST(faults, a_dropped_message_never_comes_and_the_others_do) {
  for (const transport_world& world : decorated_worlds(with("drop:1,after:2,most:1,seed:1"))) {
    SCOPED_TRACE(world.name);
    send_under(world, 5, [](any_transport& endpoint, std::list<transfer>& all) {
      wait_for(endpoint, all.back().done);
      const auto third = std::next(all.begin(), 2);
      for (auto each = all.begin(); each != all.end(); ++each)
        if (each != third) wait_for(endpoint, each->done);
      require(!third->done.is_over(), "the third was dropped");
    });
  }
}

TEST(faults, a_short_write_is_a_mismatch_and_a_flipped_bit_is_one_bit) {
  for (const transport_world& world : decorated_worlds(with("short:1,after:1,most:1,seed:1"))) {
    SCOPED_TRACE(world.name);
    send_under(world, 3, [](any_transport& endpoint, std::list<transfer>& all) {
      wait_for(endpoint, all.back().done);
      const transfer& second = *std::next(all.begin());
      wait_until(endpoint, waiting::poll, [&] { return second.done.is_over(); });
      require(second.done.why && second.done.why->code == errc::mismatch, "a mismatch");
      require(second.done.why->what.find("99 bytes") != std::string::npos, "of one byte");
    });
  }
  for (const transport_world& world : decorated_worlds(with("corrupt:1,seed:5"))) {
    SCOPED_TRACE(world.name);
    send_under(world, 20, [](any_transport& endpoint, std::list<transfer>& all) {
      wait_for(endpoint, all);
      std::size_t number = 0;
      for (const transfer& each : all) {
        const payload sent = pattern(100, number++);
        int bits = 0;
        for (std::size_t i = 0; i < sent.size(); ++i)
          bits += __builtin_popcount(std::to_integer<unsigned>(sent[i] ^ each.data[i]));
        require(bits == 1, "one bit differs");
      }
    });
  }
}

TEST(faults, a_cut_link_fails_here_and_now_and_leaves_others_alone) {
  for (const transport_world& world : decorated_worlds(with("disconnect:1,rank:0,to:1,most:1,seed:1"))) {
    SCOPED_TRACE(world.name);
    world.run(3, [](any_transport& endpoint, rank self, shared_store&) {
      if (self == rank(0)) {
        ticket wanted, sent, later;
        std::byte room{}, data{};
        endpoint.receive(1, tag_of(1), {.data = &room, .bytes = 1}, wanted);
        endpoint.send(1, tag_of(1), {&data, 1}, sent);
        endpoint.send(1, tag_of(2), {&data, 1}, later);
        for (const ticket* each : {&wanted, &sent, &later}) {
          require(each->calls == 1 && each->why && each->why->code == errc::peer_failed, "it failed at once");
          require(each->why->what.find("injected") != std::string::npos, "and says why");
        }
      }
      if (self != rank(1)) meet(endpoint, 2 - self.value, tag_of(9));
    });
  }
}

TEST(faults, the_same_seed_meets_the_same_messages) {
  const auto struck = [](std::uint64_t seed) {
    std::string which;
    auto endpoints = transport::in_process_endpoints(2);
    any_transport faulty =
        transport::with_faults(std::move(endpoints[0]), parse_faults("drop:0.3,seed:" + std::to_string(seed)), 0);
    for (std::size_t i = 0; i < 64; ++i) {
      ticket sent;
      const payload data = pattern(8, i);
      faulty.send(1, tag_of(i), data, sent);
      which += sent.is_over() ? 'x' : '.';  // a dropped one is over at once
      if (!sent.is_over()) {
        ticket received;
        payload room(8);
        endpoints[1].receive(0, tag_of(i), into(room), received);
        wait_until(endpoints[1], waiting::poll, [&] { return received.is_over(); });
        wait_for(faulty, sent);
      }
    }
    return which;
  };
  EXPECT_EQ(struck(4), struck(4));
  EXPECT_NE(struck(4), struck(5));
}

}  // namespace
}  // namespace hawser::testing
