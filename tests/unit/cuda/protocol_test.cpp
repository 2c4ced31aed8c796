// The protocol of the device core: many calls with random delays, wrapping numbers, aborts that name who never came.
#include <barrier>
#include <thread>

#include <hawser/cuda/device/all_reduce.hpp>
#include <hawser/cuda/device/exchange.hpp>
#include <hawser/cuda/device/low_latency.hpp>

#include "unit/cuda/host_grid.hpp"

namespace device_testing {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr int calls_per_run = 300;
#else
constexpr int calls_per_run = 2000;
#endif

/// A rank's input in a call, such that every call has another sum.
std::uint32_t input_of(int rank, int call, std::size_t i) {
  return static_cast<std::uint32_t>(rank + 1) * 2654435761U + static_cast<std::uint32_t>(call) * 40503U +
         static_cast<std::uint32_t>(i);
}

enum class kind { low_latency, one_shot, two_shot, all_gather };

/// One rank's stream of calls: the CTAs of a kernel begin when the one before has ended, ranks only meet inside.
struct stream {
  std::vector<std::uint32_t> input = std::vector<std::uint32_t>(200), output = std::vector<std::uint32_t>(200 * 8);
  std::unique_ptr<std::barrier<>> kernel;
  int wrong = 0;
};

struct call_shape {
  kind what;
  std::size_t count;
};

/// The same sequence on all ranks, mixed, so that a call of one kind may meet what another kind left.
call_shape shape_of(std::uint64_t seed, int call, int ranks) {
  std::mt19937_64 random(seed * 7919 + static_cast<std::uint64_t>(call));
  const auto what = static_cast<kind>(random() % 4);
  return {what, 1 + random() % (what == kind::all_gather ? 200U / static_cast<unsigned>(ranks) : 200U)};
}

void run_call(const host_block& block, const rank_view& view, const call_shape& shape, stream& own) {
  const auto* in = reinterpret_cast<const std::byte*>(own.input.data());
  auto* out = reinterpret_cast<std::byte*>(own.output.data());
  const reduce_call reduce{.view = view, .input = in, .output = out, .count = shape.count};
  switch (shape.what) {
    case kind::low_latency: return low_latency_all_reduce<std::uint32_t>(block, reduce, add{}, identity{});
    case kind::one_shot: return one_shot_all_reduce<std::uint32_t>(block, reduce, add{}, identity{});
    case kind::two_shot: return two_shot_all_reduce<std::uint32_t>(block, reduce, add{}, identity{});
    case kind::all_gather:
      return push_all_gather(block, {.view = view, .input = in, .output = out, .block_bytes = shape.count * 4});
  }
}

int count_wrong(const stream& own, const call_shape& shape, int call, int ranks) {
  int wrong = 0;
  for (std::size_t i = 0; i < shape.count; ++i) {
    std::uint32_t sum = 0;
    for (int r = 0; r < ranks; ++r) {
      sum += input_of(r, call, i);
      if (shape.what == kind::all_gather)
        wrong += own.output[static_cast<std::size_t>(r) * shape.count + i] != input_of(r, call, i);
    }
    if (shape.what != kind::all_gather) wrong += own.output[i] != sum;
  }
  return wrong;
}

void delay(std::mt19937_64& random) {
  for (std::uint64_t n = random() % 8 == 0 ? random() % 40 : 0; n > 0; --n) std::this_thread::yield();
}

/// All ranks' streams; returns how many elements were wrong.
int run_streams(host_group& group, int calls, std::uint64_t seed) {
  std::vector<stream> streams(static_cast<std::size_t>(group.size()));
  for (stream& each : streams) each.kernel = std::make_unique<std::barrier<>>(group.grid().ctas * group.grid().threads);
  group.launch([&](const host_block& block, int r) {
    stream& own = streams[static_cast<std::size_t>(r)];
    const bool is_first = block.cta() == 0 && block.thread() == 0;
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(r) * 1000 + block.cta() * 10 + block.thread());
    for (int call = 0; call < calls; ++call) {
      const call_shape shape = shape_of(seed, call, group.size());
      if (is_first) {
        for (std::size_t i = 0; i < shape.count; ++i) own.input[i] = input_of(r, call, i);
        std::fill(own.output.begin(), own.output.end(), 0xcdcdcdcdU);
      }
      own.kernel->arrive_and_wait();
      delay(random);
      run_call(block, group.view(r), shape, own);
      own.kernel->arrive_and_wait();
      if (is_first) own.wrong += count_wrong(own, shape, call, group.size());
    }
  });
  int wrong = 0;
  for (int r = 0; r < group.size(); ++r) {
    wrong += streams[static_cast<std::size_t>(r)].wrong;
    EXPECT_EQ(group.fault_of(r).reason, fault_reason::none);
  }
  return wrong;
}

TEST(calls_in_a_row, of_all_kinds_with_random_delays) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  for (const auto& [ranks, grid] :
       {std::pair(2, grid_shape{2, 2}), std::pair(4, grid_shape{2, 1}), std::pair(3, grid_shape{1, 3})}) {
    host_group group(ranks, grid);
    EXPECT_EQ(run_streams(group, calls_per_run, seed), 0) << ranks << " ranks";
  }
}

