// YAML through yaml-cpp's events, which keep no document: size, depth and number of values are bounded while it is
// read.
#pragma once

#include <vector>

#include "value_tree.hpp"

namespace hawser::discovery {

/// The documents of a file of at most `max_yaml_bytes`, with aliases replaced by what they stand for, which counts like
/// what is written out. Throws errc::parse with line and reason, also for what is deeper than `max_depth`, has more
/// than `max_values` values, or contains itself.
std::vector<value> parse_yaml(const document& file);

}  // namespace hawser::discovery
