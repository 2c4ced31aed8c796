// Which ranks play the same role: their schedules are equal up to the names of peers and the numbers of blocks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <hawser/algorithm/generate.hpp>

namespace hawser::algorithm {

namespace detail {

/// Mixes numbers into one of 64 bits (FNV-1a by words, then a finaliser from splitmix64).
class signature {
 public:
  void add(std::uint64_t value) noexcept {
    value_ = (value_ ^ value) * 0x100000001b3ULL;
    value_ ^= value_ >> 29;
  }
  void add(const fraction& value) noexcept {
    add(value.num());
    add(value.den());
  }
  std::uint64_t value() const noexcept {
    const std::uint64_t mixed = (value_ ^ value_ >> 30) * 0xbf58476d1ce4e5b9ULL;
    return mixed ^ mixed >> 31;
  }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace detail

/// The shape of a schedule: kinds, channels, the level whose links each message climbs to, and how many blocks each
/// step moves. Names of peers and places of data are left out.
inline std::uint64_t structural_signature(const topology::hierarchy& tree, const schedule::schedule& written) {
  detail::signature shape;
  for (const schedule::step& each : written.steps) {
    shape.add(static_cast<std::uint64_t>(each.kind));
    shape.add(each.channel);
    if (each.peer.value >= 0)
      shape.add(static_cast<std::uint64_t>(topology::crossed_level(tree, written.self, each.peer)));
    fraction blocks(0);
    for (const region& r : written.at(each.sends() ? each.source : each.target))
      blocks = blocks + r.first.length() * fraction(static_cast<std::int64_t>(r.count));
    shape.add(blocks);
  }
  return shape.value();
}

/// A class number: ranks of one class do the same over the same levels. It is taken from the rank's own schedule, in
/// O(that rank's steps), so that no symmetry has to be believed: failed links and ragged groups split classes by
/// themselves.
inline std::uint64_t role_of(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
                             rank self) {
  return structural_signature(tree, generate(tree, what, algorithm, self));
}

/// A role, the first of the given ranks that plays it, and how many of them do.
struct role_class {
  std::uint64_t role = 0;
  rank representative;
  std::int64_t ranks = 0;
};

/// Sorts ranks into classes by their roles.
inline std::vector<role_class> classes_of(const topology::hierarchy& tree, const schedule::request& what,
                                          std::string_view algorithm, const std::vector<rank>& ranks) {
  std::vector<role_class> classes;
  for (rank each : ranks) {
    const std::uint64_t role = role_of(tree, what, algorithm, each);
    auto known = std::find_if(classes.begin(), classes.end(), [role](const auto& c) { return c.role == role; });
    if (known == classes.end()) known = classes.insert(classes.end(), {role, each, 0});
    ++known->ranks;
  }
  return classes;
}

}  // namespace hawser::algorithm
