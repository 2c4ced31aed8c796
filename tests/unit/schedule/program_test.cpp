// Dependences derived from overlap.
#include <hawser/schedule/builder.hpp>
#include <hawser/schedule/program.hpp>

#include <gtest/gtest.h>

#include <random>
#include <set>

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

}  // namespace
