// See tune_report.hpp.
#include "tune_report.hpp"

#include <nlohmann/json.hpp>

#include "describe.hpp"

namespace hawser::cli {

namespace {

using json = nlohmann::ordered_json;

/// "12.3 [11.0 .. 14.9]", in a unit.
std::string column(const tune::spread& figure, double unit) {
  if (!figure.is_measured()) return "-";
  return formatted("%.4g [%.4g .. %.4g]", figure.median / unit, figure.p10 / unit, figure.p90 / unit);
}

std::vector<std::string> names_in(const tune_report& report, int rack) {
  std::vector<std::string> names;
  for (std::size_t h = 0; h < report.hosts.size(); ++h)
    if (report.racks->rack_of_host[h] == rack) names.push_back(report.hosts[h]);
  return names;
}

std::string racks_to_text(const tune_report& report) {
  const tune::inferred& racks = *report.racks;
  std::string text =
      formatted("# racks       %d, confidence %.2f: %s (%lld pairs of %zu hosts measured)\n", racks.racks,
                racks.confidence, racks.reason.c_str(), static_cast<long long>(racks.pairs), racks.rack_of_host.size());
  for (int rack = 0; rack < racks.racks; ++rack) {
    text += formatted("#   rack %d", rack);
    for (const std::string& each : names_in(report, rack)) text += " " + each;
    text += "\n";
  }
  return text;
}

}  // namespace

std::string to_text(const tune_report& report) {
  const tune::tuning& measured = report.measured;
  std::string text =
      formatted("# hawser %s tune, %d ranks, %s\n", HAWSER_VERSION, measured.ranks, measured.date.c_str());
  text += "# host        " + measured.host + "\n# hierarchy   " + measured.hierarchy + "  fingerprint " +
          measured.fingerprint + "\n# transports  " + measured.transports + "\n";
  for (const std::string& each : report.overrides) text += "# override    " + each + "\n";
  if (report.racks) text += racks_to_text(report);
  text += "# median [p10 .. p90]; alone: one stream; together: all ranks of a unit to the next unit, all units\n#\n";
  text += formatted("%-14s %-28s %-30s %-30s %s\n", "level", "latency (us)", "alone (GB/s)", "together (GB/s)",
                    "incast (GB/s)");
  for (const tune::level_figures& each : measured.levels) {
    constexpr double us = 1e-6, gb = 1e9;
    std::string together = column(each.together, gb), incast = column(each.incast, gb);
    if (each.together.is_measured()) together += formatted(" x%d", each.streams_per_unit);
    if (each.incast.is_measured()) incast += formatted(" from %d", each.incast_senders);
    text += formatted("%-14s %-28s %-30s %-30s %s\n", each.name.c_str(), column(each.latency, us).c_str(),
                      column(each.alone, gb).c_str(), together.c_str(), incast.c_str());
  }
  for (const tune::level_figures& each : measured.levels)
    if (each.message_time.is_measured())
      text += "per message    " + column(each.message_time, 1e-6) + " us (" + each.name + ")\n";
  text += "per message    " + column(measured.message_time, 1e-6) + " us\n";
  text += "reduction      " + column(measured.reduction, 1e9) + " GB/s\n";
  if (!report.output.empty()) text += "written to     " + report.output + "\n";
  return text;
}

std::string to_json(const tune_report& report) {
  json out{{"schema", "hawser.tune/1"}};
  out["racks"] = nullptr;
  if (report.racks) {
    const tune::inferred& racks = *report.racks;
    json hosts = json::array();
    for (int rack = 0; rack < racks.racks; ++rack) hosts.push_back(names_in(report, rack));
    out["racks"] = {{"hosts", hosts},
                    {"clue", tune::to_string(racks.by)},
                    {"confidence", racks.confidence},
                    {"pairs", racks.pairs},
                    {"reason", racks.reason}};
  }
  out["output"] = report.output.empty() ? json(nullptr) : json(report.output);
  out["overrides"] = report.overrides;
  out["tuning"] = json::parse(tune::to_json(report.measured));
  return out.dump(2) + "\n";
}

}  // namespace hawser::cli
