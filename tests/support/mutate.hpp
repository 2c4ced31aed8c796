// Small random damage to a text: what transmission, editors and cut logs do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

namespace hawser::testing {

/// One to three of: a byte changed, a piece cut out, the end cut off, a piece doubled.
inline std::string mutated(std::string text, std::mt19937& random) {
  const auto number = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random); };
  for (std::size_t times = 1 + number(2); times > 0 && !text.empty(); --times) {
    const std::size_t at = number(text.size() - 1);
    const std::size_t length = 1 + number(std::min<std::size_t>(60, text.size() - at) - 1);
    switch (number(3)) {
      case 0: text[at] = static_cast<char>(number(255)); break;
      case 1: text.erase(at, length); break;
      case 2: text.resize(at); break;
      default: text.insert(at, text.substr(at, length)); break;
    }
  }
  return text;
}

}  // namespace hawser::testing
