// Latency and bandwidth between two ranks that are threads: within the process, through shared memory (as it comes,
// with small rings, with one copy by the kernel), over TCP on loopback. Latency is half a round trip; bandwidth is a
// window of messages, answered by one byte.
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include <hawser/bootstrap/in_process.hpp>
#include <hawser/transport/in_process.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

namespace {

using namespace hawser;
using transport::any_transport;

constexpr std::size_t window = 16;

/// A completion that can be asked.
struct ticket : transport::completion {
  ticket() { done = &finish; }
  ticket(ticket&&) = delete;
  static void finish(completion& self, const transport::failure*) { static_cast<ticket&>(self).is_over = true; }
  bool is_over = false;
};

any_transport open(const transport::factory& how, bootstrap::bootstrap& door) {
  transport::endpoint_environment around;
  around.self = door.self();
  around.size = door.size();
  for (int r = 0; r < door.size(); ++r) around.neighbours.emplace_back(r);
  around.publish = [&door](std::string_view key, std::string_view value) { door.put(key, value); };
  around.look_up = [&door](std::string_view key) { return door.get(key, std::chrono::seconds(30)); };
  around.secret = "a secret of the benchmark, long enough to be one";
  around.interface = "127.0.0.1";
  return how.open(around);
}

void wait_for(any_transport& endpoint, const ticket& each, const std::atomic<bool>* is_ending = nullptr) {
  while (!each.is_over && !(is_ending != nullptr && is_ending->load(std::memory_order_relaxed)))
    if (!endpoint.progress()) std::this_thread::yield();
}

/// Receives `count` messages, then answers the last; until the first rank says that it is enough.
void answer(any_transport& endpoint, std::size_t bytes, std::size_t count, std::size_t answer_bytes,
            const std::atomic<bool>& is_ending) {
  std::vector<std::byte> in(bytes * count), out(answer_bytes);
  while (!is_ending) {
    std::vector<ticket> received(count);
    for (std::size_t i = 0; i < count; ++i)
      endpoint.receive(0, {}, {.data = in.data() + i * bytes, .bytes = bytes}, received[i]);
    for (const ticket& each : received) wait_for(endpoint, each, &is_ending);
    if (is_ending) {
      endpoint.shutdown();  // before the tickets go
      return;
    }
    ticket sent;
    endpoint.send(0, {}, out, sent);
    wait_for(endpoint, sent);
  }
}

transport::factory factory_of(const std::string& name) {
  transport::shared_memory_options shared;
  if (name == "in_process") return transport::in_process_factory(std::make_shared<transport::in_process_hub>(2));
  if (name == "tcp") return transport::tcp_factory();
  if (name == "shm_ring_256KiB") shared.ring_bytes = std::size_t{256} << 10;
  if (name == "shm_one_copy") shared.path = transport::shared_memory_options::copy::one_copy;
  return transport::shared_memory_factory(shared);
}

void exchange(benchmark::State& state, const std::string& name, std::size_t bytes, std::size_t count) {
  const transport::factory how = factory_of(name);
  const auto job = bootstrap::in_process_job::create(2);
  const auto first = job->join(0), second = job->join(1);
  const std::size_t answer_bytes = count == 1 ? bytes : 1;
  std::atomic<bool> is_ending = false;
  any_transport there;
  std::thread partner([&] {
    there = open(how, *second);
    answer(there, bytes, count, answer_bytes, is_ending);
  });
  any_transport here = open(how, *first);
  std::vector<std::byte> out(bytes), in(answer_bytes);
  for (auto _ : state) {
    std::vector<ticket> sent(count);
    ticket answered;
    here.receive(1, {}, {.data = in.data(), .bytes = in.size()}, answered);
    for (ticket& each : sent) here.send(1, {}, out, each);
    wait_for(here, answered);
    for (const ticket& each : sent) wait_for(here, each);
  }
  is_ending = true;
  partner.join();
  here.shutdown();
  first->leave();
  second->leave();
  if (count == 1)
    state.counters["one_way"] = benchmark::Counter(2.0 * static_cast<double>(state.iterations()),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  else
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes * count));
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* name : {"in_process", "shm", "shm_ring_256KiB", "shm_one_copy", "tcp"}) {
    for (const std::size_t bytes : {8, 1 << 10, 16 << 10, 64 << 10, 1 << 20})
      benchmark::RegisterBenchmark((std::string("latency/") + name + "/" + std::to_string(bytes)).c_str(), exchange,
                                   std::string(name), bytes, std::size_t{1})
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    for (const std::size_t bytes : {16 << 10, 256 << 10, 4 << 20})
      benchmark::RegisterBenchmark((std::string("bandwidth/") + name + "/" + std::to_string(bytes)).c_str(), exchange,
                                   std::string(name), bytes, window)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
