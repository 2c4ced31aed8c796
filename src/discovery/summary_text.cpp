// The summary as text for people.
#include <algorithm>
#include <array>
#include <string_view>

#include <hawser/discovery/summary.hpp>

namespace hawser::discovery {

using topology::finding;

namespace {

constexpr std::size_t most_of_one_code = 4;

std::string row(std::string_view name, const std::string& value) {
  std::string text(name);
  text.resize(std::max<std::size_t>(16, text.size() + 1), ' ');
  return text + value + "\n";
}

std::string text_of(const summary::count& number) {
  return number ? std::to_string(*number) : "unknown";
}

std::string describe_domains(const summary& what) {
  if (!what.nvlink_domains) return "unknown";
  std::map<std::size_t, std::size_t> domains_of;
  for (const auto& each : *what.nvlink_domains) ++domains_of[each.size()];
  std::string text = std::to_string(what.nvlink_domains->size());
  std::string_view before = " (";
  for (const auto& [gpus, domains] : domains_of) {
    text.append(before).append(domains_of.size() > 1 ? std::to_string(domains) + " of " : "");
    text += std::to_string(gpus) + " GPUs" + (domains_of.size() == 1 && domains > 1 ? " each" : "");
    before = ", ";
  }
  return domains_of.empty() ? text : text + ")";
}

std::string describe_switches(const summary& what) {
  if (!what.switches_by_level) return "unknown";
  std::string text;
  for (const auto& [level, number] : *what.switches_by_level)
    text += (text.empty() ? "" : ", ") + std::to_string(number) + " on level " + std::to_string(level);
  return text.empty() ? "0" : text;
}

std::string describe_levels(const summary& what) {
  if (!what.levels) return "unknown";
  std::string text;
  for (const std::string& each : *what.levels) text += (text.empty() ? "" : " > ") + each;
  return text;
}

// Errors first; those of one code stay together and in their order.
std::vector<const finding*> sorted(const std::vector<finding>& findings) {
  std::vector<const finding*> all;
  all.reserve(findings.size());
  for (const finding& each : findings) all.push_back(&each);
  std::stable_sort(all.begin(), all.end(), [](const finding* a, const finding* b) {
    return a->level != b->level ? a->level > b->level : a->code < b->code;
  });
  return all;
}

std::string describe_findings(const std::vector<finding>& findings) {
  std::array<std::size_t, topology::severity_names.size()> counts{};
  for (const finding& each : findings) ++counts[static_cast<std::size_t>(each.level)];
  std::string tally;
  for (std::size_t level = counts.size(); level-- > 0;)
    if (counts[level] > 0)
      tally.append(tally.empty() ? "" : ", ").append(topology::severity_names[level]).append(": ") +=
          std::to_string(counts[level]);
  std::string text = row("findings", tally.empty() ? "none" : tally);
  std::map<std::pair<topology::severity, std::string_view>, std::size_t> seen, total;
  for (const finding& each : findings) ++total[{each.level, each.code}];
  for (const finding* each : sorted(findings)) {
    const std::pair key{each->level, std::string_view(each->code)};
    const std::size_t number = ++seen[key];
    if (number <= most_of_one_code)
      text += "  " + std::string(topology::to_string(each->level)) + " " + each->code + ": " + each->subject + ": " +
              each->message + "\n";
    else if (number == total[key])
      text += "  " + std::string(topology::to_string(each->level)) + " " + each->code + ": " +
              std::to_string(number - most_of_one_code) + " more\n";
  }
  return text;
}

}  // namespace

std::string to_text(const summary& what) {
  return row("hosts", text_of(what.hosts)) + row("GPUs", text_of(what.gpus)) +
         row("NVLink domains", describe_domains(what)) + row("NICs", text_of(what.nics)) +
         row("NUMA nodes", text_of(what.numa_nodes)) + row("switches", describe_switches(what)) +
         row("links", text_of(what.links)) + row("levels", describe_levels(what)) + describe_findings(what.findings);
}

}  // namespace hawser::discovery
