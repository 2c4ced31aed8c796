// What a simulated machine suffers: links that are gone or degraded, and load that others put on them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/hierarchy.hpp>

namespace hawser::simulate {

/// One unit's link, both directions, with the fraction of its bandwidth that is left.
struct fault {
  int level = 0;
  std::int64_t unit = 0;  ///< its number among all units of the level
  double left = 0;        ///< in [0, 1]; 0: removed
};

/// What differs from the machine as its topology describes it.
struct conditions {
  std::vector<fault> faults;
  std::vector<double> background;  ///< per level: fraction of each link that is taken; empty: none
};

namespace detail {

inline int level_named(const topology::hierarchy& tree, std::string_view name) {
  std::string known;
  for (int d = 0; d < tree.depth(); ++d) {
    if (tree.at(d).name == name) return d;
    known.append(known.empty() ? "" : ", ").append(tree.at(d).name);
  }
  fail(errc::not_found, "there is no level \"" + std::string(name) + "\"", {}, "use one of " + known);
}

/// "0.5", "7/8".
inline double parse_share(std::string_view text, std::string_view whole) {
  const auto number = [&](std::string_view part) {
    double value = 0;
    const auto [rest, status] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (part.empty() || status != std::errc{} || rest != part.data() + part.size())
      fail(errc::parse, "cannot read \"" + std::string(whole) + "\"", "\"" + std::string(part) + "\" is not a number",
           "write a fraction like 0.5 or 7/8");
    return value;
  };
  const std::size_t slash = text.find('/');
  const double share =
      slash == std::string_view::npos ? number(text) : number(text.substr(0, slash)) / number(text.substr(slash + 1));
  if (!(share >= 0 && share <= 1))
    fail(errc::parse, "cannot read \"" + std::string(whole) + "\"", "the fraction must lie between 0 and 1",
         "write it like 0.5 or 7/8");
  return share;
}

}  // namespace detail

/// Reads "rack:3" (that rack's uplink is gone) or "rack:3=7/8" (seven eighths of its bandwidth are left: one of eight
/// rails failed). Throws errc::parse; errc::not_found for an unknown level or unit.
inline fault parse_fault(const topology::hierarchy& tree, std::string_view text) {
  const std::size_t colon = text.find(':'), equals = text.find('=');
  if (colon == std::string_view::npos)
    fail(errc::parse, "cannot read \"" + std::string(text) + "\" as a link", "there is no colon",
         "write LEVEL:UNIT or LEVEL:UNIT=FRACTION, like rack:3 or rack:3=7/8");
  fault read{.level = detail::level_named(tree, text.substr(0, colon))};
  const std::string_view unit = text.substr(colon + 1, equals == std::string_view::npos ? equals : equals - colon - 1);
  const auto [rest, status] = std::from_chars(unit.data(), unit.data() + unit.size(), read.unit);
  const std::int64_t units = tree.at(read.level).units.total();
  if (unit.empty() || status != std::errc{} || rest != unit.data() + unit.size() || read.unit < 0 || read.unit >= units)
    fail(errc::not_found, "there is no unit \"" + std::string(unit) + "\" of level " + tree.at(read.level).name,
         "units are numbered through the machine", "choose one from 0 to " + std::to_string(units - 1));
  if (equals != std::string_view::npos) read.left = detail::parse_share(text.substr(equals + 1), text);
  return read;
}

/// Reads "0.3" (every link) or "rack=0.3" (the links of one level) into `set.background`. Throws errc::parse,
/// errc::not_found for an unknown level, errc::invalid_argument where nothing would be left.
inline void parse_background(const topology::hierarchy& tree, std::string_view text, conditions& set) {
  set.background.resize(static_cast<std::size_t>(tree.depth()), 0.0);
  const std::size_t equals = text.find('=');
  const double load = detail::parse_share(equals == std::string_view::npos ? text : text.substr(equals + 1), text);
  if (load >= 1)
    fail(errc::invalid_argument, "a background load of " + std::string(text) + " leaves nothing",
         "messages would never end", "use a load below 1");
  if (equals == std::string_view::npos)
    std::fill(set.background.begin(), set.background.end(), load);
  else
    set.background[static_cast<std::size_t>(detail::level_named(tree, text.substr(0, equals)))] = load;
}

/// Throws errc::unsupported where a removed link cuts ranks off from the others: the machine is a tree, so that a
/// unit has no other way out.
inline void check_reachable(const topology::hierarchy& tree, const conditions& set) {
  for (const fault& each : set.faults) {
    const std::int64_t units = tree.at(each.level).units.total();
    const std::int64_t first = tree.first_position(each.unit, each.level);
    const std::int64_t last =
        (each.unit + 1 == units ? tree.size() : tree.first_position(each.unit + 1, each.level)) - 1;
    if (each.left > 0 || last - first + 1 == tree.size()) continue;
    const std::string name = tree.at(each.level).name + ":" + std::to_string(each.unit);
    fail(errc::unsupported, "without " + name + " ranks are unreachable",
         "its only link upwards joins positions " + std::to_string(first) + " to " + std::to_string(last) +
             " with the others",
         "leave part of it, like --fail " + name + "=7/8 for one of eight rails, or simulate the machine without it");
  }
}

}  // namespace hawser::simulate
