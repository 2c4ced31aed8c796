// Lint: links that run narrower or slower than they could, or than others of their kind do.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "rules.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;

namespace {

constexpr std::size_t most_single_findings = 8;  // of one kind; more are told together

constexpr std::array<std::pair<std::string_view, double>, 9> infiniband_speeds = {{{"sdr", 2.5},
                                                                                   {"ddr", 5},
                                                                                   {"qdr", 10},
                                                                                   {"fdr10", 10.3},
                                                                                   {"fdr", 14},
                                                                                   {"edr", 25},
                                                                                   {"hdr", 50},
                                                                                   {"ndr", 100},
                                                                                   {"xdr", 200}}};

// "4x", "x16", "16", "HDR", "gen5", "16.0 GT/s": numbers that compare within one kind of link; 0 for anything else.
double size_of(std::string_view text) {
  const std::string value = plain(text);
  for (const auto& [name, speed] : infiniband_speeds)
    if (value == name) return speed;
  const std::size_t digit = value.find_first_of("0123456789");
  if (digit == std::string::npos) return 0;
  double size = 0;
  std::from_chars(value.data() + digit, value.data() + value.size(), size);
  return size;
}

// Both ends of "1x/4x"; "16.0 GT/s" has one value.
std::pair<std::string_view, std::string_view> ends_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.substr(slash) == "/s" || text.find("T/s") == slash - 1)
    return {text, text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

double smaller_end(std::string_view text) {
  const auto [a, b] = ends_of(text);
  return std::min(size_of(a), size_of(b));
}

std::string name_of(const graph& machine, const edge& between) {
  const std::string ports(value_of(between, attribute::ports));
  return machine.nodes()[between.a].name + " - " + machine.nodes()[between.b].name +
         (ports.empty() ? "" : " (ports " + ports + ")");
}

// Links of one class are bought alike: between the same tiers, at the same NIC of each host, at GPUs of one model.
// Empty for links that are not compared.
std::string class_of(const graph& machine, const edge& between) {
  const node& a = machine.nodes()[between.a];
  const node& b = machine.nodes()[between.b];
  std::string name(to_string(between.kind));
  if (between.kind == edge_kind::pci) {
    if (a.kind != node_kind::gpu && b.kind != node_kind::gpu) return {};
    return name.append(" ").append(value_of(a.kind == node_kind::gpu ? a : b, attribute::model));
  }
  if (!is_network(between.kind) && !is_nvlink(between.kind)) return {};
  const auto [low, high] = std::minmax({topology::switch_tier(a), topology::switch_tier(b)});
  name += " " + std::to_string(low) + " " + std::to_string(high);
  const bool is_nic = a.kind == node_kind::nic || b.kind == node_kind::nic;
  return is_nic ? name.append(" ").append(short_name(a.kind == node_kind::nic ? a : b)) : name;
}

/// A link that is worse than others, and how.
struct worse_link {
  edge_index link;
  std::string how;
};

void report(const graph& machine, const std::vector<worse_link>& links, const finding& common, findings& found) {
  if (links.size() <= most_single_findings) {
    for (const worse_link& each : links)
      found.push_back(
          {common.level, common.code, name_of(machine, machine.edges()[each.link]), each.how + common.message});
    return;
  }
  found.push_back(
      {common.level, common.code,
       name_of(machine, machine.edges()[links.front().link]) + " and " + std::to_string(links.size() - 1) + " more",
       links.front().how + common.message});
}

/// The links of each class whose figure is below the class's most common one; a figure of 0 is unknown.
template <typename Figure, typename Words>
std::vector<std::vector<worse_link>> below_their_class(const graph& machine, Figure figure, Words words) {
  std::map<std::string, std::map<double, std::vector<edge_index>>> classes;
  for (edge_index each = 0; each < machine.edges().size(); ++each) {
    const double value = figure(machine.edges()[each]);
    if (value <= 0) continue;
    const std::string name = class_of(machine, machine.edges()[each]);
    if (!name.empty()) classes[name][value].push_back(each);
  }
  std::vector<std::vector<worse_link>> worse;
  for (const auto& [name, links_with] : classes) {
    const double usual = most_common(links_with);
    for (const auto& [value, links] : links_with) {
      if (value >= usual) break;
      worse.emplace_back();
      const edge& like = machine.edges()[links_with.at(usual).front()];
      for (edge_index each : links) worse.back().push_back({each, words(machine.edges()[each], like)});
    }
  }
  return worse;
}

double width_of(const edge& between) {
  return smaller_end(value_of(between, attribute::width));
}

bool ends_differ(const edge& between, const char* key) {
  const auto [a, b] = ends_of(value_of(between, key));
  return plain(a) != plain(b);
}

// Found at the link itself, without a look at others.
std::string narrow_by_itself(const edge& between) {
  const std::string width(value_of(between, attribute::width));
  if (width.empty()) return {};
  if (ends_differ(between, attribute::width)) return "the two ends run at different widths, " + width;
  const std::string most(value_of(between, attribute::max_width));
  return width_of(between) > 0 && width_of(between) < size_of(most) ? "runs at width " + width + " of " + most : "";
}
std::string slow_by_itself(const edge& between) {
  const std::string speed(value_of(between, attribute::speed));
  if (speed.empty()) return {};
  if (ends_differ(between, attribute::speed)) return "the two ends run at different speeds, " + speed;
  const std::string most(value_of(between, attribute::max_speed));
  return smaller_end(speed) > 0 && smaller_end(speed) < size_of(most) ? "runs at " + speed + " of " + most : "";
}

}  // namespace

void check_narrow_links(const graph& machine, findings& found) {
  const finding common{severity::warning, "narrow-link", "",
                       ": it carries that share of its bandwidth and holds up every collective that crosses it; reseat "
                       "or replace the cable or card, or retrain the link"};
  std::vector<worse_link> alone;
  for (edge_index each = 0; each < machine.edges().size(); ++each)
    if (std::string how = narrow_by_itself(machine.edges()[each]); !how.empty())
      alone.push_back({each, std::move(how)});
  report(machine, alone, common, found);
  const auto width = [](const edge& between) { return narrow_by_itself(between).empty() ? width_of(between) : 0; };
  const auto words = [](const edge& between, const edge& like) {
    return "runs at width " + std::string(value_of(between, attribute::width)) + " where links like it run at " +
           std::string(value_of(like, attribute::width));
  };
  for (const auto& each : below_their_class(machine, width, words)) report(machine, each, common, found);
}

void check_slow_links(const graph& machine, findings& found) {
  const finding common{severity::warning, "slow-link", "",
                       ": it holds up every collective that crosses it; replace the cable or check the port's "
                       "settings; measure PCIe under load, it slows down while idle"};
  std::vector<worse_link> alone;
  for (edge_index each = 0; each < machine.edges().size(); ++each)
    if (std::string how = slow_by_itself(machine.edges()[each]); !how.empty()) alone.push_back({each, std::move(how)});
  report(machine, alone, common, found);
  const auto rate = [](const edge& between) {  // those told already have no figure
    const bool is_told = !narrow_by_itself(between).empty() || !slow_by_itself(between).empty();
    return between.rate && !is_told ? between.rate->bytes_per_second : 0.0;
  };
  const auto words = [](const edge& between, const edge& like) {
    return "runs at " + to_string(*between.rate) + " where links like it run at " + to_string(*like.rate);
  };
  for (auto& each : below_their_class(machine, rate, words)) report(machine, each, common, found);
}

}  // namespace hawser::discovery
