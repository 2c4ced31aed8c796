// See run_report.hpp.
#include "run_report.hpp"

#include <cstdio>

#include <hawser/planner/explain.hpp>

#include "plan_report.hpp"

namespace hawser::cli {

using json = nlohmann::ordered_json;

namespace {

std::string describe_check(const run_result& result) {
  const workload& work = result.work;
  if (result.wrong > 0) return "WRONG: " + std::to_string(result.wrong) + " elements over all ranks";
  if (work.what == schedule::collective::barrier) return "no data";
  if (!schedule::reduces(work.what)) return "ok, every element of every rank bit by bit";
  const bool is_exact = is_integer(work.type) || work.op == reduce_kind::min || work.op == reduce_kind::max;
  if (is_exact) return "ok, every element of every rank exactly";
  return "ok, every element within n * eps(" + std::string(to_string(accumulation_type(work.type))) +
         ") * sum of |x| + eps(" + std::string(to_string(work.type)) + ") * |result| of the sum in double";
}

/// "0, 1, 3".
std::string list_of(const std::vector<rank>& ranks) {
  std::string list;
  for (const rank each : ranks) list += (list.empty() ? "" : ", ") + to_string(each);
  return list;
}

std::string to_text(const recovery_report& recovery) {
  const std::size_t before = recovery.old_ranks.size() + recovery.lost.size();
  std::string text = "error       " + recovery.error + "\n";
  for (const lost_rank& each : recovery.lost)
    text += "lost        rank " + to_string(each.number) + ": " + each.reason + "\n";
  return text + "shrunk      from " + std::to_string(before) + " ranks to " +
         std::to_string(recovery.old_ranks.size()) + " in " + to_string(recovery.shrinking) + ": the old ranks " +
         list_of(recovery.old_ranks) + ", in this order\n";
}

json to_json(const recovery_report& recovery) {
  json out{{"error", recovery.error}, {"shrink_seconds", recovery.shrinking.count()}};
  out["old_ranks"] = json::array();
  for (const rank each : recovery.old_ranks) out["old_ranks"].push_back(each.value);
  out["lost"] = json::array();
  for (const lost_rank& each : recovery.lost)
    out["lost"].push_back(json{{"rank", each.number.value}, {"reason", each.reason}});
  return out;
}

void print_text(const run_result& result, bool explains) {
  const schedule::plan& plan = result.plan;
  std::string text = planner::explain(plan, explains ? plan.candidates.size() : 0);
  if (!explains) text.resize(text.rfind('\n', text.size() - 2) + 1);  // without "... and N more"
  const seconds time = result.time.median;
  const double rate = algorithm_bandwidth(result.work, result.count, plan.ranks, time);
  if (result.recovery) text = to_text(*result.recovery) + text;
  text += "transports  " + to_text(result.transports) + "\n";
  for (const std::string& each : result.overrides) text += "override    " + each + "\n";
  text += "checked     " + describe_check(result) + "\n";
  text += "time        " + to_string(time) + " (p10 " + to_string(result.time.p10) + ", p90 " +
          to_string(result.time.p90) + ", slowest rank of " + std::to_string(result.time.iterations) +
          " iterations), predicted " + to_string(plan.predicted);
  if (plan.predicted.count() > 0) text += formatted(", measured %.2fx", time / plan.predicted);
  text += formatted("\nalgbw       %.3f GB/s\nbusbw       %.3f GB/s\n", rate * 1e-9,
                    rate * bus_factor(result.work.what, plan.ranks) * 1e-9);
  std::fputs(text.c_str(), stdout);
}

void print_json(const run_result& result) {
  const double rate = algorithm_bandwidth(result.work, result.count, result.plan.ranks, result.time.median);
  json out{{"schema", "hawser.run/1"}, {"plan", to_json(result.plan, result.work)}};
  out["transports"] = json::object();
  for (const transport_use& each : result.transports) out["transports"][each.name] = each.pairs;
  out["overrides"] = result.overrides;
  out["in_place"] = result.work.in_place;
  out["wrong"] = result.wrong;
  out["iterations"] = result.time.iterations;
  out["seconds"] = result.time.median.count();
  out["p10_seconds"] = result.time.p10.count();
  out["p90_seconds"] = result.time.p90.count();
  out["algbw_bytes_per_second"] = rate;
  out["busbw_bytes_per_second"] = rate * bus_factor(result.work.what, result.plan.ranks);
  if (result.recovery) out["recovery"] = to_json(*result.recovery);
  std::printf("%s\n", out.dump(2).c_str());
}

}  // namespace

double algorithm_bandwidth(const workload& work, std::int64_t count, std::int64_t ranks, seconds time) {
  return time.count() > 0 ? static_cast<double>(bytes_of(work, count, ranks)) / time.count() : 0;
}

void print(const run_result& result, format form, bool explains) {
  if (form == format::json)
    print_json(result);
  else
    print_text(result, explains);
}

}  // namespace hawser::cli
