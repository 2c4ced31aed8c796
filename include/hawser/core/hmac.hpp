// SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104), random bytes and comparison in constant time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hawser {

using digest = std::array<std::byte, 32>;

/// SHA-256 of what was given to `update` so far.
class sha256 {
 public:
  sha256() noexcept;
  /// Appends to the message; any number of calls, any sizes.
  sha256& update(std::span<const std::byte> data) noexcept;
  /// Ends the message; the object must not be used afterwards.
  digest finish() noexcept;

 private:
  void compress(const std::byte* block) noexcept;

  std::array<std::uint32_t, 8> state_;
  std::array<std::byte, 64> pending_{};
  std::uint64_t length_ = 0;  // bytes
};

/// The characters of a text, where they lie.
inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// HMAC-SHA-256 of the concatenation of `parts`.
digest hmac_sha256(std::span<const std::byte> key, std::span<const std::span<const std::byte>> parts) noexcept;
digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) noexcept;

/// Takes the same time wherever the two differ; different lengths are unequal.
bool equal_in_constant_time(std::span<const std::byte> a, std::span<const std::byte> b) noexcept;

/// Fills with bytes of the system's random generator. Throws errc::io.
void fill_random(std::span<std::byte> out);

}  // namespace hawser
