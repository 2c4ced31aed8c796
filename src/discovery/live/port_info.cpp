// See port_info.hpp.
#include "port_info.hpp"

#include <cstddef>
#include <string_view>

namespace hawser::discovery {

namespace {

constexpr unsigned has_extended_speeds = 1U << 14;    // CapabilityMask
constexpr unsigned has_second_mask = 1U << 15;        // CapabilityMask
constexpr unsigned has_extended_speeds_2 = 1U << 11;  // CapabilityMask2
constexpr std::size_t capability_mask = 20, width_active = 31, speed_active = 35;
constexpr std::size_t extended_active_2 = 56, capability_mask_2 = 60, extended_active = 62;

unsigned two_bytes(port_info info, std::size_t at) noexcept {
  return static_cast<unsigned>(info[at]) << 8U | info[at + 1];
}

std::string_view extended_name(port_info port, port_info capabilities) noexcept {
  const unsigned mask = two_bytes(capabilities, capability_mask + 2);  // the lower half
  if ((mask & has_extended_speeds) == 0) return "";
  const bool has_second =
      (mask & has_second_mask) != 0 && (two_bytes(capabilities, capability_mask_2) & has_extended_speeds_2) != 0;
  switch (has_second ? port[extended_active_2] >> 5U & 3U : 0U) {
    case 0: break;
    case 1: return "XDR";
    default: return "???";  // a later generation
  }
  switch (port[extended_active] >> 4U) {
    case 0: return "";
    case 1: return "FDR";
    case 2: return "EDR";
    case 4: return "HDR";
    case 8: return "NDR";
    default: return "???";
  }
}

std::string_view basic_name(port_info port, bool is_fdr10) noexcept {
  switch (port[speed_active] >> 4U) {
    case 1: return "SDR";
    case 2: return "DDR";
    case 4: return is_fdr10 ? "FDR10" : "QDR";
    default: return "";
  }
}

}  // namespace

fabric::link_speed speed_in(port_info port, port_info capabilities, bool is_fdr10) noexcept {
  const std::string_view extended = extended_name(port, capabilities);
  return {fabric::lanes_of_mask(port[width_active]),
          fabric::speed_of_name(extended.empty() ? basic_name(port, is_fdr10) : extended)};
}

}  // namespace hawser::discovery
