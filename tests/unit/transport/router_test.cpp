// The router: each peer through its own back end, one descriptor to wait on, wake-ups from other threads.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include <hawser/transport/in_process.hpp>
#include <hawser/transport/router.hpp>

namespace hawser::transport {
namespace {

struct counted : completion {
  int calls = 0;
  errc code{};
  bool has_failed = false;
  counted() {
    done = [](completion& self, const failure* failed) {
      auto& own = static_cast<counted&>(self);
      ++own.calls;
      own.has_failed = failed != nullptr;
      if (failed != nullptr) own.code = failed->code;
    };
  }
};

TEST(router, a_peer_without_a_route_fails_its_transfers) {
  router wire;
  counted sent, received;
  std::byte data[4];
  wire.send(3, {}, data, sent);
  wire.receive(3, {}, {.data = data, .bytes = 4}, received);
  EXPECT_TRUE(sent.has_failed && received.has_failed);
  EXPECT_EQ(sent.code, errc::unsupported);
  EXPECT_EQ(wire.name_for(3), "none");
}

TEST(router, uses_the_back_end_that_was_picked_for_the_peer) {
  auto near = in_process_endpoints(3), far = in_process_endpoints(3);
  router wire;
  const std::size_t first = wire.add(std::move(near[0])), second = wire.add(std::move(far[0]));
  wire.route(1, first);
  wire.route_others(second);
  EXPECT_GE(wire.wait_descriptor(), 0);
  std::byte one{1}, two{2}, got_one{}, got_two{};
  counted sent_near, sent_far, received_near, received_far;
  wire.send(1, {}, {&one, 1}, sent_near);
  wire.send(2, {}, {&two, 1}, sent_far);
  near[1].receive(0, {}, {.data = &got_one, .bytes = 1}, received_near);
  far[2].receive(0, {}, {.data = &got_two, .bytes = 1}, received_far);
  while (!sent_near.calls || !sent_far.calls || !received_near.calls || !received_far.calls) {
    wire.progress();
    near[1].progress();
    far[2].progress();
  }
  EXPECT_EQ(got_one, one);
  EXPECT_EQ(got_two, two);
}

TEST(router, wakes_a_thread_that_waits) {
  router wire;
  wire.add(std::move(in_process_endpoints(2)[0]));
  for (int round = 0; round < 200; ++round) {
    while (!wire.arm()) wire.progress();
    std::thread waker([&] { wire.wake(); });
    pollfd watched{wire.wait_descriptor(), POLLIN, 0};
    EXPECT_EQ(poll(&watched, 1, 10'000), 1);
    waker.join();
    EXPECT_FALSE(wire.arm());  // takes the wake-up
  }
}

TEST(router, a_failed_peer_fails_on_the_back_end_that_serves_it) {
  auto ends = in_process_endpoints(3);
  router wire;
  wire.route_others(wire.add(std::move(ends[0])));
  counted received;
  std::byte data[4];
  wire.receive(2, {}, {.data = data, .bytes = 4}, received);
  wire.peer_failed({errc::peer_failed, 2, "gone"});
  while (!received.calls) wire.progress();
  EXPECT_EQ(received.code, errc::peer_failed);
  wire.shutdown();
}

}  // namespace
}  // namespace hawser::transport
