// Draws machines as files describe them, through Graphviz: 72 GPUs of one NVLink domain, a fabric of 600 devices.
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/draw.hpp>
#include <hawser/discovery/source.hpp>

#include "discovery/fabric_support.hpp"

namespace hawser::discovery {
namespace {

/// The drawing, or nothing where there is no Graphviz.
std::string drawn(const topology::graph& machine) {
  try {
    return to_svg(machine);
  } catch (const error& failure) {
    EXPECT_EQ(failure.code(), errc::unsupported) << failure.what();
    return {};
  }
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(draw_svg, seventy_two_gpus_of_eighteen_hosts) {
  std::string lines;
  for (int host = 1; host <= 18; ++host)
    for (int gpu = 0; gpu < 4; ++gpu)
      lines += "tray" + std::to_string(host) + ", 3fbfc98b-7f95-4749-ab11-bd351a2aab3e, 7\n";
  const std::string svg = drawn(read(file_source_of("fabric-csv"), {lines, "rack.csv"}));
  if (svg.empty()) GTEST_SKIP() << "there is no Graphviz here";
  EXPECT_TRUE(has(svg, "<svg") && svg.ends_with("</svg>\n"));
  EXPECT_TRUE(has(svg, "18 hosts")) << svg;
  EXPECT_TRUE(has(svg, "3fbfc98b")) << "the domain is named";
  EXPECT_LT(svg.size(), std::size_t{400} << 10);
}

TEST(draw_svg, a_fabric_of_six_hundred_devices) {
  const std::string text =
      testing::ibnetdiscover_text({.leaves = 24, .spines = 12, .hosts_per_leaf = 24, .speed = "4xNDR"});
  const std::string svg = drawn(read(file_source_of("ibnetdiscover"), {text, "fabric.ibnet"}));
  if (svg.empty()) GTEST_SKIP() << "there is no Graphviz here";
  EXPECT_TRUE(has(svg, "576 hosts")) << svg;
  EXPECT_TRUE(has(svg, "24 leaf")) << svg;
  EXPECT_TRUE(has(svg, "12 spine")) << svg;
  EXPECT_LT(svg.size(), std::size_t{100} << 10) << "aggregated by class";
}

}  // namespace
}  // namespace hawser::discovery
