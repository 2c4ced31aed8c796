// See report.hpp.
#include "report.hpp"

#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <tuple>

namespace hawser::mpi_profile {

namespace {

/// Of all communicators of one size.
struct line {
  std::uint64_t mpi_calls = 0, hawser_calls = 0;
  double mpi_seconds = 0, hawser_seconds = 0;  // of the last that measured
  double saved = 0;                            // seconds, against the measured figures
};

using key = std::tuple<std::string, int, int>;  // collective, ranks, class of sizes
std::mutex lines_mutex;
std::map<key, line> lines;

std::string formatted(const char* format, auto... values) {
  char text[256];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

}  // namespace

void add_to_report(const known_communicator& known) {
  std::lock_guard lock(lines_mutex);
  known.choices.for_each([&](collective what, bool is_ragged, int of_class, const choice& met) {
    line& entry = lines[{name_of(what, is_ragged), known.size, of_class}];
    entry.mpi_calls += met.mpi_calls;
    entry.hawser_calls += met.hawser_calls;
    if (met.mpi_seconds <= 0) return;
    entry.mpi_seconds = met.mpi_seconds;
    entry.hawser_seconds = met.hawser_seconds;
    entry.saved += static_cast<double>(met.hawser_calls) * (met.mpi_seconds - met.hawser_seconds);
  });
}

std::string text_of_report() {
  std::lock_guard lock(lines_mutex);
  std::string text = formatted("%-22s %6s %12s %10s %10s %12s %12s %12s\n", "collective", "ranks", "bytes from",
                               "by hawser", "by MPI", "MPI [us]", "hawser [us]", "saved [ms]");
  double saved = 0;
  for (const auto& [which, entry] : lines) {
    const auto& [name, ranks, of_class] = which;
    text += formatted(
        "%-22s %6d %12lld %10llu %10llu", name.c_str(), ranks, static_cast<long long>(least_bytes(of_class)),
        static_cast<unsigned long long>(entry.hawser_calls), static_cast<unsigned long long>(entry.mpi_calls));
    text += entry.mpi_seconds > 0 ? formatted(" %12.2f %12.2f %12.3f\n", entry.mpi_seconds * 1e6,
                                              entry.hawser_seconds * 1e6, entry.saved * 1e3)
                                  : formatted(" %12s %12s %12s\n", "-", "-", "-");
    saved += entry.saved;
  }
  return text + formatted("time saved against the MPI library's measured figures: %.3f ms on this rank\n", saved * 1e3);
}

std::string json_of_report() {
  std::lock_guard lock(lines_mutex);
  std::string text = "{\"version\": 1, \"collectives\": [";
  const char* before = "\n";
  for (const auto& [which, entry] : lines) {
    const auto& [name, ranks, of_class] = which;
    text += before;
    text += formatted(
        "  {\"collective\": \"%s\", \"ranks\": %d, \"bytes_from\": %lld, \"by_hawser\": %llu, \"by_mpi\": %llu",
        name.c_str(), ranks, static_cast<long long>(least_bytes(of_class)),
        static_cast<unsigned long long>(entry.hawser_calls), static_cast<unsigned long long>(entry.mpi_calls));
    if (entry.mpi_seconds > 0)
      text += formatted(", \"mpi_seconds\": %.9g, \"hawser_seconds\": %.9g, \"saved_seconds\": %.9g", entry.mpi_seconds,
                        entry.hawser_seconds, entry.saved);
    text += "}";
    before = ",\n";
  }
  return text + "\n]}\n";
}

void write_report(const settings& told) {
  if (told.report.empty()) return;
  if (told.report == "-") {
    std::fputs(text_of_report().c_str(), stderr);
    return;
  }
  std::ofstream file(told.report);
  file << (told.report.ends_with(".json") ? json_of_report() : text_of_report());
  if (!file.flush()) warn("the report cannot be written to " + told.report + " (HAWSER_MPI_REPORT)");
}

}  // namespace hawser::mpi_profile
