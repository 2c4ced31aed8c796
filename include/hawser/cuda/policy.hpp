// How kernels are launched, per architecture: data, in one table, each line with where its figures are from.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <hawser/cuda/device/vec16.hpp>

namespace hawser::cuda {

/// The algorithms of all-reduce inside an NVLink domain.
enum class all_reduce_algorithm : std::uint8_t { low_latency, one_shot, two_shot };

/// "low_latency", "one_shot" or "two_shot".
constexpr std::string_view to_string(all_reduce_algorithm algorithm) noexcept {
  switch (algorithm) {
    case all_reduce_algorithm::low_latency: return "low_latency";
    case all_reduce_algorithm::one_shot: return "one_shot";
    case all_reduce_algorithm::two_shot: return "two_shot";
  }
  return "unknown";
}

/// One architecture's figures. Unroll and vector width are compiled in, the others are chosen at each launch.
struct launch_policy {
  std::int32_t architecture = 0;       ///< 10 * major + minor: 90 is sm_90
  std::int32_t threads = 512;          ///< per CTA
  std::int32_t ctas = 32;              ///< per rank, at most; the caller's SM budget may lower it
  std::int32_t local_ctas_per_sm = 1;  ///< of the local reduction
  std::int32_t unroll = device::unroll_of<float>();
  std::int32_t byte_unroll = device::unroll_of<std::uint8_t>();  ///< of types of 1 byte
  std::int32_t vector_bytes = static_cast<std::int32_t>(device::vector_bytes);
  std::uint64_t low_latency_up_to = 0;  ///< bytes of a rank's input
  std::uint64_t one_shot_up_to = 0;     ///< bytes; two-shot above
  std::string_view provenance;

  friend bool operator==(const launch_policy&, const launch_policy&) = default;
};

/// Built in, none measured yet: start values for NVLink, one CTA of 512 threads per SM for types of 8 and 16 bits (more
/// would spill), the threshold between one-shot and two-shot at about 256 KiB. docs/gpu.md says what has been measured.
inline constexpr std::array<launch_policy, 3> built_in_policies{{
    {.architecture = 80,
     .ctas = 24,
     .low_latency_up_to = 32 << 10,
     .one_shot_up_to = 256 << 10,
     .provenance = "assumed: not measured, compiled only"},
    {.architecture = 90,
     .ctas = 32,
     .low_latency_up_to = 64 << 10,
     .one_shot_up_to = 256 << 10,
     .provenance = "assumed: not measured, compiled only"},
    {.architecture = 100,
     .ctas = 32,
     .low_latency_up_to = 64 << 10,
     .one_shot_up_to = 256 << 10,
     .provenance = "assumed: not measured, compiled only"},
}};

/// The line of the newest architecture that is not newer than this one; the first where all are newer.
constexpr launch_policy policy_for(std::int32_t architecture,
                                   std::span<const launch_policy> table = built_in_policies) {
  launch_policy best = table.front();
  for (const launch_policy& each : table)
    if (each.architecture <= architecture && each.architecture >= best.architecture) best = each;
  return best;
}

/// The algorithm for an input of so many bytes per rank, whose elements have `element_bytes` each. All ranks of a group
/// must use one policy. Low latency needs elements that fill 8 bytes.
constexpr all_reduce_algorithm choose(const launch_policy& policy, std::uint64_t bytes, std::uint64_t element_bytes) {
  if (bytes <= policy.low_latency_up_to && 8 % element_bytes == 0) return all_reduce_algorithm::low_latency;
  return bytes <= policy.one_shot_up_to ? all_reduce_algorithm::one_shot : all_reduce_algorithm::two_shot;
}

/// The table as text, a line per architecture under a line of titles.
inline std::string to_text(std::span<const launch_policy> table) {
  std::string text =
      "arch   threads  ctas/rank  ctas/SM local  unroll  unroll 1 B  vector  low latency  one-shot to  provenance\n";
  const auto column = [&text](std::string value, std::size_t width) {
    value.resize(value.size() < width ? width : value.size() + 1, ' ');
    text += value;
  };
  for (const launch_policy& each : table) {
    column("sm_" + std::to_string(each.architecture), 7);
    column(std::to_string(each.threads), 9);
    column(std::to_string(each.ctas), 11);
    column(std::to_string(each.local_ctas_per_sm), 15);
    column(std::to_string(each.unroll), 8);
    column(std::to_string(each.byte_unroll), 12);
    column(std::to_string(each.vector_bytes) + " B", 8);
    column(std::to_string(each.low_latency_up_to >> 10) + " KiB", 13);
    column(std::to_string(each.one_shot_up_to >> 10) + " KiB", 13);
    text.append(each.provenance).append("\n");
  }
  return text;
}

}  // namespace hawser::cuda
