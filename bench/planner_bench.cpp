// How long planning takes: the first plan of a hierarchy, which counts every candidate's schedule, and the next one of
// another size, for which the counts are remembered. The last hierarchy has 131,040 ranks.
#include <string>

#include <benchmark/benchmark.h>

#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>

namespace {

using namespace hawser;

schedule::request request_of(schedule::collective what, std::int64_t count) {
  schedule::request made;
  made.what = what;
  made.count = count;
  return made;
}

void first_plan(benchmark::State& state, const char* topology, schedule::collective what) {
  const topology::hierarchy tree = topology::parse_synthetic(topology);
  std::size_t candidates = 0;
  for (auto _ : state) {
    const planner::planner fresh(tree);
    candidates = fresh.make_plan(request_of(what, 1 << 20)).candidates.size();
  }
  state.counters["ranks"] = static_cast<double>(tree.size());
  state.counters["candidates"] = static_cast<double>(candidates);
}

void next_plan(benchmark::State& state, const char* topology, schedule::collective what) {
  const planner::planner used(topology::parse_synthetic(topology));
  std::int64_t count = 1 << 10;
  benchmark::DoNotOptimize(used.make_plan(request_of(what, count)));  // counts the candidates
  for (auto _ : state) benchmark::DoNotOptimize(used.make_plan(request_of(what, ++count)));
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* topology : {"gpu:8", "rack:4 node:4", "rack:[3,2,4]", "rack:64 gpu:8", "rack:1820 gpu:72"})
    for (const auto what : {schedule::collective::all_reduce, schedule::collective::all_to_all}) {
      const std::string suffix = "/" + std::string(to_string(what)) + "/" + topology;
      benchmark::RegisterBenchmark(("first_plan" + suffix).c_str(), first_plan, topology, what)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(("next_plan" + suffix).c_str(), next_plan, topology, what)
          ->Unit(benchmark::kMicrosecond);
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
