// Width and speed of InfiniBand links.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <hawser/core/units.hpp>

namespace hawser::discovery::fabric {

/// One generation. Rates per lane and direction (InfiniBand Architecture Specification 1.7, volume 2, chapter 5; IBTA
/// roadmap): what the wire signals, and what is left for data after 8b/10b, 64b/66b, or RS-FEC(544,514) with 256b/257b.
struct lane_speed {
  std::string_view name;
  double signal_gbit;
  double data_gbit;
};

/// The generation of a name ("HDR"), in either case; null for an unknown one.
const lane_speed* speed_of_name(std::string_view name) noexcept;
/// The generation of a signalling rate in Gbit/s as iblinkinfo prints it ("25.78125"); null for an unknown one.
const lane_speed* speed_of_signal(double gbit) noexcept;

struct link_speed {
  unsigned lanes = 0;                ///< 0: unknown
  const lane_speed* each = nullptr;  ///< null: unknown
  friend bool operator==(const link_speed&, const link_speed&) = default;

  /// Payload per direction; empty where width or speed is unknown.
  std::optional<bandwidth> rate() const noexcept {
    if (lanes == 0 || each == nullptr) return std::nullopt;
    return bandwidth{lanes * each->data_gbit * 1e9 / 8};
  }
  std::string width_text() const { return lanes == 0 ? std::string() : std::to_string(lanes) + "x"; }
  std::string speed_text() const { return each == nullptr ? std::string() : std::string(each->name); }
};

/// "4x", "12X": 1, 2, 4, 8 or 12 lanes; 0 for anything else.
unsigned parse_lanes(std::string_view text) noexcept;
/// "4xHDR"; what is unknown ("4x???") stays so.
link_speed parse_link_speed(std::string_view text) noexcept;
/// The lanes of the widest of a mask of widths (PortInfo, LinkWidthActive and LinkWidthEnabled).
unsigned lanes_of_mask(unsigned mask) noexcept;

}  // namespace hawser::discovery::fabric
