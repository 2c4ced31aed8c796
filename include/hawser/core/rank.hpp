// A participant's number in a communicator.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace hawser {

/// A participant's number in a communicator, 0 .. size - 1, as in MPI and NCCL. It converts from an integer, so that
/// `broadcast(data, 0)` reads naturally, but not back to one, so that two ranks are never added.
struct rank {
  std::int32_t value = 0;

  constexpr rank() = default;
  constexpr rank(std::int32_t number) : value(number) {}

  friend constexpr auto operator<=>(const rank&, const rank&) = default;
};

/// The number in decimal.
inline std::string to_string(rank r) {
  return std::to_string(r.value);
}

}  // namespace hawser
