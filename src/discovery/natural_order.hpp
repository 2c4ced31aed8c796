// The order in which people number things: "GPU2" before "GPU10".
#pragma once

#include <cctype>
#include <string_view>

namespace hawser::discovery {

namespace detail {

// Cuts the number at the front off, without leading zeros.
inline std::string_view take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace detail

/// Compares runs of digits as numbers of any length, everything else as text. A strict weak order that is total.
inline bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    const bool is_number = std::isdigit(static_cast<unsigned char>(a.front())) != 0 &&
                           std::isdigit(static_cast<unsigned char>(b.front())) != 0;
    if (is_number) {
      const std::string_view left = detail::take_number(a), right = detail::take_number(b);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1), b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;
}

}  // namespace hawser::discovery
