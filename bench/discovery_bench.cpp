// How long discovery takes: a Slurm tree of 10,000 hosts, an InfiniBand fabric of 612 devices, and this machine.
#include <cstdio>
#include <string>

#include <benchmark/benchmark.h>

#include <hawser/discovery/discover.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/discovery/summary.hpp>
#include <hawser/topology/derive.hpp>

namespace {

using namespace hawser;

/// 500 leaves of 20 hosts below 25 spines and a core, as Slurm's own test 133 has them.
std::string slurm_tree() {
  std::string text;
  for (int leaf = 0; leaf < 500; ++leaf)
    text += "SwitchName=leaf" + std::to_string(leaf) + " Nodes=n[" + std::to_string(leaf * 20) + "-" +
            std::to_string(leaf * 20 + 19) + "]\n";
  for (int spine = 0; spine < 25; ++spine)
    text += "SwitchName=spine" + std::to_string(spine) + " Switches=leaf[" + std::to_string(spine * 20) + "-" +
            std::to_string(spine * 20 + 19) + "]\n";
  return text + "SwitchName=core Switches=spine[0-24]\n";
}

std::string guid(int kind, int number) {
  char text[32];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(kind), static_cast<unsigned>(number));
  return text;
}

/// 24 leaves of 24 hosts, each leaf cabled to 12 spines, as ibnetdiscover prints it.
std::string fabric() {
  std::string text;
  for (int leaf = 0; leaf < 24; ++leaf) {
    text += "Switch 64 \"S-" + guid(1, leaf) + "\" # \"leaf" + std::to_string(leaf) + "\"\n";
    for (int host = 0; host < 24; ++host)
      text += "[" + std::to_string(host + 1) + "] \"H-" + guid(3, leaf * 24 + host) + "\"[1] # \"n" +
              std::to_string(leaf * 24 + host) + " mlx5_0\" lid 1 4xNDR\n";
    for (int spine = 0; spine < 12; ++spine)
      text += "[" + std::to_string(40 + spine) + "] \"S-" + guid(2, spine) + "\"[" + std::to_string(leaf + 1) +
              "] # \"spine" + std::to_string(spine) + "\" lid 1 4xNDR\n";
  }
  for (int spine = 0; spine < 12; ++spine) {
    text += "Switch 64 \"S-" + guid(2, spine) + "\" # \"spine" + std::to_string(spine) + "\"\n";
    for (int leaf = 0; leaf < 24; ++leaf)
      text += "[" + std::to_string(leaf + 1) + "] \"S-" + guid(1, leaf) + "\"[" + std::to_string(40 + spine) +
              "] # \"leaf" + std::to_string(leaf) + "\" lid 1 4xNDR\n";
  }
  return text;
}

/// Reading alone, or with lint and the hierarchy, which is what `hawser topo` does.
void file(benchmark::State& state, const char* kind, const std::string& text, bool with_summary) {
  std::size_t nodes = 0;
  for (auto _ : state) {
    const topology::graph machine = discovery::read(discovery::file_source_of(kind), {text, "generated"});
    nodes = machine.nodes().size();
    if (with_summary) benchmark::DoNotOptimize(discovery::summarise(machine));
  }
  state.counters["nodes"] = static_cast<double>(nodes);
}

void this_machine(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(discovery::discover());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string tree = slurm_tree(), network = fabric();
  for (const bool with_summary : {false, true}) {
    const std::string suffix = with_summary ? "/summary" : "/read";
    benchmark::RegisterBenchmark(("slurm_10000_hosts" + suffix).c_str(), file, "slurm-conf", tree, with_summary)
        ->Unit(benchmark::kMillisecond);
    benchmark::RegisterBenchmark(("fabric_612_devices" + suffix).c_str(), file, "ibnetdiscover", network, with_summary)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("this_machine", this_machine)->Unit(benchmark::kMillisecond)->UseRealTime();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
