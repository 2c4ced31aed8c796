// Slurm's host lists: "n[1-3,07-12]x[0-1],login" stands for names, and names are written as short as that.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/generated_parts.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_listed_names =
    generated_parts(500'000);                      ///< per file: three times the largest machine's hosts
inline constexpr std::size_t max_host_name = 255;  ///< characters, as in DNS

/// What a list stands for, or why it is malformed.
struct expanded_list {
  std::vector<std::string> names;  ///< in the order of the list, repeated ones too
  std::string problem;             ///< empty: none
  bool lost_prefix = false;        ///< "n1,[2-3]": a range alone after a name with letters, so a prefix was lost
};

/// Expands a list as Slurm does: items are separated by commas or blanks; each bracket holds numbers and ranges, whose
/// first number says the width; several brackets are a product, the last one fastest. Slurm knows no steps. The names
/// count against `budget`; a list that stands for more is refused before it takes memory.
expanded_list expand_hosts(std::string_view list, std::size_t& budget);

/// A short form for messages: neighbours that differ in their last number share a bracket, "n[01-04,09],login".
std::string compact_hosts(std::span<const std::string> names);

}  // namespace hawser::discovery
