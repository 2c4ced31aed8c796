// See bench_report.hpp.
#include "bench_report.hpp"

#include <cstdio>

namespace hawser::cli {

using json = nlohmann::ordered_json;

bench_table::bench_table(format form, bench_setting setting)
    : form_(form),
      setting_(std::move(setting)),
      op_(schedule::reduces(setting_.work.what) ? to_string(setting_.work.op) : "none"),
      root_(schedule::has_root(setting_.work.what) ? setting_.work.root.value : -1) {
  if (form_ != format::json) print_header();
}

void bench_table::print_header() const {
  if (form_ == format::csv) {
    std::puts("collective,bytes,count,type,op,root,algorithm,time_us,p10_us,p90_us,algbw_GBps,busbw_GBps,wrong");
    std::fflush(stdout);
    return;
  }
  std::printf("# hawser %s %s%s, %d ranks%s%s\n", HAWSER_VERSION, std::string(to_string(setting_.work.what)).c_str(),
              setting_.work.in_place ? " in place" : "", setting_.ranks,
              setting_.launcher.empty() ? "" : ", started by ", setting_.launcher.c_str());
  std::printf("# host        %s\n", setting_.host.c_str());
  std::printf("# hierarchy   %s  fingerprint %s\n", setting_.hierarchy.c_str(), setting_.fingerprint.c_str());
  std::printf("# transports  %s\n", to_text(setting_.transports).c_str());
  for (const std::string& each : setting_.overrides) std::printf("# override    %s\n", each.c_str());
  std::printf("# time: median over the iterations of the slowest rank's time%s\n#\n",
              setting_.rewrites ? "; the input is written anew before each" : "");
  std::printf("#%12s %12s %11s %11s %6s %10s %9s %9s %8s  %s\n", "size", "count", "type", "redop", "root", "time",
              "algbw", "busbw", "#wrong", "algorithm");
  std::printf("#%12s %12s %11s %11s %6s %10s %9s %9s\n", "(B)", "(elements)", "", "", "", "(us)", "(GB/s)", "(GB/s)");
  std::fflush(stdout);
}

double bench_table::algorithm_bandwidth(const bench_row& row) const {
  const double bytes = static_cast<double>(bytes_of(setting_.work, row.count, setting_.ranks));
  return row.time.median.count() > 0 ? bytes / row.time.median.count() : 0;
}

double bench_table::bus_bandwidth(const bench_row& row) const {
  return algorithm_bandwidth(row) * bus_factor(setting_.work.what, setting_.ranks);
}

void bench_table::add(const bench_row& row) {
  const workload& work = setting_.work;
  const auto bytes = static_cast<long long>(bytes_of(work, row.count, setting_.ranks));
  const std::string what(to_string(work.what)), type(to_string(work.type));
  const double algbw = algorithm_bandwidth(row) * 1e-9, busbw = bus_bandwidth(row) * 1e-9;
  const std::string wrong = row.wrong ? std::to_string(*row.wrong) : "";
  const auto count = static_cast<long long>(row.count);
  const auto us = [](seconds time) { return time.count() * 1e6; };
  switch (form_) {
    case format::json: rows_.push_back(to_json(row)); return;
    case format::csv: {
      // Commas inside a hierarchical name are the reason for the quotes.
      const bool has_comma = row.algorithm.find(',') != std::string::npos;
      const std::string name = has_comma ? '"' + row.algorithm + '"' : row.algorithm;
      std::printf("%s,%lld,%lld,%s,%s,%d,%s,%.3f,%.3f,%.3f,%.6g,%.6g,%s\n", what.c_str(), bytes, count, type.c_str(),
                  op_.c_str(), root_, name.c_str(), us(row.time.median), us(row.time.p10), us(row.time.p90), algbw,
                  busbw, wrong.c_str());
      break;
    }
    case format::text:
      std::printf(" %12lld %12lld %11s %11s %6d %10.2f %9.3f %9.3f %8s  %s\n", bytes, count, type.c_str(), op_.c_str(),
                  root_, us(row.time.median), algbw, busbw, row.wrong ? wrong.c_str() : "N/A",
                  (row.algorithm + (row.is_chosen ? " (chosen)" : "")).c_str());
  }
  std::fflush(stdout);
}

json bench_table::to_json(const bench_row& row) const {
  const workload& work = setting_.work;
  json out{{"collective", to_string(work.what)}};
  out["bytes"] = bytes_of(work, row.count, setting_.ranks);
  out["count"] = row.count;
  out["type"] = to_string(work.type);
  out["op"] = schedule::reduces(work.what) ? json(op_) : json(nullptr);
  out["root"] = root_ >= 0 ? json(root_) : json(nullptr);
  out["algorithm"] = row.algorithm;
  out["segments"] = row.segments;
  out["predicted_seconds"] = row.predicted.count();
  out["seconds"] = row.time.median.count();
  out["p10_seconds"] = row.time.p10.count();
  out["p90_seconds"] = row.time.p90.count();
  out["iterations"] = row.time.iterations;
  out["algbw_bytes_per_second"] = algorithm_bandwidth(row);
  out["busbw_bytes_per_second"] = bus_bandwidth(row);
  out["wrong"] = row.wrong ? json(*row.wrong) : json(nullptr);
  if (setting_.is_in_turn) out["is_chosen"] = row.is_chosen;
  if (setting_.has_samples) out["times_seconds"] = row.time.times;
  return out;
}

void bench_table::leave_out(const std::vector<bench_row>& rows) {
  for (const bench_row& each : rows)
    left_out_.push_back(
        {{"bytes", bytes_of(setting_.work, each.count, setting_.ranks)}, {"algorithm", each.algorithm}});
  if (form_ == format::text && !rows.empty()) std::printf("# no time was left for %zu other algorithms\n", rows.size());
}

void bench_table::finish() {
  if (form_ != format::json) return;
  json out{{"schema", "hawser.bench/1"}, {"version", HAWSER_VERSION}, {"host", setting_.host}};
  out["launcher"] = setting_.launcher.empty() ? json(nullptr) : json(setting_.launcher);
  out["mode"] = to_string(setting_.work.mode);
  out["ranks"] = setting_.ranks;
  out["hierarchy"] = setting_.hierarchy;
  out["fingerprint"] = setting_.fingerprint;
  out["transports"] = json::object();
  for (const transport_use& each : setting_.transports) out["transports"][each.name] = each.pairs;
  out["overrides"] = setting_.overrides;
  out["in_place"] = setting_.work.in_place;
  out["rewrites"] = setting_.rewrites;
  out["rows"] = rows_;
  if (setting_.is_in_turn) out["left_out"] = left_out_;
  std::printf("%s\n", out.dump(2).c_str());
}

}  // namespace hawser::cli
