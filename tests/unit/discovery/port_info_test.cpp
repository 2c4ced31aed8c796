// Speeds in PortInfo, of every generation, as bytes on the wire. The simulator of tests/fabric knows QDR only.
#include <array>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include <discovery/live/port_info.hpp>

namespace hawser::discovery {
namespace {

using bytes = std::array<std::uint8_t, 64>;

constexpr std::uint8_t announces_extended = 0x40, announces_second_mask = 0x80;  // byte 22, CapabilityMask
constexpr std::uint8_t announces_extended_2 = 0x08;                              // byte 60, CapabilityMask2

/// A port that announces all that there is.
bytes port(std::uint8_t width, std::uint8_t basic, std::uint8_t extended = 0, std::uint8_t extended_2 = 0) {
  bytes made{};
  made[22] = announces_extended | announces_second_mask;
  made[31] = width;
  made[35] = static_cast<std::uint8_t>(basic << 4);
  made[56] = static_cast<std::uint8_t>(extended_2 << 5);
  made[60] = announces_extended_2;
  made[62] = static_cast<std::uint8_t>(extended << 4);
  return made;
}

std::string text_of(const bytes& port, bool is_fdr10 = false) {
  const fabric::link_speed found = speed_in(port, port, is_fdr10);
  return found.width_text() + " " + found.speed_text();
}

TEST(port_info, basic_speeds) {
  EXPECT_EQ(text_of(port(1, 1)), "1x SDR");
  EXPECT_EQ(text_of(port(2, 2)), "4x DDR");
  EXPECT_EQ(text_of(port(4, 4)), "8x QDR");
  EXPECT_EQ(text_of(port(2, 4), true), "4x FDR10");
  EXPECT_EQ(text_of(port(2, 0)), "4x ");
}

TEST(port_info, extended_speeds_win_over_basic_ones) {
  EXPECT_EQ(text_of(port(2, 4, 1)), "4x FDR");
  EXPECT_EQ(text_of(port(16, 4, 2)), "2x EDR");
  EXPECT_EQ(text_of(port(2, 4, 4)), "4x HDR");
  EXPECT_EQ(text_of(port(8, 4, 8)), "12x NDR");
  EXPECT_EQ(text_of(port(2, 4, 3)), "4x ");  // two at once are none
}

TEST(port_info, xdr_is_in_the_second_field) {
  EXPECT_EQ(text_of(port(2, 4, 8, 1)), "4x XDR");
  EXPECT_EQ(text_of(port(2, 4, 0, 1)), "4x XDR");
  EXPECT_EQ(text_of(port(2, 4, 8, 2)), "4x ");  // what comes after XDR is not NDR
  EXPECT_NEAR(speed_in(port(2, 4, 0, 1), port(2, 4), false).rate()->bytes_per_second, 100e9, 1);
}

TEST(port_info, what_is_not_announced_does_not_count) {
  bytes old = port(2, 4, 8, 1);
  old[60] = 0;
  EXPECT_EQ(text_of(old), "4x NDR");
  bytes without_second_mask = port(2, 4, 8, 1);
  without_second_mask[22] = announces_extended;
  EXPECT_EQ(text_of(without_second_mask), "4x NDR");
  bytes ancient = port(2, 4, 8, 1);
  ancient[22] = 0;
  EXPECT_EQ(text_of(ancient), "4x QDR");
}

/// A switch announces at its port 0 for all of its ports.
TEST(port_info, capabilities_are_those_of_port_0) {
  bytes of_switch = port(2, 4, 0, 1);
  of_switch[22] = of_switch[60] = 0;
  EXPECT_EQ(speed_in(of_switch, port(0, 0), false).speed_text(), "XDR");
  EXPECT_EQ(speed_in(of_switch, of_switch, false).speed_text(), "QDR");
}

}  // namespace
}  // namespace hawser::discovery
