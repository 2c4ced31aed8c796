// What one small all-reduce of two ranks costs: `blocking` with a thread per rank, `alternating` with one thread that
// makes the calls of both, so that nobody ever waits: the work itself, for a profiler that counts instructions.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/in_process.hpp>
#include <hawser/transport/shared_memory.hpp>

namespace {

using namespace hawser;

/// Two ranks of this process, made together.
struct two_ranks {
  explicit two_ranks(const std::string& transport) {
    communicator_options options;
    options.topology = "hosts";
    options.progress = progress::caller;
    options.transports = {transport == "shm"
                              ? transport::shared_memory_factory()
                              : transport::in_process_factory(std::make_shared<transport::in_process_hub>(2))};
    const auto job = bootstrap::in_process_job::create(2);
    std::thread other([&] { second = std::make_unique<communicator>(job->join(1), options); });
    first = std::make_unique<communicator>(job->join(0), options);
    other.join();
  }
  ~two_ranks() {  // they take leave of each other
    std::thread other([this] { second.reset(); });
    first.reset();
    other.join();
  }
  two_ranks(const two_ranks&) = delete;
  two_ranks& operator=(const two_ranks&) = delete;

  std::unique_ptr<communicator> first, second;
};

void alternating(benchmark::State& state, const std::string& transport, std::size_t bytes) {
  const two_ranks ranks(transport);
  // A blocking call ends without the other rank's help where one round through a ring is all there is.
  const bool ends_alone = transport == "shm" && bytes <= 1024;
  std::vector<float> a(bytes / sizeof(float), 1), b(a), sum_a(a.size()), sum_b(a.size());
  for (auto _ : state) {
    pending begun = ranks.first->async().all_reduce(a, sum_a);
    if (ends_alone) {
      ranks.second->all_reduce(b, sum_b);
      begun.wait();
    } else {
      pending other = ranks.second->async().all_reduce(b, sum_b);
      for (bool is_over = false; !is_over;) is_over = begun.test() & other.test();
    }
  }
  if (sum_a.front() != 2 || sum_b.back() != 2) state.SkipWithError("wrong sums");
  state.counters["per_call"] = benchmark::Counter(2.0 * static_cast<double>(state.iterations()),
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The other rank repeats until a sum tells it that the first one is through.
void repeat(communicator& second, std::size_t count) {
  std::vector<float> data(count, 1), sum(count);
  do second.all_reduce(data, sum);
  while (sum.front() > 0);
}

void blocking(benchmark::State& state, const std::string& transport, std::size_t bytes) {
  const two_ranks ranks(transport);
  std::vector<float> data(bytes / sizeof(float), 1), sum(data.size());
  std::thread partner([&] { repeat(*ranks.second, data.size()); });
  for (auto _ : state) ranks.first->all_reduce(data, sum);
  if (sum.back() != 2) state.SkipWithError("wrong sums");
  data.front() = -1;
  ranks.first->all_reduce(data, sum);
  partner.join();
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* transport : {"in_process", "shm"})
    for (const std::size_t bytes : {8, 1 << 10, 64 << 10}) {
      const std::string what = "all_reduce/" + std::string(transport) + "/" + std::to_string(bytes);
      benchmark::RegisterBenchmark(("alternating/" + what).c_str(), alternating, std::string(transport), bytes);
      benchmark::RegisterBenchmark(("blocking/" + what).c_str(), blocking, std::string(transport), bytes)
          ->UseRealTime();
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
