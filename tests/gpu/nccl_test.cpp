// NCCL between 2 and 4 processes on one GPU, each a host of its own for NCCL (NCCL_HOSTID), over sockets. The parent
// must not touch CUDA: it forks.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include <gtest/gtest.h>

#include <hawser/executor/reduce.hpp>
#include <hawser/nccl/collectives.hpp>
#include <hawser/nccl/registration.hpp>
#include <hawser/nccl/types.hpp>
#include <hawser/nccl/wire.hpp>

#include "gpu/nccl_rank.hpp"
#include "multiprocess/local_job.hpp"

namespace gpu_testing {
namespace {

using namespace hawser;
using nccl::communicators;

/// Two ranks on one GPU are refused where NCCL takes them for one host's. Simple: flags of LL spin across time slices.
void pretend_to_be_a_host(int self) {
  const std::pair<const char*, std::string> settings[] = {{"NCCL_HOSTID", "host" + std::to_string(self)},
                                                          {"NCCL_NET", "Socket"},
                                                          {"NCCL_SOCKET_IFNAME", "lo"},
                                                          {"NCCL_IB_DISABLE", "1"},
                                                          {"NCCL_NET_PLUGIN", "none"},
                                                          {"NCCL_TUNER_PLUGIN", "none"},
                                                          {"NCCL_MNNVL_ENABLE", "0"},
                                                          {"NCCL_RAS_ENABLE", "0"},
                                                          {"NCCL_PROTO", "Simple"},
                                                          {"CUDA_MODULE_LOADING", "EAGER"}};
  for (const auto& [name, value] : settings) setenv(name, value.c_str(), 1);
}

using job_body = std::function<void(bootstrap::bootstrap& job, communicators& over)>;

/// Runs `body` in `size` processes; none may fail but those that are to be killed.
void run_ranks(int size, const job_body& body, int killed = -1) {
  const auto ends = test::run_job(size, std::chrono::seconds(3), [&](std::unique_ptr<bootstrap::bootstrap> door) {
    pretend_to_be_a_host(door->self().value);
    nccl::nccl_options options = nccl::options_of(bootstrap::read_launch());
    options.lanes = 2;
    options.max_ctas = 4;
    options.device = 0;
    {
      communicators over({*door, "group"}, options);
      body(*door, over);
    }
    door->leave();
    return std::string("well");
  });
  for (int r = 0; r < size; ++r) {
    const test::rank_end& end = ends[static_cast<std::size_t>(r)];
    if (r == killed)
      EXPECT_TRUE(end.was_killed);
    else
      EXPECT_EQ(end.said, "well") << "rank " << r;
  }
}

std::vector<std::byte> pattern(std::size_t bytes, int from, int round) {
  std::vector<std::byte> made(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    made[i] = static_cast<std::byte>(i * 31 + static_cast<std::size_t>(from * 7 + round));
  return made;
}

/// Everyone to everyone, on both lanes, of sizes that are no multiple of anything.
void exchange_all(bootstrap::bootstrap& job, const communicators& over) {
  const auto wire = nccl::make_wire(over);
  const int self = job.self().value, size = job.size();
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4099}, (std::size_t{1} << 20) + 3})
    for (int lane = 0; lane < over.lanes(); ++lane) {
      const cuda_stream stream;
      const cuda_bytes out(bytes), in(bytes * static_cast<std::size_t>(size));
      out.write(pattern(bytes, self, lane));
      std::vector<executor::stream_transfer> transfers;
      for (int peer = 0; peer < size; ++peer)
        if (peer != self) {
          transfers.push_back({peer, true, out.data(), bytes});
          transfers.push_back(
              {peer, false, static_cast<std::byte*>(in.data()) + static_cast<std::size_t>(peer) * bytes, bytes});
        }
      wire->exchange(lane, stream.handle(), transfers);
      stream.synchronise();
      const auto got = in.read(in.size());
      for (int peer = 0; peer < size; ++peer) {
        const auto wanted = pattern(bytes, peer, lane);
        const auto at = got.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(peer) * bytes);
        require(peer == self || std::equal(wanted.begin(), wanted.end(), at),
                "rank " + std::to_string(self) + " got something else from rank " + std::to_string(peer));
      }
    }
  require(!wire->poll_failure(), "a failure without a cause");
}

