// How long it takes to write down one rank's schedule, for every algorithm that fits: items are steps.
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/generate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>

namespace {

using namespace hawser;

void generate(benchmark::State& state, const std::string& topology, schedule::collective what,
              const std::string& name) {
  const topology::hierarchy tree = topology::parse_synthetic(topology);
  schedule::request request;
  request.what = what;
  request.count = 1 << 20;
  std::size_t steps = 0;
  for (auto _ : state) {
    const schedule::schedule made = algorithm::generate(tree, request, name, tree.rank_at(0));
    steps = made.steps.size();
    benchmark::DoNotOptimize(made.steps.data());
  }
  state.counters["steps"] = static_cast<double>(steps);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(steps));
}

void register_all(const std::string& topology, schedule::collective what) {
  const topology::hierarchy tree = topology::parse_synthetic(topology);
  for (const std::string& name : algorithm::algorithm_names(tree, what)) {
    if (algorithm::steps_bound(tree, what, name) > planner::most_steps) continue;  // the planner would not take it
    const std::string label = std::string(to_string(what)) + "/" + topology + "/" + name;
    benchmark::RegisterBenchmark(label.c_str(), generate, topology, what, name)->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const char* topology : {"gpu:64", "rack:64 gpu:8"})
    for (const auto what : {schedule::collective::all_reduce, schedule::collective::all_to_all})
      register_all(topology, what);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
