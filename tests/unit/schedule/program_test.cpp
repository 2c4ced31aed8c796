// Dependences derived from overlap.
#include <hawser/schedule/builder.hpp>
#include <hawser/schedule/program.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/topology/synthetic.hpp>

#include "support/plain_dependences.hpp"

namespace {

using namespace hawser::schedule;
using edge_set = std::set<std::pair<std::size_t, std::size_t>>;

edge_set edges(const program& p) {
  edge_set result;
  for (std::size_t i = 0; i < p.source.steps.size(); ++i)
    for (std::uint32_t after : p.dependents_of(i)) result.emplace(i, after);
  return result;
}

region_list part(buffer where, std::uint64_t from, std::uint64_t to, std::uint64_t of) {
  return {{where, 1, 0, {fraction(from, of), fraction(to, of)}}};
}

TEST(derive_dependences, read_after_write_write_after_read_write_after_write) {
  builder out(request{}, 0, 4);
  out.recv(1, part(buffer::output, 0, 2, 4));  // 0
  out.send(2, part(buffer::output, 1, 3, 4));  // 1 reads what 0 wrote
  out.recv(3, part(buffer::output, 2, 4, 4));  // 2 overwrites what 1 reads
  out.recv(3, part(buffer::output, 0, 1, 4));  // 3 overwrites what 0 wrote
  out.send(1, part(buffer::input, 0, 4, 4));   // 4 another buffer
  const program p = derive_dependences(std::move(out).finish());
  EXPECT_EQ(edges(p), (edge_set{{0, 1}, {1, 2}, {0, 3}}));
  EXPECT_EQ(p.waits_for, (std::vector<std::uint32_t>{0, 1, 1, 1, 0}));
}

TEST(derive_dependences, readers_do_not_wait_for_each_other) {
  builder out(request{}, 0, 4);
  out.send(1, part(buffer::input, 0, 4, 4));
  out.send(2, part(buffer::input, 1, 2, 4));
  EXPECT_TRUE(edges(derive_dependences(std::move(out).finish())).empty());
}

TEST(derive_dependences, a_write_hides_what_was_before_it) {
  builder out(request{}, 0, 4);
  out.recv(1, part(buffer::output, 0, 1, 1));
  out.recv(2, part(buffer::output, 0, 1, 1));
  out.send(3, part(buffer::output, 0, 1, 1));
  EXPECT_EQ(edges(derive_dependences(std::move(out).finish())), (edge_set{{0, 1}, {1, 2}}));
}

TEST(derive_dependences, looks_at_every_copy_of_a_stride) {
  request what;
  what.what = collective::all_to_all;
  builder out(what, 0, 8);
  out.recv(1, {{buffer::output, 4, 2, {0, 1}}});  // blocks 0 2 4 6
  out.send(2, {{buffer::output, 1, 0, {6, 7}}});
  out.send(2, {{buffer::output, 1, 0, {5, 6}}});
  EXPECT_EQ(edges(derive_dependences(std::move(out).finish())), (edge_set{{0, 1}}));
}

TEST(derive_dependences, a_step_does_not_wait_for_itself) {
  builder out(request{}, 0, 4);
  out.recv_reduce(1, part(buffer::output, 0, 1, 1), part(buffer::output, 0, 1, 1));
  EXPECT_TRUE(edges(derive_dependences(std::move(out).finish())).empty());
}

/// Which steps touch each piece of a fine grid: dependences found by looking at every pair.
struct touched {
  std::set<std::uint64_t> read, written;
};
bool meet(const std::set<std::uint64_t>& a, const std::set<std::uint64_t>& b) {
  for (std::uint64_t each : a)
    if (b.contains(each)) return true;
  return false;
}

TEST(derive_dependences, orders_exactly_what_conflicts_in_random_schedules) {
  constexpr std::uint64_t seed = 20240607, pieces = 12;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    builder out(request{}, 0, 4);
    std::vector<touched> touches;
    const auto pick = [&](std::set<std::uint64_t>& into) {
      const std::uint64_t from = random() % pieces, to = from + 1 + random() % (pieces - from);
      for (std::uint64_t i = from; i < to; ++i) into.insert(i);
      return part(buffer::output, from, to, pieces);
    };
    for (int i = 0; i < 14; ++i) {
      touched each;
      if (random() % 2 == 0)
        out.send(1, pick(each.read));
      else
        out.recv(1, pick(each.written));
      touches.push_back(each);
    }
    const program p = derive_dependences(std::move(out).finish());
    const edge_set derived = edges(p);
    std::vector<std::vector<bool>> before(touches.size(), std::vector<bool>(touches.size(), false));
    for (std::size_t j = 0; j < touches.size(); ++j)
      for (std::size_t i = j; i-- > 0;) {
        const bool conflict = meet(touches[i].written, touches[j].read) || meet(touches[i].read, touches[j].written) ||
                              meet(touches[i].written, touches[j].written);
        const bool has_edge = derived.contains({i, j});
        EXPECT_TRUE(!has_edge || conflict) << "needless dependence " << i << " -> " << j << ", seed " << seed;
        before[i][j] = has_edge;
      }
    for (std::size_t k = 0; k < touches.size(); ++k)
      for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = k + 1; j < touches.size(); ++j)
          if (before[i][k] && before[k][j]) before[i][j] = true;
    for (std::size_t j = 0; j < touches.size(); ++j)
      for (std::size_t i = 0; i < j; ++i)
        if (meet(touches[i].written, touches[j].read) || meet(touches[i].read, touches[j].written) ||
            meet(touches[i].written, touches[j].written)) {
          EXPECT_TRUE(before[i][j]) << i << " and " << j << " race, seed " << seed << " round " << round;
        }
  }
}

