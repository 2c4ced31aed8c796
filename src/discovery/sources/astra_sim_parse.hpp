// What ASTRA-sim's network YAML says: one dimension of links after the other, the innermost first.
#pragma once

#include <vector>

#include "../text.hpp"

namespace hawser::discovery::astra_sim_format {

enum class shape { ring, switched, fully_connected };

struct dimension {
  shape form = shape::ring;
  int npus = 0;
  double gigabytes_per_second = 0;  // of each link, per direction
  double nanoseconds = 0;           // of each link
};

/// Throws errc::parse with line and reason.
std::vector<dimension> parse(const document& file);

}  // namespace hawser::discovery::astra_sim_format
