// What the flight recorder costs: a step and a call by themselves, and calls with it on and off in turns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/diagnosis/recorder.hpp>
#include <hawser/transport/shared_memory.hpp>

#include "communicator/state.hpp"

namespace hawser {
namespace {

using clock = std::chrono::steady_clock;

double nanoseconds_since(clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(clock::now() - begin).count();
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

void measure_alone() {
  constexpr int times = 10'000, rounds = 500;  // short, so that some of them are not disturbed
  const auto flight = std::make_unique<diagnosis::recorder>();
  const diagnosis::call_facts facts{.communicator = flight->add_communicator("world", {})};
  std::vector<double> of_steps, of_calls;
  for (int round = 0; round < rounds; ++round) {
    auto begin = clock::now();
    for (int i = 0; i < times; ++i) flight->end_step(flight->begin_step(1, 3, 0, schedule::step_kind::send, 1));
    of_steps.push_back(nanoseconds_since(begin) / times);
    begin = clock::now();
    for (int i = 0; i < times; ++i)
      flight->end_call(flight->begin_call(facts, static_cast<std::uint64_t>(i)), diagnosis::call_state::done);
    of_calls.push_back(nanoseconds_since(begin) / times);
  }
  const auto least = [](const std::vector<double>& of) { return *std::min_element(of.begin(), of.end()); };
  std::printf("a step %.1f ns (median %.1f), a call %.1f ns (median %.1f), the least of %d rounds of %d\n",
              least(of_steps), median(of_steps), least(of_calls), median(of_calls), rounds, times);
}

/// Two ranks over shared memory call all_reduce; blocks of calls with the recorder on and off take turns.
void measure_calls(std::size_t bytes, int calls, int turns) {
  communicator_options options;
  options.transports = {transport::shared_memory_factory()};
  detail::run_threads(2, options, [&](communicator& members) {
    std::vector<float> data(bytes / sizeof(float), 1.0F);
    std::vector<double> on, off, more;
    for (int turn = 0; turn < 2 * turns; ++turn) {
      const bool is_on = turn % 2 == (turn / 2) % 2;  // on off, off on, ...
      members.state()->owner().recorder().set_enabled(is_on);
      members.barrier();
      const auto begin = clock::now();
      for (int i = 0; i < calls; ++i) members.all_reduce(data, op::max);
      (is_on ? on : off).push_back(nanoseconds_since(begin) / calls);
    }
    for (std::size_t i = 0; i < on.size(); ++i) more.push_back(on[i] - off[i]);
    if (members.rank() != rank(0)) return;
    const double without = median(off), difference = median(more);
    std::printf(
        "all_reduce of %zu bytes, 2 ranks: off %.0f ns, on %.0f ns, a pair of turns differs by %.0f ns (%.2f %%)\n",
        bytes, without, median(on), difference, 100 * difference / without);
  });
}

}  // namespace
}  // namespace hawser

int main(int count, char** values) {
  const int turns = count > 1 ? std::atoi(values[1]) : 200;
  hawser::measure_alone();
  hawser::measure_calls(8, 2'000, turns);
  hawser::measure_calls(std::size_t{1} << 20, 20, turns);
}
