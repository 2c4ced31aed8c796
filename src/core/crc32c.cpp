// See crc32c.hpp. Three streams hide the instruction's latency; what they find is joined by M. Adler's shift tables.
#include <hawser/core/crc32c.hpp>

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hawser {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78;  // reflected

/// table[k][b]: the effect of byte b with k zero bytes behind it.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
    made[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      made[k][byte] = made[k - 1][byte] >> 8 ^ made[0][made[k - 1][byte] & 255];
  return made;
}

constexpr auto tables = make_tables();

std::uint64_t load(const std::byte* from) noexcept {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

#if defined(__x86_64__)

constexpr std::size_t long_stream = 2048;  // three of them fit the first-level cache
constexpr std::size_t short_stream = 256;

using shift_tables = std::array<std::array<std::uint32_t, 256>, 4>;

/// What so many zero bytes do to a checksum, one table per byte of it.
shift_tables make_shift(std::size_t zeros) noexcept {
  shift_tables made{};
  for (std::size_t k = 0; k < 4; ++k)
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      std::uint32_t crc = byte << (8 * k);
      for (std::size_t i = 0; i < zeros; ++i) crc = crc >> 8 ^ tables[0][crc & 255];
      made[k][byte] = crc;
    }
  return made;
}

/// Takes three streams of so many bytes at a time off the front of the data.
template <std::size_t Stream>
__attribute__((target("sse4.2"))) std::uint64_t in_streams(std::span<const std::byte>& data,
                                                           std::uint64_t crc) noexcept {
  static const shift_tables shift = make_shift(Stream);
  const auto shifted = [](std::uint64_t sum) {
    return shift[0][sum & 255] ^ shift[1][sum >> 8 & 255] ^ shift[2][sum >> 16 & 255] ^ shift[3][sum >> 24 & 255];
  };
  for (; data.size() >= 3 * Stream; data = data.subspan(3 * Stream)) {
    const std::byte* const at = data.data();
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < Stream; i += 8) {
      crc = _mm_crc32_u64(crc, load(at + i));
      second = _mm_crc32_u64(second, load(at + Stream + i));
      third = _mm_crc32_u64(third, load(at + 2 * Stream + i));
    }
    crc = shifted(shifted(crc) ^ second) ^ third;
  }
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(std::span<const std::byte> data,
                                                               std::uint32_t so_far) noexcept {
  std::uint64_t crc = ~so_far;
  crc = in_streams<long_stream>(data, crc);
  crc = in_streams<short_stream>(data, crc);
  for (; data.size() >= 8; data = data.subspan(8)) crc = _mm_crc32_u64(crc, load(data.data()));
  for (const std::byte each : data)
    crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), std::to_integer<unsigned char>(each));
  return ~static_cast<std::uint32_t>(crc);
}

#endif

/// Trusted only after it has given the check value of RFC 3720 and what the tables give over the joined streams.
bool instruction_is_right() noexcept {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("sse4.2")) return false;
  std::array<std::byte, 3 * (long_stream + short_stream) + 13> sample{};
  for (std::size_t i = 0; i < sample.size(); ++i) sample[i] = static_cast<std::byte>(i * 37 + i / 256);
  return by_instruction(sample, 0) == detail::crc32c_by_tables(sample, 0);
#else
  return false;
#endif
}

bool has_instruction() noexcept {
  static const bool has = instruction_is_right();
  return has;
}

}  // namespace

std::uint32_t detail::crc32c_by_tables(std::span<const std::byte> data, std::uint32_t so_far) noexcept {
  std::uint32_t crc = ~so_far;
  const std::byte* at = data.data();
  std::size_t left = data.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;  // little-endian whatever the machine is
    for (std::size_t i = 0; i < 8; ++i) word |= std::to_integer<std::uint64_t>(at[i]) << (8 * i);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= tables[7 - i][word >> (8 * i) & 255];
  }
  for (; left > 0; --left) crc = crc >> 8 ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(*at++)) & 255];
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t so_far) noexcept {
#if defined(__x86_64__)
  if (has_instruction()) return by_instruction(data, so_far);
#endif
  return detail::crc32c_by_tables(data, so_far);
}

std::string_view crc32c_method() noexcept {
  return has_instruction() ? "sse4.2" : "tables";
}

}  // namespace hawser
