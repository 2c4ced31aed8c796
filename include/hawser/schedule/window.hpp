// How many segments of one call a rank works on at a time: what the engine does, the simulator replays and the cost
// model charges for.
#pragma once

#include <cstdint>

namespace hawser::schedule {

/// Segments in flight where a plan says nothing else: a starting value, three to transfer while one waits. Scratch
/// memory grows with it.
inline constexpr std::int64_t default_window = 4;

/// Along packed trees, each of which carries a part of a segment over many links in a row: with so many in flight they
/// come near the bound of their packing (docs/simulator.md).
inline constexpr std::int64_t packed_window = 16;

}  // namespace hawser::schedule
