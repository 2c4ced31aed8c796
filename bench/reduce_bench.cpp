// Rates of reductions, conversions and scalings, per instruction set: bytes of one operand per second. Sizes: inside
// the first-level cache, inside the second-level cache, and outside all caches. Beside them the same sizes of a += b by
// hand and of memcpy (reduce_baseline.hpp).
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <hawser/executor/reduce.hpp>

#include "reduce_baseline.hpp"

namespace {

using hawser::data_type;
using hawser::reduce_kind;
using hawser::executor::instruction_set;

constexpr std::int64_t sizes[] = {8 << 10, 256 << 10, 64 << 20};

/// A quiet pattern: 0x3c3c3c3c is a small normal number in every floating type.
std::vector<std::byte> operand(std::int64_t bytes) {
  return std::vector<std::byte>(static_cast<std::size_t>(bytes), std::byte{0x3c});
}

void reduce(benchmark::State& state, data_type type, reduce_kind kind, instruction_set set) {
  const hawser::reducer function = hawser::executor::make_reducer(type, kind, set);
  std::vector<std::byte> into = operand(state.range(0));
  const std::vector<std::byte> from = operand(state.range(0));
  for (auto _ : state) {
    function(into.data(), into.data(), from.data(), into.size() / size_of(type));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void convert(benchmark::State& state, data_type from, data_type to, instruction_set set) {
  const auto function = hawser::executor::make_converter(from, to, set);
  const auto count = static_cast<std::size_t>(state.range(0)) / size_of(from);
  const std::vector<std::byte> in = operand(state.range(0));
  std::vector<std::byte> out(count * size_of(to));
  for (auto _ : state) {
    function(out.data(), in.data(), count);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void divide(benchmark::State& state, data_type type, instruction_set set) {
  const auto function = hawser::executor::make_divider(type, 1, set);
  std::vector<std::byte> data = operand(state.range(0));
  for (auto _ : state) {
    function(data.data(), data.data(), data.size() / size_of(type));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void add_by_hand(benchmark::State& state, baseline::add_function function) {
  const auto count = static_cast<std::size_t>(state.range(0)) / sizeof(float);
  std::vector<float> into(count, 0.5F);
  const std::vector<float> from(count, 0.25F);
  for (auto _ : state) {
    function(into.data(), from.data(), count);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void copy(benchmark::State& state) {
  std::vector<std::byte> into = operand(state.range(0));
  const std::vector<std::byte> from = operand(state.range(0));
  for (auto _ : state) {
    std::memcpy(into.data(), from.data(), into.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

template <class F>
void add(const std::string& name, F&& body) {
  auto* entry = benchmark::RegisterBenchmark(name.c_str(), std::forward<F>(body));
  for (const std::int64_t size : sizes) entry->Arg(size);
}

void register_all(instruction_set set) {
  const std::string suffix = "/" + std::string(to_string(set));
  for (std::size_t t = 0; t < hawser::builtin_data_types; ++t) {
    const auto type = static_cast<data_type>(t);
    const std::string name(to_string(type));
    for (const reduce_kind kind : {reduce_kind::sum, reduce_kind::prod, reduce_kind::max})
      add(name + "/" + std::string(to_string(kind)) + suffix,
          [=](benchmark::State& state) { reduce(state, type, kind, set); });
    add(name + "/divide" + suffix, [=](benchmark::State& state) { divide(state, type, set); });
    if (!is_floating(type) || type == data_type::float32) continue;
    add(name + "/to_float32" + suffix, [=](benchmark::State& state) { convert(state, type, data_type::float32, set); });
    add(name + "/from_float32" + suffix,
        [=](benchmark::State& state) { convert(state, data_type::float32, type, set); });
  }
}

}  // namespace

int main(int argc, char** argv) {
  add("by_hand/memcpy", copy);
  for (const baseline::named_add& each : baseline::adds())
    add("by_hand/float32/sum/" + each.name, [=](benchmark::State& state) { add_by_hand(state, each.add); });
  for (const instruction_set set : hawser::executor::instruction_sets()) register_all(set);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
