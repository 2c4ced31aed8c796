// A number that stands for a hierarchy: equal on every platform for equal hierarchies, so that ranks can compare
// theirs.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

namespace detail {

/// FNV-1a (Fowler, Noll, Vo) over little-endian words, finished by the mixer of splitmix64 (Steele et al. 2014).
class hasher {
 public:
  void add(std::uint64_t word) noexcept {
    for (int byte = 0; byte < 8; ++byte, word >>= 8) add_byte(static_cast<unsigned char>(word & 0xff));
  }
  void add(std::string_view text) noexcept {
    add(static_cast<std::uint64_t>(text.size()));
    for (char c : text) add_byte(static_cast<unsigned char>(c));
  }
  void add(double figure) noexcept {  // IEEE 754 bits; both zeros are one, and all NaNs
    static_assert(sizeof(double) == 8);
    constexpr std::uint64_t not_a_number = 0x7ff8000000000000;
    add(figure != figure ? not_a_number : std::bit_cast<std::uint64_t>(figure + 0.0));
  }
  std::uint64_t value() const noexcept {
    std::uint64_t mixed = hash_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

 private:
  void add_byte(unsigned char byte) noexcept { hash_ = (hash_ ^ byte) * 0x100000001b3; }
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace detail

/// 64 bits over, in this order: the version of this serialisation, the number of levels; per level its name, its units
/// (parents and the count of each where all are equal, else a mark and every count), bandwidth in bytes/s, latency in
/// seconds, whether it reduces in the network; then the rank at each position where they are not in order. Provenance
/// is left out: it does not change what is planned. O(levels) for uniform hierarchies in rank order.
inline std::uint64_t fingerprint(const hierarchy& tree) {
  constexpr std::uint64_t version = 1, uniform = 1, listed = 2, in_order = 3, placed = 4;
  detail::hasher hash;
  hash.add(version);
  hash.add(static_cast<std::uint64_t>(tree.depth()));
  for (const level& each : tree.levels()) {
    hash.add(std::string_view(each.name));
    const child_counts& units = each.units;
    hash.add(units.is_uniform() ? uniform : listed);
    hash.add(static_cast<std::uint64_t>(units.parents()));
    for (std::int64_t parent = 0; parent < (units.is_uniform() ? 1 : units.parents()); ++parent)
      hash.add(static_cast<std::uint64_t>(units.size(parent)));
    hash.add(each.up.rate.bytes_per_second);
    hash.add(each.up.latency.count());
    hash.add(static_cast<std::uint64_t>(each.reduces_in_network));
  }
  hash.add(tree.is_in_rank_order() ? in_order : placed);
  if (!tree.is_in_rank_order())
    for (std::int64_t position = 0; position < tree.size(); ++position)
      hash.add(static_cast<std::uint64_t>(tree.rank_at(position).value));
  return hash.value();
}

namespace detail {

/// 16 digits.
inline std::string hexadecimal(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t digit = text.size(); digit-- > 0; value >>= 4) text[digit] = "0123456789abcdef"[value & 0xf];
  return text;
}

}  // namespace detail

/// 16 hexadecimal digits.
inline std::string fingerprint_text(const hierarchy& tree) {
  return detail::hexadecimal(fingerprint(tree));
}

}  // namespace hawser::topology
