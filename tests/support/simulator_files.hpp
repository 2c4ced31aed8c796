// What the tests of the simulators' files share: fixtures, counts of a graph, and random damage to a file.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/source.hpp>

#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::testing {

inline std::filesystem::path fixture_folder(std::string_view kind) {
  return std::filesystem::path(HAWSER_TEST_DATA) / "data" / kind;
}

inline topology::graph read_text_as(std::string_view kind, const std::string& text, const std::string& name) {
  return discovery::read(discovery::file_source_of(kind), {text, name});
}
inline topology::graph read_fixture(std::string_view kind, const std::string& name) {
  return read_text_as(kind, text_of(fixture_folder(kind) / name), name);
}
/// The message of the parse error that a fixture ends in.
inline std::string error_of_fixture(std::string_view kind, const std::string& name) {
  const error failure = topology::error_of([&] { read_fixture(kind, name); });
  EXPECT_EQ(failure.code(), errc::parse) << name;
  return failure.what();
}

inline std::map<std::string, int> kinds_of(const topology::graph& machine) {
  std::map<std::string, int> counts;
  for (const topology::node& each : machine.nodes()) ++counts[std::string(to_string(each.kind))];
  return counts;
}
inline std::vector<std::string> codes_of(const topology::graph& machine) {
  std::vector<std::string> codes;
  for (const topology::finding& each : machine.findings()) codes.push_back(each.code);
  return codes;
}
inline topology::node_index node_named(const topology::graph& machine, const std::string& name) {
  const auto found = std::ranges::find(machine.nodes(), name, &topology::node::name);
  EXPECT_NE(found, machine.nodes().end()) << name;
  return static_cast<topology::node_index>(found - machine.nodes().begin());
}

/// Every fixture of a kind, damaged in random ways, gives a graph or an error of the file.
inline void survives_damage(std::string_view kind, int rounds) {
  const unsigned seed = topology::test_seed();
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  int graphs = 0, errors = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fixture_folder(kind)))
    for (int round = 0; round < rounds; ++round) {
      std::string text = text_of(entry.path());
      for (std::size_t changes = round == 0 ? 0 : 1 + below(4); changes > 0 && !text.empty(); --changes) {
        const std::size_t at = below(text.size());
        switch (below(4)) {
          case 0: text[at] = static_cast<char>(below(256)); break;
          case 1: text.resize(at); break;
          case 2: text.erase(at, 1 + below(20)); break;
          default: text.insert(at, text.substr(below(text.size()), 1 + below(80)));
        }
      }
      try {
        read_text_as(kind, text, "damaged");
        ++graphs;
      } catch (const error& failure) {
        ++errors;
        EXPECT_TRUE(failure.code() == errc::parse || failure.code() == errc::unsupported)
            << failure.what() << "\nseed " << seed << ", " << entry.path() << "\n"
            << text;
      }
    }
  EXPECT_GT(graphs, 0);
  EXPECT_GT(errors, 0);
}

}  // namespace hawser::testing
