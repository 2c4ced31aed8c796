// What was simulated, for people and for scripts.
#include "simulate_report.hpp"

#include <algorithm>

#include "describe.hpp"

namespace hawser::cli {
namespace {

using nlohmann::ordered_json;
using simulate::link_load;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& each : parts) text += (text.empty() ? "" : ", ") + each;
  return text;
}

/// The busiest link of each level and direction.
std::vector<link_load> busiest(const std::vector<link_load>& links) {
  std::vector<link_load> found;
  for (const link_load& each : links) {
    const auto same = std::find_if(found.begin(), found.end(), [&](const link_load& known) {
      return known.level == each.level && known.is_out == each.is_out;
    });
    if (same == found.end())
      found.push_back(each);
    else if (each.busy > same->busy)
      *same = each;
  }
  return found;
}

std::string name_of(const link_load& link) {
  return link.ends.empty() ? link.level + ":" + std::to_string(link.unit) : link.ends;
}

const char* direction_of(const link_load& link) {
  if (!link.ends.empty()) return "";  // in its name
  return link.is_out ? "out" : "in";
}

std::string header(const simulation_setting& asked) {
  std::string text = formatted("%s of %s over %lld ranks\nhierarchy   %s  fingerprint %s\n",
                               std::string(to_string(asked.work.what)).c_str(),
                               to_string(bytes{static_cast<std::uint64_t>(asked.bytes)}).c_str(),
                               static_cast<long long>(asked.ranks), asked.hierarchy.c_str(), asked.fingerprint.c_str());
  if (asked.has_links) text += "links       those that the topology's file tells\n";
  if (!asked.faults.empty()) text += "faults      " + joined(asked.faults) + "\n";
  if (!asked.background.empty()) text += "background  " + joined(asked.background) + "\n";
  if (asked.ecmp == "adaptive")
    text += formatted("fabric      adaptive routing, %.0f %% of its bandwidth\n", 100 * simulate::adaptive_share);
  else if (!asked.ecmp.empty())
    text += formatted("fabric      hashed, %s queue pairs, %d trials from seed %llu\n", asked.ecmp.c_str(),
                      asked.trials, static_cast<unsigned long long>(asked.seed));
  return text;
}

std::string row(const simulated& each) {
  if (!each.refused.empty()) return formatted("%-44s %s\n", each.algorithm.c_str(), each.refused.c_str());
  return formatted("%-44s %8lld %10s %10s %7.2f %8lld %9s\n", each.algorithm.c_str(),
                   static_cast<long long>(each.ran.segments), to_string(each.predicted).c_str(),
                   to_string(seconds{each.time()}).c_str(), each.time() / each.predicted.count(),
                   static_cast<long long>(each.ran.classes), to_string(each.took).c_str());
}

std::string details(const simulated& each) {
  std::string text = formatted("\n%-12s %-4s %10s %12s %7s\n", "busiest link", "", "alike", "bytes", "busy");
  for (const link_load& link : busiest(each.ran.links))
    text += formatted("%-12s %-4s %10lld %12.6g %6.1f%%\n", name_of(link).c_str(), direction_of(link),
                      static_cast<long long>(link.units), link.bytes, 100 * link.busy);
  if (each.trials)
    text += formatted("\ntrials      %s mean, %s standard deviation, %s to %s; %s without collisions (%.0f %%)\n",
                      to_string(seconds{each.trials->mean}).c_str(), to_string(seconds{each.trials->deviation}).c_str(),
                      to_string(seconds{each.trials->least}).c_str(), to_string(seconds{each.trials->most}).c_str(),
                      to_string(*each.ideal).c_str(), 100 * each.ideal->count() / each.trials->mean);
  const bool is_single = each.ran.classes == each.ran.ranks;
  text += formatted("\n%s: %lld of %lld ranks simulated, %lld steps, %lld events\n",
                    is_single ? "every rank by itself" : "exact classes", static_cast<long long>(each.ran.classes),
                    static_cast<long long>(each.ran.ranks), static_cast<long long>(each.ran.steps),
                    static_cast<long long>(each.ran.events));
  if (each.is_coarse())
    text += formatted("coarse: %lld of %lld segments, fair rates lag by %s at most (--exact: neither)\n",
                      static_cast<long long>(each.ran.segments), static_cast<long long>(each.segments),
                      to_string(each.ran.lag).c_str());
  return text;
}

ordered_json json_of(const simulated& each) {
  ordered_json links = ordered_json::array();
  for (const link_load& link : each.ran.links) {
    const bool is_known = !link.ends.empty();
    links.push_back({{"level", is_known ? ordered_json() : ordered_json(link.level)},
                     {"unit", link.unit},
                     {"units", link.units},
                     {"direction", link.is_out ? "out" : "in"},
                     {"ends", is_known ? ordered_json(link.ends) : ordered_json()},
                     {"bytes", link.bytes},
                     {"busy", link.busy}});
  }
  const bool is_done = each.refused.empty();
  ordered_json trials;
  if (each.trials)
    trials = {{"mean", each.trials->mean},
              {"deviation", each.trials->deviation},
              {"least", each.trials->least},
              {"most", each.trials->most},
              {"without_collisions", each.ideal->count()}};
  return {{"algorithm", each.algorithm},
          {"refused", is_done ? ordered_json() : ordered_json(each.refused)},
          {"segments", is_done ? each.ran.segments : each.segments},
          {"chosen_segments", each.segments},
          {"lag", each.ran.lag.count()},
          {"predicted", each.predicted.count()},
          {"simulated", is_done ? ordered_json(each.time()) : ordered_json()},
          {"classes", is_done ? ordered_json(each.ran.classes) : ordered_json()},
          {"events", is_done ? ordered_json(each.ran.events) : ordered_json()},
          {"trials", std::move(trials)},
          {"links", std::move(links)}};
}

}  // namespace

std::string text_of(const simulation_setting& asked, const std::vector<simulated>& all) {
  std::string text = header(asked) + formatted("\n%-44s %8s %10s %10s %7s %8s %9s\n", "algorithm", "segments",
                                               "predicted", "simulated", "ratio", "classes", "took");
  for (const simulated& each : all) text += row(each);
  if (all.size() == 1 && all.front().refused.empty()) text += details(all.front());
  return text;
}

ordered_json json_of(const simulation_setting& asked, const std::vector<simulated>& all) {
  ordered_json algorithms = ordered_json::array();
  for (const simulated& each : all) algorithms.push_back(json_of(each));
  return {{"schema", simulate_schema},
          {"collective", to_string(asked.work.what)},
          {"bytes", asked.bytes},
          {"ranks", asked.ranks},
          {"hierarchy", asked.hierarchy},
          {"fingerprint", asked.fingerprint},
          {"faults", asked.faults},
          {"background", asked.background},
          {"ecmp", asked.ecmp.empty() ? ordered_json() : ordered_json(asked.ecmp)},
          {"seed", asked.seed},
          {"algorithms", std::move(algorithms)}};
}

}  // namespace hawser::cli
