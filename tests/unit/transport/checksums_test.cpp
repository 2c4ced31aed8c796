// Checksums over every transport: nothing changes where nothing is wrong, and everything that is wrong is found.
#include <hawser/transport/checksums.hpp>

#include <hawser/transport/faults.hpp>

#include "support/decorated_worlds.hpp"
#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using transport::with_checksums;

INSTANTIATE_TEST_SUITE_P(checksums, transport_conformance, ::testing::ValuesIn(decorated_worlds(&with_checksums)),
                         transport_conformance::name);

/// What became of `count` messages of one direction under faults.
struct tally {
  int right = 0, wrong = 0, corrupted = 0, otherwise = 0;
  std::string last;
};

/// Sends messages one by one, each on a tag of its own, through faults and checksums; the receiver judges them.
tally exchange_under(const transport_world& plain, const std::string& faults, int count, std::size_t bytes) {
  tally seen;
  const transport::fault_plan plan = transport::parse_faults(faults);
  const decoration around = [&](any_transport inner, rank self) {
    return with_checksums(with_faults(std::move(inner), plan, self), self);
  };
  transport_world world = plain;
  world.how = transport_world::start::threads;
  world.prepare = [&] { return decorated(plain.prepare(), around); };
  world.run(2, [&](any_transport& endpoint, rank self, shared_store&) {
    for (int i = 0; i < count; ++i) {
      std::list<transfer> all;
      const auto number = static_cast<std::size_t>(i);
      transfer& one = self == rank(0) ? start_send(endpoint, all, 1, tag_of(number), pattern(bytes, number))
                                      : start_receive(endpoint, all, 0, tag_of(number), bytes);
      wait_until(endpoint, waiting::block, [&] { return one.done.is_over(); });
      if (self == rank(0)) continue;
      if (one.done.has_succeeded())
        ++(one.data == pattern(bytes, number) ? seen.right : seen.wrong);
      else
        ++(one.done.why->code == errc::corrupted ? seen.corrupted : seen.otherwise), seen.last = one.done.why->what;
    }
  });
  return seen;
}

const decoration undecorated = [](any_transport inner, rank) { return inner; };

TEST(checksums, find_every_changed_bit_of_small_and_large_messages_and_name_the_link) {
  for (const transport_world& world : decorated_worlds(undecorated))
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{200'000}}) {
      SCOPED_TRACE(world.name + ", " + std::to_string(bytes) + " bytes");
      const tally seen = exchange_under(world, "corrupt:0.5,rank:0,seed:3", 100, bytes);
      EXPECT_EQ(seen.wrong, 0);
      EXPECT_EQ(seen.otherwise, 0) << seen.last;
      EXPECT_GT(seen.corrupted, 20);
      EXPECT_EQ(seen.right + seen.corrupted, 100);
      EXPECT_NE(seen.last.find("from rank 0 to rank 1 was"), std::string::npos) << seen.last;
    }
}

/// Without checksums the same faults go through: what the test above finds is not found by anybody else.
TEST(checksums, are_what_finds_it) {
  const transport::fault_plan plan = transport::parse_faults("corrupt:1,seed:3");
  const auto around = [&](any_transport inner, rank self) { return with_faults(std::move(inner), plan, self); };
  for (const transport_world& world : decorated_worlds(around)) {
    SCOPED_TRACE(world.name);
    world.run(2, [](any_transport& endpoint, rank self, shared_store&) {
      std::list<transfer> all;
      transfer& one = self == rank(0) ? start_send(endpoint, all, 1, tag_of(1), pattern(1000, 1))
                                      : start_receive(endpoint, all, 0, tag_of(1), 1000);
      wait_for(endpoint, one.done);
      if (self == rank(1)) require(one.data != pattern(1000, 1), "the data is corrupted and nobody says so");
    });
  }
}

/// Messages of one tag, as a ring sends them: one that comes twice takes the place of the next.
TEST(checksums, find_messages_that_are_lost_or_come_twice) {
  for (const char* faults : {"duplicate:1,rank:0,most:1,seed:1", "drop:1,rank:0,most:1,seed:1"})
    for (const transport_world& plain : decorated_worlds(undecorated)) {
      SCOPED_TRACE(plain.name + " " + faults);
      const transport::fault_plan plan = transport::parse_faults(faults);
      transport_world world = plain;
      world.prepare = [&] {
        return decorated(plain.prepare(), [&](any_transport inner, rank self) {
          return with_checksums(with_faults(std::move(inner), plan, self), self);
        });
      };
      world.run(2, [](any_transport& endpoint, rank self, shared_store&) {
        std::list<transfer> all;
        for (std::size_t i = 0; i < 3; ++i)
          self == rank(0) ? start_send(endpoint, all, 1, tag_of(1), pattern(100, i))
                          : start_receive(endpoint, all, 0, tag_of(1), 100);
        transfer& first = all.front();
        if (self == rank(0))  // taken, or refused by an endpoint that is gone
          return wait_until(endpoint, waiting::poll, [&] {
            return std::all_of(all.begin(), all.end(), [](const transfer& each) { return each.done.is_over(); });
          });
        wait_until(endpoint, waiting::poll, [&] { return first.done.is_over(); });
        require(first.done.why.has_value(), "the first message is not believed");
        endpoint.shutdown();
      });
    }
}

}  // namespace
}  // namespace hawser::testing
