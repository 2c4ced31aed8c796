// Exact non-negative fractions: the coordinates of chunks. No common grid is needed, whatever the group sizes.
#pragma once

#include <compare>
#include <cstdint>
#include <numeric>
#include <string>

#include <hawser/core/error.hpp>

namespace hawser::schedule {

__extension__ using uint128 = unsigned __int128;

/// num / den in lowest terms. Arithmetic is exact; a result that does not fit 64 bits throws errc::unsupported.
class fraction {
 public:
  constexpr fraction() = default;
  constexpr fraction(std::int64_t whole) : num_(static_cast<std::uint64_t>(whole)) {}
  constexpr fraction(std::uint64_t num, std::uint64_t den) : num_(num), den_(den) { reduce(); }

  constexpr std::uint64_t num() const noexcept { return num_; }
  constexpr std::uint64_t den() const noexcept { return den_; }
  constexpr bool is_whole() const noexcept { return den_ == 1; }
  constexpr std::int64_t floor() const noexcept { return static_cast<std::int64_t>(num_ / den_); }
  constexpr std::int64_t ceil() const noexcept { return static_cast<std::int64_t>(num_ / den_ + (num_ % den_ != 0)); }
  /// The part after the whole number.
  constexpr fraction fractional() const noexcept {
    fraction part;
    part.num_ = num_ % den_;
    part.den_ = part.num_ == 0 ? 1 : den_;
    return part;
  }
  /// floor(count * this), in 128 bits.
  constexpr std::int64_t of(std::int64_t count) const noexcept {
    return static_cast<std::int64_t>(static_cast<uint128>(static_cast<std::uint64_t>(count)) * num_ / den_);
  }

  friend constexpr fraction operator+(const fraction& a, const fraction& b) {
    if (a.den_ == 1 && b.den_ == 1) return lowest(a.num_ + b.num_, 1);
    return make(uint128{a.num_} * b.den_ + uint128{b.num_} * a.den_, uint128{a.den_} * b.den_);
  }
  /// Needs a >= b.
  friend constexpr fraction operator-(const fraction& a, const fraction& b) {
    if (a.den_ == 1 && b.den_ == 1) return lowest(a.num_ - b.num_, 1);
    return make(uint128{a.num_} * b.den_ - uint128{b.num_} * a.den_, uint128{a.den_} * b.den_);
  }
  friend constexpr fraction operator*(const fraction& a, const fraction& b) {
    return make(uint128{a.num_} * b.num_, uint128{a.den_} * b.den_);
  }

  friend constexpr bool operator==(const fraction&, const fraction&) = default;
  friend constexpr std::strong_ordering operator<=>(const fraction& a, const fraction& b) noexcept {
    if (a.den_ == b.den_) return a.num_ <=> b.num_;
    return uint128{a.num_} * b.den_ <=> uint128{b.num_} * a.den_;
  }

 private:
  static constexpr fraction lowest(std::uint64_t num, std::uint64_t den) {
    fraction result;
    result.num_ = num;
    result.den_ = den;
    return result;
  }
  static constexpr fraction make(uint128 num, uint128 den) {
    if (num <= UINT64_MAX && den <= UINT64_MAX)
      return {static_cast<std::uint64_t>(num), static_cast<std::uint64_t>(den)};
    uint128 a = num, b = den;
    while (b != 0) {
      const uint128 rest = a % b;
      a = b;
      b = rest;
    }
    if (num / a > INT64_MAX || den / a > INT64_MAX)
      fail(errc::unsupported, "a chunk boundary of this hierarchy does not fit 64 bits",
           "too many levels with groups of unrelated sizes");
    return lowest(static_cast<std::uint64_t>(num / a), static_cast<std::uint64_t>(den / a));
  }
  constexpr void reduce() {
    if (den_ == 1) return;
    const std::uint64_t divisor = std::gcd(num_, den_);
    num_ /= divisor;
    den_ /= divisor;
  }

  std::uint64_t num_ = 0;
  std::uint64_t den_ = 1;
};

/// "3" or "1/2".
inline std::string to_string(const fraction& value) {
  return value.is_whole() ? std::to_string(value.num())
                          : std::to_string(value.num()) + "/" + std::to_string(value.den());
}

}  // namespace hawser::schedule
