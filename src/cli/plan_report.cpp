// See plan_report.hpp.
#include "plan_report.hpp"

#include <algorithm>
#include <chrono>

#include <hawser/algorithm/generate.hpp>
#include <hawser/schedule/program.hpp>

#include "describe.hpp"
#include "memory_meter.hpp"

namespace hawser::cli {

using json = nlohmann::ordered_json;

namespace {

using clock = std::chrono::steady_clock;
constexpr int repetitions = 11;

seconds median(std::vector<seconds> times) {
  std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
  return times[repetitions / 2];
}

std::string kib(std::int64_t amount) {
  return formatted("%.1f KiB", static_cast<double>(amount) / 1024);
}

std::string regions_of(const schedule::schedule& whole, schedule::operand o) {
  std::string text;
  for (const schedule::region& each : whole.at(o)) text += (text.empty() ? "" : " ") + to_string(each);
  return text;
}

std::string describe_step(const schedule::schedule& whole, const schedule::step& each) {
  std::string text(to_string(each.kind));
  text.resize(12, ' ');
  if (each.sends()) text += "to " + to_string(each.peer) + ": ";
  if (each.receives()) text += "from " + to_string(each.peer) + ": ";
  const std::string source = regions_of(whole, each.source), target = regions_of(whole, each.target);
  const std::string incoming = each.receives() ? "incoming" : regions_of(whole, each.other);
  const bool is_left = each.incoming == schedule::side::left;
  switch (each.kind) {
    case schedule::step_kind::send: return text + source;
    case schedule::step_kind::recv: return text + target;
    case schedule::step_kind::copy: return text + target + " = " + source;
    case schedule::step_kind::recv_reduce:
    case schedule::step_kind::reduce:
      return text + target + " = " + (is_left ? incoming : source) + " op " + (is_left ? source : incoming);
  }
  return text;
}

json part_to_json(const schedule::cost_part& part) {
  return {{"level", part.level},
          {"messages", part.messages},
          {"crossing_bytes", part.crossing_bytes},
          {"latency_seconds", part.latency.count()},
          {"transfer_seconds", part.transfer.count()}};
}

json candidate_to_json(const schedule::candidate& c) {
  json made{{"algorithm", c.algorithm}, {"possible", c.is_possible()}};
  made["rejected"] = c.is_possible() ? json(nullptr) : json(c.rejected);
  made["predicted_seconds"] = c.is_possible() ? json(c.predicted.count()) : json(nullptr);
  made["reduction_seconds"] = c.is_possible() ? json(c.reduction.count()) : json(nullptr);
  made["overhead_seconds"] = c.is_possible() ? json(c.overhead.count()) : json(nullptr);
  made["window_seconds"] = c.is_possible() ? json(c.window.count()) : json(nullptr);
  made["segments"] = c.is_possible() ? json(c.segments) : json(nullptr);
  made["parts"] = json::array();
  for (const schedule::cost_part& part : c.parts) made["parts"].push_back(part_to_json(part));
  return made;
}

json parameter_to_json(const schedule::parameter& each) {
  return {{"name", each.name}, {"value", each.value}, {"unit", each.unit}, {"source", each.source}};
}

/// Null where no other size changes the choice.
json turning_point_to_json(const std::optional<schedule::turning_point>& point, const workload& work,
                           std::int64_t ranks) {
  if (!point) return nullptr;
  return {{"bytes", bytes_of(work, point->count, ranks)}, {"count", point->count}, {"algorithm", point->algorithm}};
}

}  // namespace

preparation prepare(const topology::hierarchy& tree, const schedule::request& what, const std::string& algorithm,
                    rank self) {
  preparation result{.algorithm = algorithm};
  std::vector<seconds> generating, deriving;
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = clock::now();
    schedule::schedule steps = algorithm::generate(tree, what, algorithm, self);
    const auto generated = clock::now();
    const schedule::program program = schedule::derive_dependences(std::move(steps));
    deriving.emplace_back(clock::now() - generated);
    generating.emplace_back(generated - begin);
    result.steps = static_cast<std::int64_t>(program.source.steps.size());
    result.schedule_bytes = static_cast<std::int64_t>(program.source.memory_bytes());
  }
  {
    const memory_meter meter;
    schedule::schedule steps = algorithm::generate(tree, what, algorithm, self);
    result.generating_peak_bytes = meter.peak_bytes();
    (void)schedule::derive_dependences(std::move(steps));
    result.deriving_peak_bytes = meter.peak_bytes();
  }
  result.generating = median(std::move(generating));
  result.deriving = median(std::move(deriving));
  return result;
}

