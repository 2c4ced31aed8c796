// How long a simulation takes, by classes of ranks that behave alike and rank by rank; items are events.
#include <string>

#include <benchmark/benchmark.h>

#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/synthetic.hpp>

namespace {

using namespace hawser;

struct subject {
  const char* topology;
  schedule::collective what;
  const char* algorithm;
  std::int64_t segments;
};

void run(benchmark::State& state, subject each, bool uses_classes) {
  const topology::hierarchy tree = topology::parse_synthetic(each.topology);
  schedule::request request;
  request.what = each.what;
  request.count = 1 << 20;
  simulate::options how;
  how.segments = each.segments;
  how.uses_classes = uses_classes;
  simulate::result found;
  for (auto _ : state) found = simulate::simulate(tree, request, each.algorithm, how);
  state.counters["ranks"] = static_cast<double>(found.ranks);
  state.counters["classes"] = static_cast<double>(found.classes);
  state.SetItemsProcessed(state.iterations() * found.events);
}

}  // namespace

int main(int argc, char** argv) {
  using schedule::collective;
  constexpr subject subjects[] = {
      {"gpu:8", collective::all_reduce, "ring", 8},
      {"rack:16 gpu:8", collective::all_reduce, "hierarchical(circulant,circulant)", 1},
      {"rack:16 gpu:8", collective::all_to_all, "hierarchical(pairwise,pairwise)", 1},
      {"rack:[3,2,4]", collective::all_reduce, "hierarchical(ring,ring)", 4},
  };
  for (const subject& each : subjects)
    for (const bool uses_classes : {true, false}) {
      const std::string name = std::string(to_string(each.what)) + "/" + each.topology + "/" + each.algorithm +
                               (uses_classes ? "/classes" : "/ranks");
      benchmark::RegisterBenchmark(name.c_str(), run, each, uses_classes)->Unit(benchmark::kMillisecond);
    }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
