// What the topology tests share: the message of an error, and random hierarchies from a printed seed.
#pragma once

#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// The error that a call throws; fails the test where it throws none.
template <typename Call>
error error_of(Call call) {
  try {
    call();
  } catch (const error& failure) {
    return failure;
  }
  ADD_FAILURE() << "no error was thrown";
  return error(errc::internal, "no error was thrown");
}

/// The seed of a randomised test: HAWSER_TEST_SEED or a new one, in any case printed with each failure.
inline unsigned test_seed() {
  const char* const given = std::getenv("HAWSER_TEST_SEED");
  return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
}

struct random_options {
  bool may_be_placed = false;
  bool may_reduce = false;
  std::int64_t least_units = 1;  ///< per parent
};

/// One to four levels, each uniform or ragged, with awkward figures.
inline hierarchy random_hierarchy(std::mt19937& random, random_options options = {}) {
  const auto number = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const auto figure = [&] { return std::uniform_real_distribution<double>(1e-7, 1)(random); };
  const std::vector<std::string> names{"pod", "rack", "node", "gpu"};
  const auto depth = static_cast<std::size_t>(number(1, 4));
  std::vector<level> levels;
  for (std::size_t d = names.size() - depth; d < names.size(); ++d) {
    const std::int64_t parents = levels.empty() ? 1 : levels.back().units.total();
    std::vector<std::int64_t> sizes;
    for (std::int64_t parent = 0; parent < parents; ++parent) sizes.push_back(number(options.least_units, 5));
    child_counts units = number(0, 1) ? child_counts::uniform(parents, sizes[0]) : child_counts::listed(sizes);
    levels.push_back({names[d], units, {bandwidth{figure() * 1e12}, seconds{figure() * 1e-4}, provenance::file}});
    levels.back().reduces_in_network = options.may_reduce && number(0, 1) == 1;
  }
  hierarchy tree(levels);
  if (!options.may_be_placed || number(0, 1) == 0) return tree;
  std::vector<rank> rank_at;
  for (std::int64_t p = 0; p < tree.size(); ++p) rank_at.emplace_back(static_cast<std::int32_t>(p));
  std::shuffle(rank_at.begin(), rank_at.end(), random);
  return hierarchy(std::move(levels), std::move(rank_at));
}

}  // namespace hawser::topology
