// The seed of what a test program does at random.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace hawser::test {

/// HAWSER_TEST_SEED, or a new one: the same for the whole run, printed when it is first asked for.
inline std::uint64_t seed_of_run() {
  static const std::uint64_t seed = [] {
    const char* const told = std::getenv("HAWSER_TEST_SEED");
    const std::uint64_t chosen = told != nullptr ? std::strtoull(told, nullptr, 10) : std::random_device{}();
    std::cout << "HAWSER_TEST_SEED=" << chosen << std::endl;
    return chosen;
  }();
  return seed;
}

}  // namespace hawser::test