std::string describe_steps(const schedule::schedule& steps) {
  std::string text = formatted("rank %s: %zu steps, %lld blocks of scratch\n", to_string(steps.self).c_str(),
                               steps.steps.size(), static_cast<long long>(steps.scratch_blocks));
  int phase = -1;
  for (std::size_t i = 0; i < steps.steps.size(); ++i) {
    const schedule::step& each = steps.steps[i];
    if (each.phase != phase) text += "  " + steps.phase_names[each.phase] + "\n";
    phase = each.phase;
    text += formatted("%6zu  ", i) + describe_step(steps, each) + "\n";
  }
  return text;
}

std::string describe(const std::vector<preparation>& prepared, rank self) {
  std::string text = "preparing rank " + to_string(self) + formatted(" (median of %d)\n", repetitions) +
                     formatted("  %-40s %8s %12s %12s %12s %12s %12s\n", "algorithm", "steps", "steps' size",
                               "generate", "peak", "depend", "peak");
  for (const preparation& each : prepared)
    text += formatted("  %-40s %8lld %12s %12s %12s %12s %12s\n", each.algorithm.c_str(),
                      static_cast<long long>(each.steps), kib(each.schedule_bytes).c_str(),
                      to_string(each.generating).c_str(), kib(each.generating_peak_bytes).c_str(),
                      to_string(each.deriving).c_str(), kib(each.deriving_peak_bytes).c_str());
  return text;
}

json to_json(const schedule::plan& made, const workload& work) {
  const bool is_reduced = schedule::reduces(work.what);
  json out{{"schema", plan_schema}, {"collective", to_string(work.what)}};
  out["bytes"] = bytes_of(work, made.what.count, made.ranks);
  out["count"] = made.what.count;
  out["type"] = to_string(work.type);
  const data_type sums = made.what.needs_integer_sums() ? data_type::int64 : made.what.type;
  out["accumulation"] = is_reduced ? json(to_string(sums)) : json(nullptr);
  out["op"] = is_reduced ? json(to_string(work.op)) : json(nullptr);
  out["root"] = schedule::has_root(work.what) ? json(work.root.value) : json(nullptr);
  out["mode"] = to_string(made.what.reproducibility);
  out["ranks"] = made.ranks;
  out["hierarchy"] = made.hierarchy;
  out["fingerprint"] = made.fingerprint;
  out["algorithm"] = made.algorithm;
  out["chosen_by"] = made.chosen_by;
  out["segments"] = made.segments;
  out["window"] = made.window;
  out["predicted_seconds"] = made.predicted.count();
  out["scales_seconds"] = made.what.needs_integer_sums() ? json(made.scales.count()) : json(nullptr);
  out["lower_bound_seconds"] = made.lower_bound.count();
  out["notes"] = made.notes;
  out["prepared"] = made.prepared.empty() ? json(nullptr) : json(made.prepared);
  out["parameters"] = nullptr;
  out["turning_points"] = nullptr;
  if (!made.parameters.empty()) out["parameters"] = json::array();
  for (const schedule::parameter& each : made.parameters) out["parameters"].push_back(parameter_to_json(each));
  if (made.is_searched)
    out["turning_points"] = {{"smaller", turning_point_to_json(made.smaller, work, made.ranks)},
                             {"larger", turning_point_to_json(made.larger, work, made.ranks)}};
  out["candidates"] = json::array();
  for (const schedule::candidate& each : made.candidates) out["candidates"].push_back(candidate_to_json(each));
  return out;
}

json to_json(const preparation& prepared) {
  return {{"algorithm", prepared.algorithm},
          {"steps", prepared.steps},
          {"schedule_bytes", prepared.schedule_bytes},
          {"generating_seconds", prepared.generating.count()},
          {"generating_peak_bytes", prepared.generating_peak_bytes},
          {"deriving_seconds", prepared.deriving.count()},
          {"deriving_peak_bytes", prepared.deriving_peak_bytes}};
}

json to_json(const schedule::schedule& steps) {
  json out = json::array();
  for (const schedule::step& each : steps.steps) {
    json one{{"kind", to_string(each.kind)}, {"phase", steps.phase_names[each.phase]}};
    one["peer"] = each.sends() || each.receives() ? json(each.peer.value) : json(nullptr);
    one["channel"] = each.channel;
    one["source"] = regions_of(steps, each.source);
    one["target"] = regions_of(steps, each.target);
    one["other"] = regions_of(steps, each.other);
    one["incoming"] = each.incoming == schedule::side::left ? "left" : "right";
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace hawser::cli
