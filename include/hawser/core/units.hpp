// Quantities with units: bytes, bandwidth, seconds; reading and writing them. GB = 10^9 bytes, GiB = 2^30 bytes.
#pragma once

#include <charconv>
#include <chrono>
#include <cmath>
#include <compare>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <hawser/core/error.hpp>

namespace hawser {

using seconds = std::chrono::duration<double>;

/// A number of bytes.
struct bytes {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const bytes&, const bytes&) = default;
  friend constexpr bytes operator+(bytes a, bytes b) { return {a.value + b.value}; }
};

/// Bytes per second, one direction.
struct bandwidth {
  double bytes_per_second = 0;
  friend constexpr auto operator<=>(const bandwidth&, const bandwidth&) = default;
};

constexpr seconds operator/(bytes amount, bandwidth rate) {
  return seconds{static_cast<double>(amount.value) / rate.bytes_per_second};
}

namespace detail {

struct unit_factor {
  std::string_view suffix;
  double factor;
};

inline constexpr unit_factor byte_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1e3},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"TB", 1e12},
    {"KiB", 1024.0},
    {"MiB", 1048576.0},
    {"GiB", 1073741824.0},
    {"K", 1024.0},
    {"M", 1048576.0},
    {"G", 1073741824.0},
    {"TiB", 1099511627776.0},
};
inline constexpr unit_factor second_units[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}};

/// Splits "12.5GB" into number and unit and multiplies; throws errc::parse that quotes the text.
template <std::size_t N>
double parse_quantity(std::string_view text, const unit_factor (&units)[N], std::string_view what,
                      std::string_view example) {
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string quoted = "cannot read \"" + std::string(text) + "\" as a " + std::string(what);
  if (status != std::errc{} || text.empty())
    fail(errc::parse, quoted, "no number", "write it like " + std::string(example));
  if (!std::isfinite(number) || number < 0)
    fail(errc::parse, quoted, "the number must be finite and not negative", "write it like " + std::string(example));
  const std::string_view suffix(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const unit_factor& unit : units)
    if (unit.suffix == suffix) return number * unit.factor;
  fail(errc::parse, quoted, "unknown unit \"" + std::string(suffix) + "\"", "write it like " + std::string(example));
}

inline std::string format_scaled(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, value < 10 ? "%.3g%s" : value < 1000 ? "%.4g%s" : "%.0f%s", value, unit);
  return text;
}

}  // namespace detail

/// Reads "64MiB", "1.5GB", "4096". Throws errc::parse.
inline bytes parse_bytes(std::string_view text) {
  const double value = detail::parse_quantity(text, detail::byte_units, "size", "64MiB, 1.5GB or 4096");
  if (value >= 9.2e18)
    fail(errc::parse, "the size \"" + std::string(text) + "\" is too large", "the limit is 2^63 bytes");
  if (value != std::floor(value))
    fail(errc::parse, "the size \"" + std::string(text) + "\" is not a whole number of bytes", {},
         "write it like 64MiB, 1.5GB or 4096");
  return {static_cast<std::uint64_t>(value)};
}

/// Reads "50GB/s". Throws errc::parse; zero is refused.
inline bandwidth parse_bandwidth(std::string_view text) {
  constexpr std::string_view per_second = "/s";
  if (!text.ends_with(per_second))
    fail(errc::parse, "cannot read \"" + std::string(text) + "\" as a bandwidth", "it must end in /s",
         "write it like 50GB/s");
  const std::string_view amount = text.substr(0, text.size() - per_second.size());
  const double value = detail::parse_quantity(amount, detail::byte_units, "bandwidth", "50GB/s");
  if (value <= 0) fail(errc::parse, "the bandwidth \"" + std::string(text) + "\" is zero");
  return {value};
}

/// Reads "5us". Throws errc::parse.
inline seconds parse_seconds(std::string_view text) {
  return seconds{detail::parse_quantity(text, detail::second_units, "time", "5us, 1.5ms or 2s")};
}

/// Shortest exact form with a binary unit: "64MiB", "1000B".
inline std::string to_string(bytes amount) {
  constexpr detail::unit_factor units[] = {{"GiB", 1073741824.0}, {"MiB", 1048576.0}, {"KiB", 1024.0}};
  for (const auto& unit : units) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (amount.value != 0 && amount.value % factor == 0)
      return std::to_string(amount.value / factor) + std::string(unit.suffix);
  }
  return std::to_string(amount.value) + "B";
}

/// In decimal units (GB = 10^9 bytes), as `parse_bandwidth` reads it.
inline std::string to_string(bandwidth rate) {
  const double value = rate.bytes_per_second;
  if (value >= 1e9) return detail::format_scaled(value / 1e9, "GB/s");
  if (value >= 1e6) return detail::format_scaled(value / 1e6, "MB/s");
  return detail::format_scaled(value / 1e3, "kB/s");
}

/// In the unit that fits.
inline std::string to_string(seconds time) {
  const double value = time.count();
  if (value >= 1) return detail::format_scaled(value, "s");
  if (value >= 1e-3) return detail::format_scaled(value * 1e3, "ms");
  if (value >= 1e-6) return detail::format_scaled(value * 1e6, "us");
  return detail::format_scaled(value * 1e9, "ns");
}

}  // namespace hawser
