// Broadcast, all-gather, all-to-all and all-to-all-v of the device core on host threads; bytes are exact.
#include <algorithm>
#include <numeric>

#include <hawser/cuda/device/exchange_v.hpp>
#include <hawser/cuda/device/multimem.hpp>

#include "unit/cuda/host_grid.hpp"

namespace device_testing {
namespace {

enum class collective { broadcast, all_gather, all_to_all };
enum class way { staged, mapped, multicast };

/// Byte i of what rank `from` has for rank `to`; of no period that a block or vector has.
std::byte payload(int from, int to, std::size_t i) {
  return static_cast<std::byte>(
      (static_cast<std::size_t>(from) * 131 + static_cast<std::size_t>(to) * 31 + i * 7 + i / 251) % 253);
}

using buffers = std::vector<std::unique_ptr<device_buffer<std::byte>>>;

struct exchange_job {
  buffers in, out;
  std::vector<exchange_call> calls;
};

exchange_job make_job(host_group& group, collective what, way how, std::size_t bytes, std::size_t offset, int root) {
  const auto k = static_cast<std::size_t>(group.size());
  exchange_job job;
  for (int r = 0; r < group.size(); ++r) {
    const std::size_t sent = what == collective::all_to_all ? k : 1, received = what == collective::broadcast ? 1 : k;
    job.in.push_back(std::make_unique<device_buffer<std::byte>>(bytes * sent, offset));
    job.out.push_back(std::make_unique<device_buffer<std::byte>>(bytes * received, offset));
    for (std::size_t p = 0; p < sent; ++p)
      for (std::size_t i = 0; i < bytes; ++i)
        job.in.back()->data()[p * bytes + i] = payload(r, what == collective::all_to_all ? static_cast<int>(p) : 0, i);
    job.calls.push_back({.view = group.view(r),
                         .input = job.in.back()->data(),
                         .output = job.out.back()->data(),
                         .block_bytes = bytes,
                         .root = root});
  }
  for (exchange_call& each : job.calls) {
    each.outputs.is_mapped = how == way::mapped;
    for (std::size_t r = 0; r < k && how == way::mapped; ++r) each.outputs.of[r] = job.out[r]->data();
  }
  return job;
}

void run(const host_block& block, collective what, way how, const exchange_call& call) {
  const emulated_multicast<host_block> memory{block, call.view};
  switch (what) {
    case collective::broadcast:
      return how == way::multicast ? multimem_broadcast(block, call, memory) : push_broadcast(block, call);
    case collective::all_gather:
      return how == way::multicast ? multimem_all_gather(block, call, memory) : push_all_gather(block, call);
    case collective::all_to_all: return push_all_to_all(block, call);
  }
}

void check(const exchange_job& job, collective what, std::size_t bytes, int root) {
  for (std::size_t r = 0; r < job.out.size(); ++r) {
    ASSERT_TRUE(job.out[r]->has_intact_guards());
    for (std::size_t at = 0; at < job.out[r]->size(); ++at) {
      const int from = what == collective::broadcast ? root : static_cast<int>(at / bytes);
      const std::byte expected = payload(from, what == collective::all_to_all ? static_cast<int>(r) : 0, at % bytes);
      ASSERT_EQ((*job.out[r])[at], expected) << "rank " << r << ", byte " << at << " of blocks of " << bytes;
    }
  }
}

class exchange : public ::testing::TestWithParam<std::tuple<collective, way>> {};

TEST_P(exchange, moves_every_byte) {
  const auto [what, how] = GetParam();
  for (const int ranks : {1, 2, 3, 5}) {
    host_group group(ranks);
    std::uint32_t sequence = 1U << 30;
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{16}, std::size_t{333}, std::size_t{4096 + 48}}) {
      for (const std::size_t offset : {0, 1, 8}) {
        const int root = static_cast<int>(bytes) % ranks;
        exchange_job job = make_job(group, what, how, bytes, offset, root);
        group.launch(
            [&](const host_block& block, int r) { run(block, what, how, job.calls[static_cast<std::size_t>(r)]); });
        ASSERT_NO_FATAL_FAILURE(check(job, what, bytes, root));
        job = make_job(group, what, how, bytes, offset, root);
        ++sequence;
        for (std::int32_t phase = 0; phase < 2; ++phase) {  // the host keeps the phases apart
          for (exchange_call& each : job.calls) each.phases = {phase, sequence};
          group.launch(
              [&](const host_block& block, int r) { run(block, what, how, job.calls[static_cast<std::size_t>(r)]); });
        }
        ASSERT_NO_FATAL_FAILURE(check(job, what, bytes, root));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(of, exchange,
                         ::testing::Values(std::tuple(collective::broadcast, way::staged),
                                           std::tuple(collective::broadcast, way::mapped),
                                           std::tuple(collective::broadcast, way::multicast),
                                           std::tuple(collective::all_gather, way::staged),
                                           std::tuple(collective::all_gather, way::mapped),
                                           std::tuple(collective::all_gather, way::multicast),
                                           std::tuple(collective::all_to_all, way::staged),
                                           std::tuple(collective::all_to_all, way::mapped)));

/// Sizes, offsets and buffers of an all-to-all-v; blocks lie in a row, those received in the reverse order of ranks.
struct v_job {
  std::vector<std::vector<std::uint64_t>> send_bytes, send_offsets, recv_bytes, recv_offsets;
  buffers in, out;
  std::vector<exchange_call> calls;
};

v_job make_v_job(host_group& group, bool is_mapped, std::mt19937_64& random) {
  const auto k = static_cast<std::size_t>(group.size());
  const std::vector<std::vector<std::uint64_t>> zeros(k, std::vector<std::uint64_t>(k));
  v_job job;
  job.send_bytes = job.send_offsets = job.recv_bytes = job.recv_offsets = zeros;
  for (std::size_t r = 0; r < k; ++r)
    for (std::size_t p = 0; p < k; ++p) {
      job.send_bytes[r][p] = random() % 4 == 0 ? 0 : random() % 3000;
      job.recv_bytes[p][r] = job.send_bytes[r][p];
    }
  for (std::size_t r = 0; r < k; ++r) {
    std::exclusive_scan(job.send_bytes[r].begin(), job.send_bytes[r].end(), job.send_offsets[r].begin(),
                        std::uint64_t{0});
    std::exclusive_scan(job.recv_bytes[r].rbegin(), job.recv_bytes[r].rend(), job.recv_offsets[r].rbegin(),
                        std::uint64_t{0});
    job.in.push_back(std::make_unique<device_buffer<std::byte>>(job.send_offsets[r].back() + job.send_bytes[r].back()));
    job.out.push_back(std::make_unique<device_buffer<std::byte>>(job.recv_offsets[r][0] + job.recv_bytes[r][0]));
    for (std::size_t p = 0; p < k; ++p)
      for (std::size_t i = 0; i < job.send_bytes[r][p]; ++i)
        job.in[r]->data()[job.send_offsets[r][p] + i] = payload(static_cast<int>(r), static_cast<int>(p), i);
  }
  for (std::size_t r = 0; r < k; ++r) {
    exchange_call call{.view = group.view(static_cast<int>(r)),
                       .input = job.in[r]->data(),
                       .output = job.out[r]->data(),
                       .send_offsets = job.send_offsets[r].data(),
                       .send_bytes = job.send_bytes[r].data(),
                       .recv_offsets = job.recv_offsets[r].data(),
                       .recv_bytes = job.recv_bytes[r].data()};
    call.outputs.is_mapped = is_mapped;
    for (std::size_t p = 0; p < k; ++p) call.outputs.of[p] = job.out[p]->data();
    job.calls.push_back(call);
  }
  return job;
}

void launch(host_group& group, v_job& job) {
  group.launch(
      [&](const host_block& block, int r) { push_all_to_all_v(block, job.calls[static_cast<std::size_t>(r)]); });
}

void check(const v_job& job) {
  for (std::size_t r = 0; r < job.out.size(); ++r) {
    ASSERT_TRUE(job.out[r]->has_intact_guards());
    for (std::size_t p = 0; p < job.out.size(); ++p)
      for (std::size_t i = 0; i < job.recv_bytes[r][p]; ++i)
        ASSERT_EQ((*job.out[r])[job.recv_offsets[r][p] + i], payload(static_cast<int>(p), static_cast<int>(r), i))
            << "rank " << r << " from " << p << ", byte " << i;
  }
}

TEST(all_to_all_v, blocks_of_any_size_by_flags_and_by_host_phases) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const int ranks : {1, 2, 4, 7}) {
    host_group group(ranks);
    for (int repetition = 0; repetition < 3; ++repetition) {
      for (const bool is_mapped : {false, true}) {
        v_job job = make_v_job(group, is_mapped, random);
        launch(group, job);
        ASSERT_NO_FATAL_FAILURE(check(job));
        job = make_v_job(group, is_mapped, random);
        for (std::int32_t phase = 0; phase < 2; ++phase) {
          for (exchange_call& each : job.calls) each.phases = {phase, 77};
          launch(group, job);
        }
        ASSERT_NO_FATAL_FAILURE(check(job));
      }
    }
  }
}

TEST(all_to_all_v, sizes_that_do_not_match_end_the_call_and_name_a_rank) {
  std::mt19937_64 random(5);
  for (const bool is_mapped : {false, true}) {
    host_group group(3);
    v_job job = make_v_job(group, is_mapped, random);
    job.recv_bytes[2][1] += 1;  // rank 2 expects more of rank 1 than rank 1 sends
    launch(group, job);
    for (int r = 0; r < 3; ++r) {
      EXPECT_EQ(group.fault_of(r).reason, fault_reason::block_mismatch) << r;
      EXPECT_EQ(group.fault_of(r).peer, is_mapped ? 2 : 1) << r;  // whoever the finder disagrees with
    }
  }
}

}  // namespace
}  // namespace device_testing
