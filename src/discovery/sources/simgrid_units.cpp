// SimGrid's units: bytes or bits per second with decimal or binary prefixes, and times from picoseconds to weeks;
// and places in its files.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "simgrid_parse.hpp"

namespace hawser::discovery::simgrid_format {

namespace {

struct quantity {
  double number;
  std::string_view unit;
};

std::optional<quantity> split_quantity(std::string_view text) {
  text = trimmed(text);
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || !(number - number == 0) || number < 0) return std::nullopt;
  return quantity{number, trimmed(std::string_view(rest, static_cast<std::size_t>(text.data() + text.size() - rest)))};
}

// 1 for no prefix; empty where there is no such prefix.
std::optional<double> factor_of(std::string_view prefix) {
  if (prefix.empty()) return 1.0;
  const bool is_binary = prefix.size() == 2 && prefix[1] == 'i';
  constexpr std::string_view decimal = "kMGTPEZY", binary = "KMGTPEZY";
  const std::size_t power = (is_binary ? binary : decimal).find(prefix[0]);
  if (power == std::string_view::npos || prefix.size() != (is_binary ? 2u : 1u)) return std::nullopt;
  double factor = 1;
  for (std::size_t each = 0; each <= power; ++each) factor *= is_binary ? 1024.0 : 1000.0;
  return factor;
}

}  // namespace

std::optional<double> parse_rate(std::string_view text) {
  const auto value = split_quantity(text);
  if (!value) return std::nullopt;
  if (value->unit.empty()) return value->number;  // bytes per second, as before SimGrid 3.13
  for (const auto& [unit, bytes] : {std::pair{std::string_view("Bps"), 1.0}, {std::string_view("bps"), 0.125}}) {
    if (!value->unit.ends_with(unit)) continue;
    const auto factor = factor_of(value->unit.substr(0, value->unit.size() - unit.size()));
    if (factor) return value->number * bytes * *factor;
  }
  return std::nullopt;
}

std::optional<double> parse_time(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 10> units = {{{"", 1},
                                                                                 {"s", 1},
                                                                                 {"ms", 1e-3},
                                                                                 {"us", 1e-6},
                                                                                 {"ns", 1e-9},
                                                                                 {"ps", 1e-12},
                                                                                 {"m", 60},
                                                                                 {"h", 3600},
                                                                                 {"d", 86400},
                                                                                 {"w", 604800}}};
  const auto value = split_quantity(text);
  if (!value) return std::nullopt;
  for (const auto& [unit, factor] : units)
    if (value->unit == unit) return value->number * factor;
  return std::nullopt;
}

void fail_at_offset(const document& file, std::size_t offset, std::string_view reason, std::string_view suggestion) {
  const std::string_view before = file.text.substr(0, std::min(offset, file.text.size()));
  fail_at_line(file, 1 + static_cast<std::size_t>(std::ranges::count(before, '\n')), reason, suggestion);
}

std::string_view to_string(sharing policy) noexcept {
  switch (policy) {
    case sharing::shared: return "shared";
    case sharing::split_duplex: return "split-duplex";
    case sharing::fatpipe: return "fatpipe";
    case sharing::wifi: break;
  }
  return "wifi";
}

}  // namespace hawser::discovery::simgrid_format
