// Which parts of a machine are alike.
#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "draw_picture.hpp"

namespace hawser::discovery::drawing {

namespace {

std::uint64_t mix(std::uint64_t seed, std::uint64_t value) {
  value += 0x9e3779b97f4a7c15 + seed;  // splitmix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t kind_color(const topology::node& part) {
  return mix(static_cast<std::uint64_t>(part.kind),
             static_cast<std::uint64_t>(topology::switch_tier(part)) * 2 + part.attributes.contains("virtual"));
}

std::uint64_t own_color(const topology::graph& machine, const unit& each) {
  std::uint64_t color = mix(kind_color(machine.nodes()[each.node]), each.host);
  for (const std::size_t count : each.holds) color = mix(color, count);
  return color;
}

std::uint64_t link_color(const unit_link& each) {
  return mix(static_cast<std::uint64_t>(each.kind), static_cast<std::uint64_t>(each.rate));
}

// Numbers the colors in the order of the units.
std::vector<std::size_t> numbered(const std::vector<std::uint64_t>& colors) {
  std::unordered_map<std::uint64_t, std::size_t> numbers;
  std::vector<std::size_t> classes;
  classes.reserve(colors.size());
  for (const std::uint64_t each : colors) classes.push_back(numbers.try_emplace(each, numbers.size()).first->second);
  return classes;
}

std::size_t count_of(std::vector<std::uint64_t> colors) {
  std::ranges::sort(colors);
  return static_cast<std::size_t>(std::unique(colors.begin(), colors.end()) - colors.begin());
}

// One more step around: sums do not depend on the order of the links.
std::vector<std::uint64_t> refined(const std::vector<std::uint64_t>& colors, const std::vector<unit_link>& links) {
  std::vector<std::uint64_t> around(colors.size());
  for (const unit_link& each : links) {
    around[each.a] += mix(link_color(each), colors[each.b]);
    around[each.b] += mix(link_color(each), colors[each.a]);
  }
  for (std::size_t each = 0; each < colors.size(); ++each) around[each] = mix(colors[each], around[each]);
  return around;
}

}  // namespace

std::vector<std::size_t> twins(const topology::graph& machine, const std::vector<unit>& units,
                               const std::vector<unit_link>& links) {
  const auto kind_of = [&](std::size_t each) { return machine.nodes()[units[each].node].kind; };
  std::vector<std::uint64_t> open(units.size()), closed(units.size()), among(units.size());
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> peers;  // all links of a pair of one kind together
  std::set<std::pair<std::size_t, std::size_t>> joined;  // NVSwitches of a host may have different numbers of links
  for (const unit_link& each : links) {
    const std::uint64_t color = link_color(each);
    const bool are_peers = kind_of(each.a) == kind_of(each.b);
    for (const auto& [end, other] : {std::pair{each.a, each.b}, {each.b, each.a}}) {
      if (kind_of(end) == topology::node_kind::nvswitch && !joined.emplace(end, other).second) continue;
      open[end] += mix(color, other);
      if (!are_peers) closed[end] += mix(color, other);
    }
    if (are_peers) peers[std::minmax(each.a, each.b)] += color;
  }
  // All to all: each has the same neighbours where it counts as a neighbour of its own.
  for (const auto& [pair, color] : peers) {
    closed[pair.first] += mix(color, pair.second);
    closed[pair.second] += mix(color, pair.first);
    among[pair.first] = std::max(among[pair.first], color);
    among[pair.second] = std::max(among[pair.second], color);
  }
  std::unordered_map<std::uint64_t, std::size_t> members;
  for (std::size_t each = 0; each < units.size(); ++each) {
    closed[each] = mix(own_color(machine, units[each]), closed[each] + mix(among[each], each));
    ++members[closed[each]];
  }
  std::vector<std::uint64_t> colors(units.size());
  for (std::size_t each = 0; each < units.size(); ++each)
    colors[each] = members[closed[each]] > 1 ? closed[each] : mix(own_color(machine, units[each]), open[each]);
  return numbered(colors);
}

std::vector<std::size_t> look_alikes(const topology::graph& machine, const std::vector<unit>& units,
                                     const std::vector<unit_link>& links, std::size_t most) {
  std::vector<std::uint64_t> colors;
  colors.reserve(units.size());
  for (const unit& each : units) colors.push_back(own_color(machine, each));
  std::size_t classes = count_of(colors);
  if (classes > most) {
    colors.clear();
    for (const unit& each : units) colors.push_back(kind_color(machine.nodes()[each.node]));
    return numbered(colors);
  }
  for (int step = 0; step < 16; ++step) {
    std::vector<std::uint64_t> next = refined(colors, links);
    const std::size_t now = count_of(next);
    if (now > most || now == classes) break;
    colors = std::move(next), classes = now;
  }
  return numbered(colors);
}

}  // namespace hawser::discovery::drawing
