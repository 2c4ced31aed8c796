// SHA-256 and HMAC.
#include <hawser/core/hmac.hpp>

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <hawser/core/error.hpp>

namespace hawser {
namespace {

constexpr std::size_t block_bytes = 64;

// FIPS 180-4, section 4.2.2: fractional parts of the cube roots of the first 64 primes.
constexpr std::uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load_big_endian(const std::byte* from) noexcept {
  return std::to_integer<std::uint32_t>(from[0]) << 24 | std::to_integer<std::uint32_t>(from[1]) << 16 |
         std::to_integer<std::uint32_t>(from[2]) << 8 | std::to_integer<std::uint32_t>(from[3]);
}

void store_big_endian(std::uint64_t value, std::byte* to, int width) noexcept {
  for (int i = 0; i < width; ++i) to[i] = static_cast<std::byte>(value >> (8 * (width - 1 - i)));
}

}  // namespace

// FIPS 180-4, section 5.3.3: fractional parts of the square roots of the first 8 primes.
sha256::sha256() noexcept
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void sha256::compress(const std::byte* block) noexcept {
  std::uint32_t w[64];
  for (int i = 0; i < 16; ++i) w[i] = load_big_endian(block + 4 * i);
  for (int i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (int i = 0; i < 64; ++i) {
    const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
    const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::uint32_t added[8] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += added[i];
}

sha256& sha256::update(std::span<const std::byte> data) noexcept {
  while (!data.empty()) {
    const std::size_t filled = length_ % block_bytes;
    const std::size_t taken = std::min(data.size(), block_bytes - filled);
    std::memcpy(pending_.data() + filled, data.data(), taken);
    length_ += taken;
    data = data.subspan(taken);
    if (length_ % block_bytes == 0) compress(pending_.data());
  }
  return *this;
}

digest sha256::finish() noexcept {
  const std::uint64_t bits = length_ * 8;
  const std::size_t filled = length_ % block_bytes;
  // One bit, zeros up to 8 bytes before the end of a block, the length in bits.
  std::array<std::byte, block_bytes> padding{std::byte{0x80}};
  update(std::span(padding).first(1 + (2 * block_bytes - 9 - filled) % block_bytes));
  std::array<std::byte, 8> length;
  store_big_endian(bits, length.data(), 8);
  update(length);
  digest out;
  for (std::size_t i = 0; i < 8; ++i) store_big_endian(state_[i], out.data() + 4 * i, 4);
  return out;
}

digest hmac_sha256(std::span<const std::byte> key, std::span<const std::span<const std::byte>> parts) noexcept {
  std::array<std::byte, block_bytes> inner_pad{};
  if (key.size() > block_bytes) {
    const digest hashed = sha256().update(key).finish();
    std::copy(hashed.begin(), hashed.end(), inner_pad.begin());
  } else {
    std::copy(key.begin(), key.end(), inner_pad.begin());
  }
  std::array<std::byte, block_bytes> outer_pad = inner_pad;
  for (std::byte& each : inner_pad) each ^= std::byte{0x36};
  for (std::byte& each : outer_pad) each ^= std::byte{0x5c};
  sha256 inner;
  inner.update(inner_pad);
  for (const auto& part : parts) inner.update(part);
  const digest hashed = inner.finish();
  return sha256().update(outer_pad).update(hashed).finish();
}

digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) noexcept {
  return hmac_sha256(key, std::span(&message, 1));
}

bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) noexcept {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;  // volatile: the compiler must not stop at the first difference
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | std::to_integer<unsigned char>(a[i] ^ b[i]));
  return difference == 0;
}

void fill_random(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error raised(errc::io, describe("cannot get random bytes", std::generic_category().message(errno)));
      throw raised.with_native_code(errno);
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace hawser
