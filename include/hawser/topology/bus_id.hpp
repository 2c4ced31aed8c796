// PCI bus ids: "1b:00.0", "0000:1B:00.0", "00000000:1B:00.0" and "fffffff:ff:ff.0" are spellings of one thing.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace hawser::topology {

/// A PCI function. Domains of more than 16 bits exist (Intel VMD, virtual machines).
struct bus_id {
  std::uint32_t domain = 0;
  std::uint32_t bus = 0;
  std::uint32_t device = 0;
  std::uint32_t function = 0;
  friend bool operator==(const bus_id&, const bus_id&) = default;
  friend auto operator<=>(const bus_id&, const bus_id&) = default;
};

namespace detail {

/// Reads up to `most` hexadecimal digits from the front of `text`; empty where there is none.
constexpr std::optional<std::uint32_t> take_hex(std::string_view& text, std::size_t most) noexcept {
  std::uint32_t value = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && digits < most; ++digits) {
    const char c = text[digits];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) break;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

constexpr bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace detail

/// Reads "[domain:]bus:device[.function]", hexadecimal in either case, the domain with 1 to 8 digits. Empty where the
/// text is anything else.
constexpr std::optional<bus_id> parse_bus_id(std::string_view text) noexcept {
  bus_id id;
  const auto first = detail::take_hex(text, 8);
  if (!first || !detail::take(text, ':')) return std::nullopt;
  const auto second = detail::take_hex(text, 2);
  if (!second) return std::nullopt;
  if (detail::take(text, ':')) {
    const auto third = detail::take_hex(text, 2);
    if (!third) return std::nullopt;
    id.domain = *first, id.bus = *second, id.device = *third;
  } else {
    id.bus = *first, id.device = *second;
  }
  if (!text.empty()) {
    const auto function = detail::take(text, '.') ? detail::take_hex(text, 1) : std::nullopt;
    if (!function || !text.empty()) return std::nullopt;
    id.function = *function;
  }
  if (id.bus > 0xff) return std::nullopt;
  return id;
}

/// "0000:1b:00.0", the domain with at least four digits.
inline std::string to_string(const bus_id& id) {
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", id.domain, id.bus, id.device, id.function);
  return text;
}

}  // namespace hawser::topology