/// Small integers as elements of a type, so that all sums, products and halves of them are exact in every type.
std::vector<std::byte> small_numbers(data_type type, std::size_t count, int self) {
  std::vector<std::byte> made(count * size_of(type));
  std::vector<float> as_float(count);
  for (std::size_t i = 0; i < count; ++i)
    as_float[i] = static_cast<float>(1 + (i + static_cast<std::size_t>(self)) % 2);
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* const at = made.data() + i * size_of(type);
    const auto put = [&](auto value) { std::memcpy(at, &value, sizeof value); };
    switch (type) {
      case data_type::float32: put(as_float[i]); break;
      case data_type::float64: put(static_cast<double>(as_float[i])); break;
      case data_type::float16: put(float16(as_float[i])); break;
      case data_type::bfloat16: put(bfloat16(as_float[i])); break;
      case data_type::float8_e4m3: put(float8_e4m3(as_float[i])); break;
      case data_type::float8_e5m2: put(float8_e5m2(as_float[i])); break;
      default: *at = static_cast<std::byte>(as_float[i]);  // the lowest byte of an integer, little end first
    }
  }
  return made;
}

/// What hawser's own host reduction makes of all ranks' numbers.
std::vector<std::byte> reference(data_type type, const reduce_op& by, std::size_t count, int size) {
  const reduce_kind kind =
      by.kind == reduce_kind::avg || by.kind == reduce_kind::premul_sum ? reduce_kind::sum : by.kind;
  std::vector<std::byte> result;
  for (int r = 0; r < size; ++r) {
    auto operand = small_numbers(type, count, r);
    if (by.kind == reduce_kind::premul_sum)
      executor::make_scaler(type, by.factor)(operand.data(), operand.data(), count);
    if (r == 0)
      result = operand;
    else
      executor::make_reducer(type, kind)(result.data(), result.data(), operand.data(), count);
  }
  if (by.kind == reduce_kind::avg)
    executor::make_divider(type, static_cast<std::uint32_t>(size))(result.data(), result.data(), count);
  return result;
}

void reduce_all_types(bootstrap::bootstrap& job, const communicators& over) {
  constexpr std::size_t count = 1003;
  const cuda_stream stream;
  for (std::size_t t = 0; t < builtin_data_types; ++t)
    for (std::size_t k = 0; k < builtin_reduce_kinds; ++k) {
      const auto type = static_cast<data_type>(t);
      reduce_op by = make_op(static_cast<reduce_kind>(k));
      by.factor = 0.5;
      if (nccl::why_not_native(over.can(), type, by.kind)) continue;
      const std::size_t bytes = count * size_of(type);
      const cuda_bytes in(bytes), out(bytes);
      in.write(small_numbers(type, count, job.self().value));
      nccl::all_reduce(over, {0, stream.handle()}, in.data(), out.data(), count, type, by);
      stream.synchronise();
      require(out.read(bytes) == reference(type, by, count, job.size()),
              "another " + std::string(to_string(by.kind)) + " of " + std::string(to_string(type)));
    }
}

/// The collectives that move, as bytes; their reference is written out.
void move_all(bootstrap::bootstrap& job, const communicators& over) {
  constexpr std::size_t bytes = 4099;
  const auto self = static_cast<std::size_t>(job.self().value), size = static_cast<std::size_t>(job.size());
  const cuda_stream stream;
  const nccl::native_queue on{1, stream.handle()};
  const cuda_bytes in(bytes * size), out(bytes * size);
  const auto input_of = [&](std::size_t r) { return pattern(bytes * size, static_cast<int>(r), 0); };
  in.write(input_of(self));
  const auto expect = [&](const char* what, std::size_t blocks,
                          const std::function<std::byte(std::size_t, std::size_t)>& wanted) {
    stream.synchronise();
    const auto got = out.read(bytes * size);
    for (std::size_t b = 0; b < blocks; ++b)
      for (std::size_t i = 0; i < bytes; ++i)
        require(got[b * bytes + i] == wanted(b, i), std::string(what) + ": another byte in block " + std::to_string(b));
  };
  std::vector<std::vector<std::byte>> inputs;
  for (std::size_t r = 0; r < size; ++r) inputs.push_back(input_of(r));
  nccl::all_gather(over, on, in.data(), out.data(), bytes);
  expect("all_gather", size, [&](std::size_t b, std::size_t i) { return inputs[b][i]; });
  nccl::broadcast(over, on, in.data(), out.data(), bytes, 1);
  expect("broadcast", 1, [&](std::size_t, std::size_t i) { return inputs[1][i]; });
  if (!over.can().has_exchanges) return;
  nccl::all_to_all(over, on, in.data(), out.data(), bytes);
  expect("all_to_all", size, [&](std::size_t b, std::size_t i) { return inputs[b][self * bytes + i]; });
  nccl::gather(over, on, in.data(), out.data(), bytes, 0);
  expect("gather", self == 0 ? size : 0, [&](std::size_t b, std::size_t i) { return inputs[b][i]; });
  nccl::scatter(over, on, in.data(), out.data(), bytes, 0);
  expect("scatter", 1, [&](std::size_t, std::size_t i) { return inputs[0][self * bytes + i]; });
}

