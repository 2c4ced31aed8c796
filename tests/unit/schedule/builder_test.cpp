// What the builder writes down, above all which buffer an in-place call really names.
#include <hawser/schedule/builder.hpp>

#include <gtest/gtest.h>

namespace {

using namespace hawser::schedule;
using hawser::rank;

region_list one(buffer where, std::int64_t block) {
  return {{where, 1, 0, {block, block + 1}}};
}

request in_place(collective what, rank root = 0) {
  request r;
  r.what = what;
  r.root = root;
  r.in_place = true;
  return r;
}

/// The region that a send of a block is recorded as.
region recorded(const request& what, rank self, buffer where, std::int64_t block) {
  builder out(what, self, 4);
  out.send(1, one(where, block));
  const schedule written = std::move(out).finish();
  return written.at(written.steps.at(0).source)[0];
}

TEST(builder, out_of_place_keeps_both_buffers) {
  request what;
  EXPECT_EQ(recorded(what, 2, buffer::input, 0), one(buffer::input, 0)[0]);
  EXPECT_EQ(recorded(what, 2, buffer::output, 0), one(buffer::output, 0)[0]);
}

TEST(builder, hands_steps_over_instead_of_keeping_them) {
  builder out({}, 2, 4);
  std::vector<region> seen;
  out.hand_over_to([&](const schedule& written, const step& each) { seen.push_back(written.at(each.source)[0]); });
  out.send(1, one(buffer::input, 0));
  out.copy(one(buffer::output, 0), one(buffer::output, 0));  // the same memory: no step
  out.send(3, one(buffer::output, 0));
  EXPECT_EQ(seen, (std::vector{one(buffer::input, 0)[0], one(buffer::output, 0)[0]}));
  EXPECT_TRUE(std::move(out).finish().steps.empty());
}

TEST(builder, scratch_like_a_list_has_a_block_for_each_that_it_touches) {
  const region_list list{{buffer::input, 3, 2, {{1, 2}, 2}}, {buffer::input, 1, 0, {7, 8}}};
  for (const bool ragged : {false, true}) {
    request what;
    what.has_ragged_blocks = ragged;
    builder out(what, 0, 4);
    EXPECT_EQ(out.reserve_like(list, 2), 0);
    const schedule written = std::move(out).finish();
    EXPECT_EQ(written.scratch_blocks, 14);
    EXPECT_EQ(written.scratch_like.size(), ragged ? 14U : 0U);
  }
}

TEST(builder, in_place_is_recorded_in_the_larger_buffer) {
  EXPECT_EQ(recorded(in_place(collective::all_reduce), 2, buffer::input, 0), one(buffer::output, 0)[0]);
  EXPECT_EQ(recorded(in_place(collective::all_gather), 2, buffer::input, 0), one(buffer::output, 2)[0]);
  EXPECT_EQ(recorded(in_place(collective::reduce_scatter), 2, buffer::output, 0), one(buffer::input, 2)[0]);
  EXPECT_EQ(recorded(in_place(collective::reduce_scatter), 2, buffer::input, 3), one(buffer::input, 3)[0]);
  EXPECT_EQ(recorded(in_place(collective::all_to_all), 2, buffer::input, 3), one(buffer::output, 3)[0]);
}

TEST(builder, only_the_root_of_a_rooted_collective_can_be_in_place) {
  EXPECT_EQ(recorded(in_place(collective::gather, 2), 2, buffer::input, 0), one(buffer::output, 2)[0]);
  EXPECT_EQ(recorded(in_place(collective::gather, 2), 1, buffer::input, 0), one(buffer::input, 0)[0]);
  EXPECT_EQ(recorded(in_place(collective::scatter, 2), 2, buffer::output, 0), one(buffer::input, 2)[0]);
  EXPECT_EQ(recorded(in_place(collective::reduce, 2), 1, buffer::input, 0), one(buffer::input, 0)[0]);
  EXPECT_EQ(recorded(in_place(collective::broadcast, 2), 1, buffer::input, 0), one(buffer::output, 0)[0]);
}

TEST(builder, a_copy_onto_itself_is_left_out) {
  builder out(in_place(collective::all_gather), 2, 4);
  out.copy(one(buffer::output, 2), one(buffer::input, 0));
  out.copy(one(buffer::output, 1), one(buffer::input, 0));
  const schedule written = std::move(out).finish();
  ASSERT_EQ(written.steps.size(), 1U);
  EXPECT_EQ(written.regions.size(), 2U);
  EXPECT_EQ(written.at(written.steps[0].target)[0], one(buffer::output, 1)[0]);
}

TEST(builder, staged_input_is_read_in_scratch) {
  builder out(in_place(collective::all_to_all), 1, 4);
  EXPECT_EQ(out.reserve_scratch(3), 0);
  out.stage_input();
  out.send(2, one(buffer::input, 2));
  out.recv(2, one(buffer::output, 2));
  const schedule written = std::move(out).finish();
  EXPECT_EQ(written.scratch_blocks, 7);
  ASSERT_EQ(written.steps.size(), 3U);
  EXPECT_EQ(written.steps[0].kind, step_kind::copy);
  EXPECT_EQ(written.at(written.steps[0].source)[0], (region{buffer::output, 1, 0, {0, 4}}));
  EXPECT_EQ(written.at(written.steps[0].target)[0], (region{buffer::scratch, 1, 0, {3, 7}}));
  EXPECT_EQ(written.at(written.steps[1].source)[0], one(buffer::scratch, 5)[0]);
  EXPECT_EQ(written.at(written.steps[2].target)[0], one(buffer::output, 2)[0]);
}

TEST(builder, steps_carry_kind_peer_channel_phase_and_side) {
  builder out(request{}, 0, 4);
  out.begin_phase("first");
  out.recv_reduce(3, one(buffer::output, 0), one(buffer::input, 0), side::left);
  out.begin_phase("second");
  out.use_channel(5);
  out.reduce(one(buffer::output, 0), one(buffer::input, 0), one(buffer::output, 0));
  const schedule written = std::move(out).finish();
  ASSERT_EQ(written.steps.size(), 2U);
  const step &a = written.steps[0], &b = written.steps[1];
  EXPECT_EQ(a.kind, step_kind::recv_reduce);
  EXPECT_EQ(a.incoming, side::left);
  EXPECT_EQ(a.peer, rank(3));
  EXPECT_EQ(a.channel, 0);
  EXPECT_EQ(b.kind, step_kind::reduce);
  EXPECT_EQ(b.incoming, side::right);
  EXPECT_EQ(b.channel, 5);
  EXPECT_EQ(written.phase_names.at(a.phase), "first");
  EXPECT_EQ(written.phase_names.at(b.phase), "second");
  EXPECT_EQ(written.at(b.other)[0], one(buffer::output, 0)[0]);
}

TEST(builder, a_schedule_without_phases_has_one) {
  builder out(request{}, 0, 1);
  EXPECT_EQ(std::move(out).finish().phase_names, std::vector<std::string>{"all"});
}

}  // namespace
