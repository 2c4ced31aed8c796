// What the tests of file sources share: fixtures, questions to a graph, and mutations of a text.
#pragma once

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/graph.hpp>

#include "support/truth.hpp"

namespace hawser::testing {

inline std::filesystem::path fixtures_of(std::string_view kind) {
  return std::filesystem::path(HAWSER_TEST_DATA) / "data" / kind;
}
inline std::string fixture(std::string_view kind, std::string_view name) {
  const std::filesystem::path file = fixtures_of(kind) / name;
  EXPECT_TRUE(std::filesystem::exists(file)) << file;
  return text_of(file);
}

inline std::size_t count_of(const topology::graph& machine, topology::node_kind kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(machine.nodes(), [&](const topology::node& each) { return each.kind == kind; }));
}

inline topology::node_index node_named(const topology::graph& machine, std::string_view name) {
  const auto found = std::ranges::find_if(machine.nodes(), [&](const auto& each) { return each.name == name; });
  if (found == machine.nodes().end()) {
    ADD_FAILURE() << "no node is named " << name;
    return 0;
  }
  return static_cast<topology::node_index>(found - machine.nodes().begin());
}

inline std::string attribute_of(const topology::graph& machine, std::string_view name, const std::string& key) {
  const auto& attributes = machine.nodes()[node_named(machine, name)].attributes;
  const auto found = attributes.find(key);
  return found == attributes.end() ? "" : found->second;
}

inline std::size_t links_between(const topology::graph& machine, topology::edge_kind kind, topology::node_kind a,
                                 topology::node_kind b) {
  return static_cast<std::size_t>(std::ranges::count_if(machine.edges(), [&](const topology::edge& each) {
    const auto first = machine.nodes()[each.a].kind, second = machine.nodes()[each.b].kind;
    return each.kind == kind && ((first == a && second == b) || (first == b && second == a));
  }));
}

inline bool has_finding(const topology::graph& machine, std::string_view code) {
  return std::ranges::any_of(machine.findings(), [&](const auto& each) { return each.code == code; });
}

/// Derives one rank per GPU; throws where the graph is no hierarchy.
inline topology::derived derive_all(const topology::graph& machine) {
  return topology::derive(machine);
}

/// A few random changes: bytes, cuts, lines twice or away.
inline std::string mutated(std::string text, std::mt19937& random) {
  const auto below = [&](std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random); };
  for (std::size_t change = 1 + below(4); change > 0 && !text.empty(); --change) {
    const std::size_t at = below(text.size());
    const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    switch (below(5)) {
      case 0: text[at] = static_cast<char>(below(256)); break;
      case 1: text.resize(at); break;
      case 2: text.insert(line, text.substr(line, end - line)); break;
      case 3: text.erase(line, end - line); break;
      default: text.insert(at, std::string(1 + below(3), text[at])); break;
    }
  }
  return text;
}

/// Every fixture of a kind, changed `times` times, ends in a graph or in an error that a user can act on.
inline void expect_survives(const discovery::file_source& source, int times, unsigned seed) {
  std::mt19937 random(seed);
  for (const auto& entry : std::filesystem::directory_iterator(fixtures_of(source.kind))) {
    const std::string original = text_of(entry.path());
    for (int time = 0; time < times; ++time) {
      const std::string text = mutated(original, random);
      const discovery::document file{text, "mutated"};
      try {
        (void)source.recognises(file);
        (void)discovery::read(source, file, {"n1"});
      } catch (const error& failure) {
        EXPECT_TRUE(failure.code() == errc::parse || failure.code() == errc::unsupported)
            << failure.what() << "; seed " << seed << ", " << entry.path() << ":\n"
            << text;
      }
    }
  }
}

}  // namespace hawser::testing
