// See kernel_gate.hpp.
#include "kernel_gate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace hawser::executor {
namespace {

/// Elements of each try: several of the widest vectors, and a tail of every type.
constexpr std::size_t count = 4 * 64 + 5;
constexpr double factor = 0.75;

using buffer = std::array<unsigned char, count * 8>;

/// Bytes that are finite numbers of both signs in every floating type: the exponent's highest bit is never set.
buffer made_of(std::uint64_t seed) {
  buffer made;
  for (unsigned char& each : made) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    each = static_cast<unsigned char>(seed >> 56) & 0xBF;
  }
  return made;
}

/// Whether both give the same; `run` calls a kernel with an output. A kernel that one of them lacks is a difference.
template <class Function, class Run>
bool agree(Function tested, Function trusted, const Run& run) {
  if (!tested || !trusted) return !tested && !trusted;
  buffer seen{}, expected{};
  run(tested, seen.data());
  run(trusted, expected.data());
  return seen == expected;
}

}  // namespace

std::string find_difference(const kernel_table& tested, const kernel_table& trusted) {
  const buffer left = made_of(1), right = made_of(2);
  const auto convert = [&](auto* kernel, void* out) { kernel(out, left.data(), count); };
  const auto scale = [&](auto* kernel, void* out) { kernel(out, left.data(), count, factor); };
  const auto reduce = [&](auto* kernel, void* out) { kernel(nullptr, out, left.data(), right.data(), count); };
  for (std::size_t t = 0; t < builtin_data_types; ++t) {
    const std::string type(to_string(static_cast<data_type>(t)));
    for (std::size_t k = 0; k < builtin_reduce_kinds; ++k)
      if (!agree(tested.reduce[t][k], trusted.reduce[t][k], reduce))
        return std::string(to_string(static_cast<reduce_kind>(k))) + " of " + type;
    if (!agree(tested.to_float32[t], trusted.to_float32[t], convert)) return type + " to float32";
    if (!agree(tested.from_float32[t], trusted.from_float32[t], convert)) return "float32 to " + type;
    if (!agree(tested.multiply[t], trusted.multiply[t], scale)) return "multiplication of " + type;
    if (!agree(tested.divide[t], trusted.divide[t], scale)) return "division of " + type;
  }
  return {};
}

}  // namespace hawser::executor
