// Width and speed of InfiniBand links.
#include "fabric_speed.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "../text.hpp"

namespace hawser::discovery::fabric {

namespace {

constexpr double of_8b10b = 8.0 / 10;
constexpr double of_64b66b = 64.0 / 66;
constexpr double of_fec = 514.0 / 544 * 256 / 257;  // RS-FEC(544,514) over 256b/257b

constexpr std::array<lane_speed, 9> speeds = {{{"SDR", 2.5, 2.5 * of_8b10b},
                                               {"DDR", 5, 5 * of_8b10b},
                                               {"QDR", 10, 10 * of_8b10b},
                                               {"FDR10", 10.3125, 10.3125 * of_64b66b},
                                               {"FDR", 14.0625, 14.0625 * of_64b66b},
                                               {"EDR", 25.78125, 25.78125 * of_64b66b},
                                               {"HDR", 53.125, 53.125 * of_fec},
                                               {"NDR", 106.25, 106.25 * of_fec},
                                               {"XDR", 212.5, 212.5 * of_fec}}};
constexpr std::array<unsigned, 5> widths = {1, 2, 4, 8, 12};

bool is_same(std::string_view a, std::string_view upper) {
  if (a.size() != upper.size()) return false;
  for (std::size_t each = 0; each < a.size(); ++each) {
    const char c = a[each] >= 'a' && a[each] <= 'z' ? static_cast<char>(a[each] - 'a' + 'A') : a[each];
    if (c != upper[each]) return false;
  }
  return true;
}

}  // namespace

const lane_speed* speed_of_name(std::string_view name) noexcept {
  for (const lane_speed& each : speeds)
    if (is_same(name, each.name)) return &each;
  return nullptr;
}

const lane_speed* speed_of_signal(double gbit) noexcept {
  for (const lane_speed& each : speeds)
    if (std::abs(gbit - each.signal_gbit) < 0.01) return &each;
  // Tools that print the nominal rate: 14, 25, 50, 100, 200 Gbit/s.
  for (const lane_speed& each : speeds)
    if (each.signal_gbit > 14 && std::abs(gbit - std::floor(each.data_gbit + 0.5)) < 0.6) return &each;
  return nullptr;
}

unsigned parse_lanes(std::string_view text) noexcept {
  if (text.size() < 2 || (text.back() != 'x' && text.back() != 'X')) return 0;
  const auto lanes = to_integer<unsigned>(text.substr(0, text.size() - 1));
  for (const unsigned each : widths)
    if (lanes == each) return each;
  return 0;
}

link_speed parse_link_speed(std::string_view text) noexcept {
  const std::size_t end = text.find_first_of("xX");
  if (end == std::string_view::npos) return {};
  return {parse_lanes(text.substr(0, end + 1)), speed_of_name(text.substr(end + 1))};
}

unsigned lanes_of_mask(unsigned mask) noexcept {
  // Bits 0 to 4 are 1x, 4x, 8x, 12x and 2x.
  for (const auto& [bit, lanes] : {std::pair{8U, 12U}, {4U, 8U}, {2U, 4U}, {16U, 2U}, {1U, 1U}})
    if (mask & bit) return lanes;
  return 0;
}

}  // namespace hawser::discovery::fabric
