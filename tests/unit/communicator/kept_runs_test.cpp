// Calls of a shape seen before use a kept run: with other buffers, never two at a time, in bounded memory, and without
// an allocation.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <new>

#include "../../../src/communicator/state.hpp"

#include <support/threads_over.hpp>

namespace {

thread_local std::int64_t allocations = 0;

}  // namespace

// Other forms of the standard library's operator new come here; AddressSanitizer's without exceptions does not. Not
// inlined, since GCC then takes new and free for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
[[gnu::noinline]] void operator delete(void* gone, const std::nothrow_t&) noexcept {
  std::free(gone);
}
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* made = std::malloc(bytes == 0 ? 1 : bytes)) return made;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* gone) noexcept {
  std::free(gone);
}
[[gnu::noinline]] void operator delete(void* gone, std::size_t) noexcept {
  std::free(gone);
}

namespace hawser {
namespace {

/// `body(communicator&)` on each of some threads, over each transport that threads can use.
template <class Body>
void over_all_transports(int size, Body&& body) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport + " " + std::to_string(size));
    test::run_threads_over(transport, size, {}, body);
  }
}

std::int32_t sum_of_ranks(int size, std::int32_t each) {
  return size * (size - 1) / 2 + size * each;
}

TEST(kept_runs, serve_calls_with_other_buffers_counts_and_forms) {
  over_all_transports(3, [](communicator& members) {
    const int n = members.size();
    for (int call = 0; call < 24; ++call) {
      const std::size_t count = call % 3 == 0 ? 5 : 257;
      std::vector<std::int32_t> in(count, members.rank().value + call), out(count, -1);  // new memory each time
      if (call % 4 == 3)
        members.all_reduce(in);
      else
        members.all_reduce(in, out);
      EXPECT_EQ(call % 4 == 3 ? in : out, std::vector(count, sum_of_ranks(n, call)));
      std::vector<std::int32_t> told(count, members.rank() == rank(call % n) ? call : -1);
      members.broadcast(told, rank(call % n));
      EXPECT_EQ(told, std::vector(count, call));
      std::vector<float> scaled(count, 1);
      members.all_reduce(scaled, premultiplied_sum(call));
      EXPECT_EQ(scaled, std::vector<float>(count, static_cast<float>(n * call)));
    }
  });
}

TEST(kept_runs, are_used_by_one_call_at_a_time) {
  over_all_transports(2, [](communicator& members) {
    constexpr std::size_t together = detail::kept_runs::most_runs + 8;  // some get none that is kept
    std::vector<std::vector<std::int32_t>> in, out(together, std::vector<std::int32_t>(64));
    for (std::size_t i = 0; i < together; ++i) in.emplace_back(64, static_cast<std::int32_t>(i) + members.rank().value);
    for (int round = 0; round < 3; ++round) {
      for (auto& each : out) each.assign(64, -1);
      std::vector<pending> started;
      for (std::size_t i = 0; i < together; ++i) started.push_back(members.async().all_reduce(in[i], out[i]));
      for (std::size_t i = together; i-- > 0;) started[i].wait();
      for (std::size_t i = 0; i < together; ++i)
        EXPECT_EQ(out[i], std::vector(64, sum_of_ranks(2, static_cast<std::int32_t>(i)))) << i;
    }
  });
}

TEST(kept_runs, are_bounded) {
  over_all_transports(2, [](communicator& members) {
    detail::kept_runs& kept = members.state()->runs();
    for (std::size_t count = 1; count <= 5 * detail::kept_runs::most_runs; ++count) {
      std::vector<std::int32_t> data(count, members.rank().value);
      members.all_reduce(data);
      EXPECT_EQ(data, std::vector(count, 1));
      EXPECT_LE(kept.size(), detail::kept_runs::most_runs);
    }
    EXPECT_EQ(kept.size(), detail::kept_runs::most_runs);
  });
}

/// A run of a megabyte holds scratch of that order: it is given back at once.
TEST(kept_runs, hold_no_large_memory) {
  over_all_transports(2, [](communicator& members) {
    detail::kept_runs& kept = members.state()->runs();
    std::vector<float> small(16, 1), large(std::size_t{1} << 20, 1);
    call_options wide;
    wide.accumulation = data_type::float64;  // staged
    members.all_reduce(small);
    members.all_reduce(large, op::sum, wide);
    EXPECT_EQ(large.back(), 2);
    EXPECT_EQ(kept.size(), 1U);
  });
}

/// One thread makes the calls of both ranks, so that what happens is the same each time.
TEST(kept_runs, need_no_allocation) {
  communicator_options options;
  options.topology = "hosts";
  options.progress = progress::caller;
  options.transports = {transport::shared_memory_factory()};
  const auto job = bootstrap::in_process_job::create(2);
  std::unique_ptr<communicator> first, second;
  std::thread other([&] { second = std::make_unique<communicator>(job->join(1), options); });
  first = std::make_unique<communicator>(job->join(0), options);
  other.join();
  std::vector<float> a(256, 1), b(256, 2), sum_a(256), sum_b(256);
  const auto both_call = [&] {
    pending begun = first->async().all_reduce(a, sum_a);
    second->all_reduce(b, sum_b);
    begun.wait();
  };
  const std::int64_t at_first = allocations;
  for (int i = 0; i < 3; ++i) both_call();
  EXPECT_GT(allocations, at_first);  // it counts
  const std::int64_t before = allocations;
  for (int i = 0; i < 100; ++i) both_call();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(sum_a, std::vector<float>(256, 3));
  EXPECT_EQ(sum_b, sum_a);
  std::thread last([&] { second.reset(); });
  first.reset();
  last.join();
}

TEST(kept_runs, refuse_what_a_new_run_refuses) {
  over_all_transports(2, [](communicator& members) {
    std::vector<std::int32_t> data(32, 1), sum(16);
    const std::span<std::int32_t> whole(data);
    members.all_reduce(whole.first(16), sum);
    EXPECT_THROW(members.all_reduce(whole.first(16), whole.subspan(8, 16)), error);  // overlap
    EXPECT_THROW(members.all_reduce(whole.first(16), std::span<std::int32_t>(sum.data(), 15)), error);
    members.all_reduce(whole.first(16), sum);
    EXPECT_EQ(sum, std::vector(16, 2));
  });
}

TEST(kept_runs, end_with_the_job) {
  for (const std::string& transport : test::thread_transports()) {
    SCOPED_TRACE(transport);
    std::barrier everybody(2);
    std::atomic<int> refused{0};
    test::run_threads_over(transport, 2, {}, [&](communicator& members) {
      std::vector<std::int32_t> data(16, 1), more(16, 1);
      members.all_reduce(data);
      everybody.arrive_and_wait();
      if (members.rank() == rank(0)) members.abort("the test says so");
      for (int i = 0; i < 3; ++i) {
        try {
          const pending left = members.async().all_reduce(more);  // its handle goes while it is under way
          for (;;) members.all_reduce(data);                      // until this rank has heard of the end
        } catch (const error& told) {
          EXPECT_EQ(told.code(), errc::aborted) << told.what();
          ++refused;
        }
      }
    });
    EXPECT_EQ(refused, 6);
  }
}

}  // namespace
}  // namespace hawser
