// The flight recorder's rings: what they keep, what they let go, and reading them while they are written.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <hawser/diagnosis/recorder.hpp>

namespace hawser::diagnosis {
namespace {

call_facts facts_of(std::uint16_t communicator, std::uint16_t algorithm) {
  call_facts facts;
  facts.what = schedule::collective::reduce;
  facts.type = data_type::bfloat16;
  facts.op = reduce_kind::premul_sum;
  facts.mode = schedule::mode::canonical;
  facts.communicator = communicator;
  facts.algorithm = algorithm;
  facts.segments = 7;
  facts.element_bytes = 2;
  facts.root = 3;
  facts.count = (std::int64_t{1} << 40) + 5;
  facts.blocks = 0xdeadbeef;
  return facts;
}

TEST(recorder, keeps_every_field_of_calls_and_steps) {
  const auto flight = std::make_unique<recorder>();
  const auto world = flight->add_communicator("world", {});
  const auto half = flight->add_communicator("world.3:1", {1, 3});
  const auto ring = flight->intern("ring");
  EXPECT_EQ(flight->intern("ring"), ring);
  EXPECT_NE(world, half);
  const std::uint64_t call = flight->begin_call(facts_of(half, ring), 12);
  const std::uint64_t first = flight->begin_step(call, 5, 2, schedule::step_kind::recv_reduce, 3);
  flight->begin_step(call, 6, 2, schedule::step_kind::copy, -1);
  flight->end_step(first);
  const snapshot open = flight->read();
  ASSERT_EQ(open.calls.size(), 1U);
  EXPECT_EQ(open.calls[0].state, call_state::open);
  flight->end_call(call, call_state::failed);
  const snapshot seen = flight->read();
  const call_record& kept = seen.calls.at(0);
  EXPECT_EQ(kept.state, call_state::failed);
  EXPECT_EQ(kept.number, 12U);
  EXPECT_EQ(kept.facts.what, schedule::collective::reduce);
  EXPECT_EQ(kept.facts.type, data_type::bfloat16);
  EXPECT_EQ(kept.facts.op, reduce_kind::premul_sum);
  EXPECT_EQ(kept.facts.mode, schedule::mode::canonical);
  EXPECT_EQ(seen.communicators.at(kept.facts.communicator).name, "world.3:1");
  EXPECT_EQ(seen.algorithms.at(kept.facts.algorithm), "ring");
  EXPECT_EQ(kept.facts.segments, 7);
  EXPECT_EQ(kept.facts.element_bytes, 2);
  EXPECT_EQ(kept.facts.root, 3);
  EXPECT_EQ(kept.facts.count, (std::int64_t{1} << 40) + 5);
  EXPECT_EQ(kept.facts.blocks, 0xdeadbeefU);
  ASSERT_EQ(seen.steps.size(), 2U);
  EXPECT_EQ(seen.steps[0].step, 5U);
  EXPECT_EQ(seen.steps[0].segment, 2U);
  EXPECT_EQ(seen.steps[0].kind, schedule::step_kind::recv_reduce);
  EXPECT_EQ(seen.steps[0].peer, 3);
  EXPECT_EQ(seen.steps[0].call, call);
  EXPECT_GE(seen.steps[0].end, seen.steps[0].begin);
  EXPECT_EQ(seen.steps[1].peer, -1);
  EXPECT_EQ(seen.steps[1].end, 0U);
}

TEST(recorder, rings_keep_the_last) {
  const auto flight = std::make_unique<recorder>();
  const auto facts = facts_of(flight->add_communicator("world", {}), 0);
  std::uint64_t first_call = 0, first_step = 0;
  for (std::uint64_t i = 0; i < 2 * recorder::kept_calls + 10; ++i) {
    const auto call = flight->begin_call(facts, i);
    if (i == 0) first_call = call;
  }
  for (std::uint32_t i = 0; i < recorder::kept_steps + 10; ++i) {
    const auto step = flight->begin_step(1, i, 0, schedule::step_kind::send, 1);
    if (i == 0) first_step = step;
  }
  flight->end_call(first_call, call_state::done);  // others stand there now
  flight->end_step(first_step);
  const snapshot seen = flight->read();
  ASSERT_EQ(seen.calls.size(), recorder::kept_calls);
  EXPECT_EQ(seen.calls.back().number, 2 * recorder::kept_calls + 9);
  for (const call_record& each : seen.calls) EXPECT_EQ(each.state, call_state::open);
  ASSERT_EQ(seen.steps.size(), recorder::kept_steps);
  EXPECT_EQ(seen.steps.front().step, 10U);
  for (const step_record& each : seen.steps) EXPECT_EQ(each.end, 0U);
  EXPECT_EQ(seen.steps_made, recorder::kept_steps + 10);
}

TEST(recorder, off_it_records_nothing) {
  const auto flight = std::make_unique<recorder>();
  flight->set_enabled(false);
  const auto call = flight->begin_call(facts_of(0, 0), 1);
  EXPECT_EQ(call, recorder::not_recorded);
  flight->begin_step(call, 0, 0, schedule::step_kind::send, 1);
  flight->end_call(call, call_state::done);
  EXPECT_TRUE(flight->read().calls.empty());
  EXPECT_TRUE(flight->read().steps.empty());
}

TEST(recorder, communicators_that_come_and_go_take_bounded_memory) {
  const auto flight = std::make_unique<recorder>();
  const auto world = flight->add_communicator("world", {});
  for (int i = 0; i < 10'000; ++i) flight->remove_communicator(flight->add_communicator("part", {0, 1}));
  const snapshot seen = flight->read();
  EXPECT_LE(seen.communicators.size(), 256U);
  EXPECT_EQ(seen.communicators.at(world).name, "world");
}

/// What is read is whole: every field of a step tells its number. Under TSan no race is found.
TEST(recorder, is_read_while_it_is_written) {
  const auto flight = std::make_unique<recorder>();
  const auto world = flight->add_communicator("world", {});
  std::atomic<bool> is_over{false};
  std::thread writer([&] {
    for (std::uint32_t i = 1; !is_over.load(std::memory_order_relaxed); i = (i + 1) % 1000) {
      call_facts facts = facts_of(world, 0);
      facts.count = i;
      facts.root = static_cast<std::int32_t>(i);
      facts.segments = static_cast<std::uint16_t>(i);
      const auto call = flight->begin_call(facts, i);
      flight->end_step(flight->begin_step(call, i, i, schedule::step_kind::recv, static_cast<int>(i)));
      flight->end_call(call, call_state::done);
    }
  });
  std::size_t read = 0;
  for (int round = 0; round < 200 || read == 0; ++round) {
    const snapshot seen = flight->read();
    for (const step_record& each : seen.steps) {
      EXPECT_EQ(each.step, each.segment);
      EXPECT_EQ(static_cast<std::int32_t>(each.step), each.peer);
    }
    for (const call_record& each : seen.calls) {
      EXPECT_EQ(each.facts.count, static_cast<std::int64_t>(each.number));
      EXPECT_EQ(each.facts.root, static_cast<std::int32_t>(each.number));
      EXPECT_EQ(each.facts.segments, each.number);
    }
    read += seen.steps.size();
  }
  is_over.store(true, std::memory_order_relaxed);
  writer.join();
}

TEST(recorder, ticks_become_seconds_of_the_monotonic_clock) {
  const tick_scale::look first;
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  while (std::chrono::steady_clock::now() < until) {
  }
  const tick_scale::look second;
  const tick_scale scale(first, second);
  EXPECT_NEAR(scale.seconds_at(second.at), second.seconds, 1e-6);
  EXPECT_NEAR(scale.seconds_at(first.at), first.seconds, 1e-6);
  EXPECT_NEAR(scale.seconds_at(first.at + (second.at - first.at) / 2), (first.seconds + second.seconds) / 2, 1e-6);
}

}  // namespace
}  // namespace hawser::diagnosis
