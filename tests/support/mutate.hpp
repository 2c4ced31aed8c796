// Small random damage to a text, as transmission, editors and cut logs do it, and what a source must make of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>

#include "support/truth.hpp"

namespace hawser::testing {

inline std::filesystem::path fixtures_of(std::string_view kind) {
  return std::filesystem::path(HAWSER_TEST_DATA) / "data" / kind;
}

/// One to four of: a byte changed or repeated, the end cut off, a piece cut out or doubled, a line away or twice.
inline std::string mutated(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  for (std::size_t times = 1 + below(4); times > 0 && !text.empty(); --times) {
    const std::size_t at = below(text.size());
    const std::size_t length = 1 + below(std::min<std::size_t>(60, text.size() - at));
    const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    switch (below(7)) {
      case 0: text[at] = static_cast<char>(below(256)); break;
      case 1: text.resize(at); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, text.substr(below(text.size()), length)); break;
      case 4: text.insert(line, text.substr(line, end - line)); break;
      case 5: text.erase(line, end - line); break;
      default: text.insert(at, std::string(1 + below(3), text[at])); break;
    }
  }
  return text;
}

/// Every fixture of a kind, changed `times` times, ends in a graph or in an error that a user can act on. Returns how
/// many were refused.
inline int expect_survives(const discovery::file_source& source, int times, unsigned seed) {
  std::mt19937 random(seed);
  int files = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fixtures_of(source.kind))) {
    const std::string original = text_of(entry.path());
    ++files;
    for (int time = 0; time < times; ++time) {
      const std::string text = mutated(original, random);
      const discovery::document file{text, "mutated"};
      try {
        (void)source.recognises(file);
        const topology::graph machine = discovery::read(source, file, {"n1"});
        EXPECT_LT(machine.nodes().size(), 2'000'000u);
      } catch (const error& failure) {
        ++refused;
        EXPECT_TRUE(failure.code() == errc::parse || failure.code() == errc::unsupported)
            << failure.what() << "; seed " << seed << ", " << entry.path() << ":\n"
            << text;
      }
    }
  }
  EXPECT_GT(files, 0) << source.kind;
  return refused;
}

}  // namespace hawser::testing
