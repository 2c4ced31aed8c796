// See statistics.hpp.
#include <hawser/diagnosis/statistics.hpp>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace hawser::diagnosis {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

/// Names of communicators are hawser's own; a quote in one would end the text all the same.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

/// A family of figures, one per rank.
struct figure {
  const char* name;
  const char* type;
  const char* help;
  double (*of)(const rank_statistics&);
};
constexpr figure figures[] = {
    {"hawser_times_last_total", "counter", "Calls that the rank was the last to make.",
     [](const rank_statistics& r) { return static_cast<double>(r.times_last); }},
    {"hawser_waited_for_seconds_total", "counter", "How long the other ranks waited for this one, in the mean.",
     [](const rank_statistics& r) { return r.waited_for.count(); }},
    {"hawser_waited_for_longest_seconds", "gauge", "The same in one call, the longest.",
     [](const rank_statistics& r) { return r.longest.count(); }},
    {"hawser_waiting_seconds_total", "counter", "How long the rank waited for others.",
     [](const rank_statistics& r) { return r.waiting.count(); }},
    {"hawser_in_calls_seconds_total", "counter", "How long the rank was in calls.",
     [](const rank_statistics& r) { return r.in_calls.count(); }},
};

}  // namespace

std::int32_t call_statistics::slowest() const noexcept {
  const auto most = std::max_element(ranks.begin(), ranks.end(),
                                     [](const auto& a, const auto& b) { return a.waited_for < b.waited_for; });
  return most == ranks.end() || most->times_last == 0 ? -1 : static_cast<std::int32_t>(most - ranks.begin());
}

void add_calls(call_statistics& to, const std::vector<std::vector<float>>& durations) {
  const std::size_t ranks = durations.size();
  to.ranks.resize(std::max(to.ranks.size(), ranks));
  for (std::size_t call = 0; ranks > 0 && call < durations.front().size(); ++call) {
    std::size_t last = 0;
    double least = durations[0][call], sum = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      const double took = durations[r][call];
      sum += took;
      if (took >= least) continue;
      least = took;
      last = r;
    }
    if (least <= 0) {
      ++to.calls_missed;
      continue;
    }
    ++to.calls;
    for (std::size_t r = 0; r < ranks; ++r) {
      to.ranks[r].in_calls += seconds(durations[r][call]);
      to.ranks[r].waiting += seconds(durations[r][call] - least);
    }
    if (ranks < 2) continue;
    const double others = static_cast<double>(ranks) - 1;
    const seconds waited((sum - least) / others - least);
    rank_statistics& latest = to.ranks[last];
    ++latest.times_last;
    latest.waited_for += waited;
    latest.longest = std::max(latest.longest, waited);
  }
}

std::string to_json(const call_statistics& from) {
  std::string text = "{\n  \"schema\": \"hawser.statistics/1\",\n  \"communicator\": " + in_quotes(from.communicator) +
                     ",\n  \"calls\": " + std::to_string(from.calls) +
                     ",\n  \"calls_missed\": " + std::to_string(from.calls_missed) + ",\n  \"ranks\": [";
  for (std::size_t r = 0; r < from.ranks.size(); ++r) {
    const rank_statistics& each = from.ranks[r];
    text += std::string(r == 0 ? "" : ",") + "\n    {\"rank\": " + std::to_string(r) +
            ", \"times_last\": " + std::to_string(each.times_last) +
            ", \"waited_for\": " + number(each.waited_for.count()) + ", \"longest\": " + number(each.longest.count()) +
            ", \"waiting\": " + number(each.waiting.count()) + ", \"in_calls\": " + number(each.in_calls.count()) + "}";
  }
  return text + "\n  ]\n}\n";
}

std::string to_prometheus(const call_statistics& from) {
  const std::string label = "{communicator=" + in_quotes(from.communicator);
  std::string text =
      "# HELP hawser_calls_total Calls whose durations were compared.\n# TYPE hawser_calls_total counter\n"
      "hawser_calls_total" +
      label + "} " + std::to_string(from.calls) + "\n";
  for (const figure& each : figures) {
    text += std::string("# HELP ") + each.name + " " + each.help + "\n# TYPE " + each.name + " " + each.type + "\n";
    for (std::size_t r = 0; r < from.ranks.size(); ++r)
      text += each.name + label + ",rank=\"" + std::to_string(r) + "\"} " + number(each.of(from.ranks[r])) + "\n";
  }
  return text;
}

}  // namespace hawser::diagnosis
