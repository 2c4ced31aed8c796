// The in-process transport: conformance with threads as ranks, and what is special to it.
#include <hawser/transport/in_process.hpp>

#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using transport::in_process_endpoints;
using transport::in_process_factory;
using transport::in_process_hub;

// An endpoint needs to know the number of ranks before they start; a hub of the largest run serves them all.
transport_world world() {
  return {.name = "threads", .how = transport_world::start::threads, .prepare = [] {
            return in_process_factory(std::make_shared<in_process_hub>(4)).open;
          }};
}

INSTANTIATE_TEST_SUITE_P(in_process, transport_conformance, ::testing::Values(world()), transport_conformance::name);

TEST(in_process, a_rank_may_send_to_itself) {
  auto endpoints = in_process_endpoints(1);
  std::list<transfer> all;
  start_send(endpoints[0], all, 0, tag_of(1), pattern(100, 1));
  transfer& got = start_receive(endpoints[0], all, 0, tag_of(1), 100);
  wait_for(endpoints[0], all);
  EXPECT_EQ(got.data, pattern(100, 1));
}

TEST(in_process, a_receiver_consumes_the_senders_own_memory) {
  auto endpoints = in_process_endpoints(2);
  const auto sent = pattern(1000, 1);
  ticket send_done, receive_done;
  const std::byte* seen = nullptr;
  const auto look = [](void* state, std::size_t, const std::byte* from, std::size_t) {
    *static_cast<const std::byte**>(state) = from;
  };
  endpoints[0].send(1, tag_of(1), sent, send_done);
  endpoints[1].receive(0, tag_of(1), {.data = nullptr, .bytes = 1000, .consume = look, .state = &seen}, receive_done);
  endpoints[1].progress();
  EXPECT_TRUE(receive_done.has_succeeded());
  EXPECT_EQ(seen, sent.data());
  EXPECT_FALSE(send_done.is_over()) << "the sender's completion comes from its own progress";
  EXPECT_TRUE(endpoints[0].progress());
  EXPECT_TRUE(send_done.has_succeeded());
}

TEST(in_process, transfers_with_a_rank_that_left_fail) {
  auto endpoints = in_process_endpoints(2);
  const auto bytes = pattern(100, 1);
  std::vector<std::byte> got(100), never(100);
  ticket before, in_time, too_late, after;
  endpoints[1].send(0, tag_of(1), bytes, before);
  endpoints[0].send(1, tag_of(9), bytes, in_time);
  endpoints[0].receive(1, tag_of(2), into(never), too_late);
  endpoints[1].shutdown();
  EXPECT_EQ(before.why->code, errc::aborted);
  endpoints[0].progress();
  EXPECT_EQ(in_time.why->code, errc::peer_failed);
  EXPECT_EQ(too_late.why->code, errc::peer_failed);
  endpoints[0].send(1, tag_of(3), bytes, after);
  EXPECT_EQ(after.why->code, errc::peer_failed);
}

TEST(in_process, a_rank_outside_the_hub_is_refused) {
  EXPECT_THROW(in_process_endpoints(0), error);
  auto endpoints = in_process_endpoints(2);
  ticket done;
  try {
    endpoints[0].send(2, tag_of(1), {}, done);
    FAIL() << "no error";
  } catch (const error& problem) {
    EXPECT_EQ(problem.code(), errc::invalid_argument);
    EXPECT_NE(std::string(problem.what()).find("rank 2 is not in this process (it has 2 ranks)"), std::string::npos);
  }
}

}  // namespace
}  // namespace hawser::testing
