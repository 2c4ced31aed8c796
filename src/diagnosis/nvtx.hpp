// NVTX ranges, which Nsight Systems shows beside kernels; nothing where hawser was built without NVTX's headers.
#pragma once

#include <cstdint>

namespace hawser::diagnosis {

/// A range of the domain "hawser" begins; `bytes` is its payload. Returns what `end_range` is to be given, on whatever
/// thread. Where no tool is attached it costs a few instructions.
std::uint64_t begin_range(const char* name, std::uint64_t bytes) noexcept;
void end_range(std::uint64_t range) noexcept;

}  // namespace hawser::diagnosis