/// A ring of one message, captured once and replayed with new contents.
void replay_exchanges(bootstrap::bootstrap& job, const communicators& over) {
  constexpr int replays = 1000;
  constexpr std::size_t bytes = 8192;
  const int self = job.self().value, size = job.size(), before = (self + size - 1) % size;
  const auto wire = nccl::make_wire(over);
  const cuda_stream stream;
  const cuda_bytes out(bytes), in(bytes);
  const nccl::registration registered(over, out.data(), bytes);
  const executor::stream_transfer ring[] = {{(self + 1) % size, true, out.data(), bytes},
                                            {before, false, in.data(), bytes}};
  wire->exchange(0, stream.handle(), ring);  // connects
  stream.synchronise();
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  require(cudaStreamBeginCapture(stream.raw(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  wire->exchange(0, stream.handle(), ring);
  require(cudaStreamEndCapture(stream.raw(), &graph), "cudaStreamEndCapture");
  require(cudaGraphInstantiate(&ready, graph, 0), "cudaGraphInstantiate");
  for (int replay = 0; replay < replays; ++replay) {
    out.write(pattern(bytes, self, replay));
    require(cudaGraphLaunch(ready, stream.raw()), "cudaGraphLaunch");
    stream.synchronise();
    require(in.read(bytes) == pattern(bytes, before, replay),
            "replay " + std::to_string(replay) + " brought something else");
  }
  cudaGraphExecDestroy(ready);
  cudaGraphDestroy(graph);
}

/// The last rank is killed while the others wait for it: each must learn of it, and its stream must go on.
void lose_one(bootstrap::bootstrap& job, communicators& over) {
  const int self = job.self().value, last = job.size() - 1;
  const auto wire = nccl::make_wire(over);
  exchange_all(job, over);
  if (self == last) kill(getpid(), SIGKILL);
  const cuda_stream stream;
  const cuda_bytes in(64);
  const executor::stream_transfer never{last, false, in.data(), 64};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  bool has_learned = false;
  try {
    wire->exchange(0, stream.handle(), {&never, 1});
    while (!has_learned && std::chrono::steady_clock::now() < deadline)
      has_learned = wire->poll_failure().has_value() || job.failures().generation() != 0;
  } catch (const error& e) {
    has_learned = e.code() == errc::peer_failed || e.code() == errc::resource;
  }
  wire->abort("rank " + std::to_string(last) + " is gone");
  require(has_learned, "nobody told that rank " + std::to_string(last) + " is gone");
  while (!stream.is_done()) require(std::chrono::steady_clock::now() < deadline, "the stream did not go on");
}

class nccl_on_one_gpu : public ::testing::TestWithParam<int> {};

TEST_P(nccl_on_one_gpu, exchanges) {
  run_ranks(GetParam(), [](auto& job, auto& over) { exchange_all(job, over); });
}
TEST_P(nccl_on_one_gpu, reduces_every_type_and_operator) {
  run_ranks(GetParam(), [](auto& job, auto& over) { reduce_all_types(job, over); });
}
TEST_P(nccl_on_one_gpu, moves) {
  run_ranks(GetParam(), [](auto& job, auto& over) { move_all(job, over); });
}
TEST_P(nccl_on_one_gpu, replays_graphs) {
  run_ranks(GetParam(), [](auto& job, auto& over) { replay_exchanges(job, over); });
}
TEST_P(nccl_on_one_gpu, survives_a_killed_rank) {
  run_ranks(
      GetParam(), [](auto& job, auto& over) { lose_one(job, over); }, GetParam() - 1);
}
INSTANTIATE_TEST_SUITE_P(processes, nccl_on_one_gpu, ::testing::Values(2, 4));

/// Why these tests cannot run here; empty where they can. Asked in a process of its own: CUDA does not survive a fork.
std::string why_not() {
  constexpr int no_device = 1, no_library = 2;
  const pid_t child = fork();
  if (child == 0) {
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) _exit(no_device);
    try {
      nccl::open_library(nccl::options_of(bootstrap::read_launch()).library);
    } catch (const error& e) {
      std::fprintf(stderr, "%s\n", e.what());
      _exit(no_library);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return "asking for a CUDA device crashed";
  return WEXITSTATUS(status) == no_device ? "no CUDA device" : WEXITSTATUS(status) == no_library ? "no NCCL" : "";
}

}  // namespace
}  // namespace gpu_testing

int main(int argc, char** argv) {
  constexpr int skipped = 77;
  ::testing::InitGoogleTest(&argc, argv);
  const std::string why = gpu_testing::why_not();
  if (why.empty()) return RUN_ALL_TESTS();
  std::printf("SKIPPED: %d tests of NCCL on a GPU: %s\n", ::testing::UnitTest::GetInstance()->total_test_count(),
              why.c_str());
  return skipped;
}
