// CRC32C against RFC 3720's values, and both methods against a bit by bit definition.
#include <hawser/core/crc32c.hpp>

#include <iostream>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hawser {
namespace {

std::uint32_t bit_by_bit(std::span<const std::byte> data) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const std::byte each : data) {
    crc ^= std::to_integer<std::uint32_t>(each);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}

TEST(crc32c, gives_the_values_of_rfc_3720) {
  std::vector<std::byte> data(32);
  EXPECT_EQ(crc32c(data), 0x8a9136aau);
  for (std::byte& each : data) each = std::byte{0xff};
  EXPECT_EQ(crc32c(data), 0x62a8ab43u);
  for (std::size_t i = 0; i < 32; ++i) data[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(data), 0x46dd794eu);
  EXPECT_EQ(crc32c(std::as_bytes(std::span("123456789", 9))), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(crc32c, both_methods_agree_with_the_definition_in_one_call_or_in_pieces) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << ", method " << crc32c_method() << std::endl;
  std::mt19937_64 random(seed);
  std::vector<std::byte> data(40'000);
  for (std::byte& each : data) each = static_cast<std::byte>(random());
  for (int round = 0; round < 200; ++round) {
    const std::size_t begin = random() % 64;
    const std::size_t bytes = random() % (round % 2 == 0 ? 64 : data.size() - begin);
    const std::span<const std::byte> part = std::span(data).subspan(begin, bytes);
    const std::uint32_t expected = bit_by_bit(part);
    EXPECT_EQ(crc32c(part), expected) << bytes << " bytes at " << begin;
    EXPECT_EQ(detail::crc32c_by_tables(part, 0), expected) << bytes << " bytes at " << begin;
    const std::size_t cut = bytes == 0 ? 0 : random() % bytes;
    EXPECT_EQ(crc32c(part.subspan(cut), crc32c(part.first(cut))), expected) << bytes << " bytes cut at " << cut;
  }
}

}  // namespace
}  // namespace hawser
