// CRC32C (Castagnoli; RFC 3720), by the SSE4.2 instruction where the processor has it, else by tables. hawser::runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hawser {

/// Continues a checksum: `crc32c(b, crc32c(a))` is that of a followed by b; 0 begins. One call takes about 0.1 ns per
/// byte with the instruction (three streams at a time), 1 without.
std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t so_far = 0) noexcept;

/// "sse4.2" or "tables": what this processor uses.
std::string_view crc32c_method() noexcept;

namespace detail {
/// The fallback, for tests on processors that do not need it.
std::uint32_t crc32c_by_tables(std::span<const std::byte> data, std::uint32_t so_far) noexcept;
}  // namespace detail

}  // namespace hawser
