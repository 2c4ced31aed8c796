// Regions to bytes: segments, ragged blocks, and counts beyond 32 bits.
#include <gtest/gtest.h>

#include <vector>

#include <hawser/executor/layout.hpp>
#include <hawser/executor/runs.hpp>

namespace hawser::executor {
namespace {

using schedule::buffer;
using schedule::fraction;
using schedule::interval;
using schedule::region;

std::vector<run> runs_of(const block_layout& layout, const region& where, segment part = {}) {
  std::vector<run> runs;
  layout.append_runs(where, part, runs);
  return runs;
}

TEST(layout, the_parts_of_a_block_tile_it_whatever_the_count) {
  for (std::int64_t count : {0, 1, 2, 7, 64, 1001})
    for (int parts : {1, 2, 3, 7, 64}) {
      std::vector<std::byte> memory(static_cast<std::size_t>(count) * 4 + 1);
      const auto layout = block_layout::uniform(memory.data(), count, 4);
      const std::byte* at = memory.data();
      for (int i = 0; i < parts; ++i)
        for (const run& each : runs_of(layout, {buffer::input, 1, 0, interval{0, 1}.part(i, parts)})) {
          EXPECT_EQ(each.data, at);
          at += each.bytes;
        }
      EXPECT_EQ(at, memory.data() + count * 4);
    }
}

TEST(layout, segments_of_all_parts_tile_the_blocks_once) {
  const std::int64_t count = 1003;
  const int blocks = 3, segments = 7;
  std::vector<int> hits(static_cast<std::size_t>(count * blocks));
  const auto layout = block_layout::uniform(hits.data(), count, sizeof(int));
  for (int s = 0; s < segments; ++s)
    for (int i = 0; i < 5; ++i)
      for (const run& each : runs_of(layout, {buffer::output, 1, 0, interval{0, blocks}.part(i, 5)}, {s, segments}))
        for (std::size_t at = 0; at < each.bytes; at += sizeof(int)) ++*reinterpret_cast<int*>(each.data + at);
  for (int hit : hits) EXPECT_EQ(hit, 1);
}

TEST(layout, strides_and_ragged_blocks) {
  std::byte memory[64];
  const std::vector<std::int64_t> counts{3, 0, 5, 2}, offsets{0, 3, 3, 8};
  const auto layout = block_layout::ragged(memory, counts, offsets, 2);
  const auto runs = runs_of(layout, {buffer::input, 2, 2, {0, 1}});  // blocks 0 and 2, which lie side by side
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].bytes, 16U);
  EXPECT_TRUE(runs_of(layout, {buffer::input, 1, 0, {1, 2}}).empty());
}

TEST(layout, a_segment_in_scratch_memory_is_as_large_as_one_in_the_buffer) {
  std::byte buffer_memory[4096], scratch_memory[4096];
  const auto whole = block_layout::uniform(buffer_memory, 101, 1);
  auto scratch = block_layout::uniform(nullptr, 101, 1);
  scratch.hold_one_segment().move_to(scratch_memory);
  for (int s = 0; s < 4; ++s)
    for (int block = 0; block < 5; ++block) {
      const region where{buffer::input, 1, 0, {block, block + 1}};
      EXPECT_EQ(total_bytes(runs_of(whole, where, {s, 4})), total_bytes(runs_of(scratch, where, {s, 4})));
      const segment part{s, 4};
      EXPECT_LE(runs_of(scratch, where, part)[0].data, scratch_memory + block * part.largest(101));
    }
}

TEST(layout, counts_beyond_32_bits) {
  const std::int64_t count = std::int64_t{1} << 40;  // no memory is touched
  const auto layout = block_layout::uniform(nullptr, count, 4);
  const auto runs = runs_of(layout, {buffer::input, 1, 0, interval{0, 1}.part(131'039, 131'040)}, {4095, 4096});
  const std::uint64_t first = std::uint64_t{1} << 40, segment_begin = first - (first >> 12);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_GE(reinterpret_cast<std::uintptr_t>(runs[0].data), segment_begin * 4);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(runs[0].data) + runs[0].bytes, first * 4);
}

TEST(runs, pairs_and_triples_cut_where_any_list_does) {
  char a[6] = {}, b[6] = {}, c[6] = {};
  const auto at = [](char* p) { return reinterpret_cast<std::byte*>(p); };
  const std::vector<run> x{{at(a), 2}, {at(a + 2), 4}}, y{{at(b), 5}, {at(b + 5), 1}}, z{{at(c), 1}, {at(c + 1), 5}};
  std::vector<std::size_t> pieces;
  for_each_triple(x, y, z, [&](std::byte* p, std::byte* q, std::byte* r, std::size_t bytes) {
    EXPECT_EQ(p - at(a), q - at(b));
    EXPECT_EQ(p - at(a), r - at(c));
    pieces.push_back(bytes);
  });
  EXPECT_EQ(pieces, (std::vector<std::size_t>{1, 1, 3, 1}));
}

}  // namespace
}  // namespace hawser::executor