/// Every edge of the plain derivation and no other, and arrays that agree with each other.
void expect_as_plain(const hawser::schedule::schedule& source, const std::string& of) {
  const program p = derive_dependences(source);
  edge_set plain;
  for (const auto& [before, after] : hawser::tests::plain_dependences(source)) plain.emplace(before, after);
  std::size_t waited = 0;
  for (std::uint32_t each : p.waits_for) waited += each;
  EXPECT_EQ(waited, p.dependents.size()) << of;
  EXPECT_EQ(edges(p), plain) << of;
  EXPECT_EQ(plain.size(), p.dependents.size()) << of;
}

/// Strides of few periods at many offsets, so that some lie on one grid, some cross others, some cross their slots.
region random_region(std::mt19937_64& random) {
  const auto number = [&](std::uint64_t low, std::uint64_t high) { return low + random() % (high - low + 1); };
  const std::uint64_t parts = number(1, 3), begin = number(0, 40 * parts);
  const std::int64_t stride = static_cast<std::int64_t>(number(0, 3) == 0 ? number(1, 9) : 6);
  const auto longest = static_cast<std::uint64_t>(stride) * parts + (number(0, 9) == 0 ? 3 : 0);  // also overlapping
  const fraction first(begin, parts);
  const interval piece{first, first + fraction(number(1, longest), parts)};
  const auto where = number(0, 3) == 0 ? buffer::scratch : buffer::output;
  if (number(0, 2) == 0) return {where, 1, 0, piece};
  return {where, static_cast<std::uint32_t>(number(1, 14)), stride, piece};
}

TEST(derive_dependences, random_strides_give_the_edges_of_the_plain_derivation) {
  const std::uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000 && !testing::Test::HasFailure(); ++round) {
    builder out(request{}, 0, 4);
    const auto regions = [&] {
      region_list list{random_region(random)};
      if (random() % 3 == 0) list.push_back(random_region(random));
      return list;
    };
    for (int i = 0; i < 16; ++i) switch (random() % 4) {
        case 0: out.send(1, regions()); break;
        case 1: out.recv(1, regions()); break;
        case 2: out.recv_reduce(1, regions(), regions()); break;
        default: out.reduce(regions(), regions(), regions());
      }
    expect_as_plain(std::move(out).finish(), "seed " + std::to_string(seed) + ", round " + std::to_string(round));
  }
}

TEST(derive_dependences, every_algorithm_gives_the_edges_of_the_plain_derivation) {
  int compared = 0;
  for (const char* machine : {"gpu:1", "gpu:7", "rack:3 gpu:5", "rack:[8,8,5]", "pod:2 rack:3 gpu:4", "rack:[1,2,3]",
                              "pod:2 rack:[1,3] gpu:[2,5,1,3]", "rack:9 gpu:4"})
    for (collective what : all_collectives)
      for (bool in_place : {false, true})
        for (bool is_ragged : {false, true}) {
          const auto tree = hawser::topology::parse_synthetic(machine);
          const auto last = static_cast<std::int32_t>(tree.size() - 1);
          request call{.what = what, .root = last / 2, .in_place = in_place, .has_ragged_blocks = is_ragged};
          for (const std::string& name : hawser::algorithm::algorithm_names(tree, what))
            for (std::int32_t self : {0, last / 2, last}) {
              expect_as_plain(hawser::algorithm::generate(tree, call, name, self), name + " on " + machine);
              ++compared;
            }
        }
  std::printf("%d schedules compared\n", compared);
}

/// The exchange of 131,040 ranks has regular strides of 1,820 copies: each must stay one entry.
TEST(derive_dependences, long_strides_stay_one_entry) {
  const auto tree = hawser::topology::parse_synthetic("rack:1820 gpu:72");
  for (bool in_place : {false, true}) {
    const request call{.what = collective::all_to_all, .in_place = in_place};
    derivation took;
    const program p =
        derive_dependences(hawser::algorithm::generate(tree, call, "hierarchical(pairwise,pairwise)", 77'777), &took);
    EXPECT_LE(took.entries, 2 * p.source.steps.size()) << "in place " << in_place;
    EXPECT_LE(took.visits, 2 * p.dependents.size() + p.source.regions.size()) << "in place " << in_place;
    EXPECT_GE(p.dependents.size(), 1819U * 72U);
  }
}

}  // namespace