void set_sequences(host_group& group, std::uint32_t sequence) {
  for (int r = 0; r < group.size(); ++r) {
    const window_layout& layout = group.view(r).layout;
    for (int c = 0; c < layout.shape.ctas; ++c) {
      *group.view(r).at<std::uint32_t>(r, layout.sequence(c)) = sequence;
      for (int p = 0; p < group.size(); ++p)
        *group.view(r).at<std::uint32_t>(r, layout.flag(c, p)) = sequence * epochs_per_call + epochs_per_call - 1;
    }
  }
}

TEST(call_numbers, wrap_around) {
  host_group group(3);
  set_sequences(group, 0xffffffffU - 20);
  EXPECT_EQ(run_streams(group, 60, 3), 0);
  host_group quarter(2);
  set_sequences(quarter, 0x3fffffffU - 20);  // epochs wrap four times as often
  EXPECT_EQ(run_streams(quarter, 60, 4), 0);
}

TEST(call_numbers, count_for_ctas_that_were_not_launched) {
  host_group group(2, {2, 2});
  run_streams(group, 5, 5);
  for (int c = 0; c < group.view(0).layout.shape.ctas; ++c)
    EXPECT_EQ(*group.view(0).at<std::uint32_t>(0, group.view(0).layout.sequence(c)), 5U) << c;
}

/// Runs one call of a kind on all ranks but `absent`.
void run_without(host_group& group, int absent, kind what) {
  std::vector<stream> streams(static_cast<std::size_t>(group.size()));
  group.launch(
      [&](const host_block& block, int r) {
        run_call(block, group.view(r), {what, 20}, streams[static_cast<std::size_t>(r)]);
      },
      [&](int r) { return r != absent; });
}

TEST(a_rank_that_never_arrives, ends_the_others_calls_and_is_named) {
  for (const kind what : {kind::low_latency, kind::one_shot, kind::two_shot, kind::all_gather}) {
    host_group group(4);
    for (int r = 0; r < 4; ++r) group.view(r).timeout_ns = 50'000'000;
    const auto start = std::chrono::steady_clock::now();
    run_without(group, 2, what);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    for (const int r : {0, 1, 3}) {
      EXPECT_EQ(group.fault_of(r).reason, fault_reason::never_arrived) << static_cast<int>(what);
      EXPECT_EQ(group.fault_of(r).peer, 2);
      for (int c = 0; c < 2; ++c)  // a call that failed does not count
        EXPECT_EQ(*group.view(r).at<std::uint32_t>(r, group.view(r).layout.sequence(c)), 0U);
    }
  }
}

TEST(an_abort_of_the_host, ends_every_wait_without_a_culprit) {
  host_group group(3);  // patience of a minute: only the abort ends it
  std::thread host([&] {
    for (int r = 0; r < 3; ++r) {
      std::this_thread::yield();
      std::atomic_ref(*group.view(r).at<std::uint32_t>(r, group.view(r).layout.abort_word()))
          .store(fault{fault_reason::aborted, -1}.word());
    }
  });
  const auto start = std::chrono::steady_clock::now();
  run_without(group, 1, kind::two_shot);
  host.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(group.fault_of(0).reason, fault_reason::aborted);
  EXPECT_EQ(group.fault_of(0).peer, -1);
}

TEST(faults, keep_reason_and_rank_in_a_word) {
  for (const fault each : {fault{fault_reason::never_arrived, 0}, fault{fault_reason::block_mismatch, 71},
                           fault{fault_reason::aborted, -1}}) {
    EXPECT_NE(each.word(), 0U);
    EXPECT_EQ(fault::of(each.word()).reason, each.reason);
    EXPECT_EQ(fault::of(each.word()).peer, each.peer);
  }
  EXPECT_EQ(fault{}.word(), 0U);
}

TEST(windows, keep_their_regions_apart) {
  for (const int ranks : {1, 2, 8, max_ranks}) {
    const window_layout layout{{.ranks = ranks, .ctas = 16, .low_latency_bytes = 4096, .staging_bytes = 1 << 16}};
    std::vector<std::pair<std::uint64_t, std::uint64_t>> regions{{layout.abort_word(), 4}};
    for (int c = 0; c < 16; ++c) {
      regions.emplace_back(layout.sequence(c), 4);
      for (int r = 0; r < ranks; ++r) {
        regions.emplace_back(layout.flag(c, r), 4);
        regions.emplace_back(layout.notice(c, r), sizeof(block_notice));
      }
    }
    for (unsigned parity : {0U, 1U}) {
      for (int r = 0; r < ranks; ++r) regions.emplace_back(layout.lines(parity, r), 2 * 4096);
      regions.emplace_back(layout.staging(parity), 1 << 16);
      EXPECT_EQ(layout.staging(parity) % window_layout::line, 0U);
    }
    std::sort(regions.begin(), regions.end());
    for (std::size_t i = 1; i < regions.size(); ++i)
      EXPECT_GE(regions[i].first, regions[i - 1].first + regions[i - 1].second);
    EXPECT_EQ(layout.bytes(), regions.back().first + regions.back().second);
  }
}

}  // namespace
}  // namespace device_testing
