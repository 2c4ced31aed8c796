// Tests the presets: sizes and figures, that graph and hierarchy agree, and the text form.
#include <hawser/topology/presets.hpp>

#include <hawser/topology/derive.hpp>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

TEST(presets, figures) {
  struct expectation {
    const char* name;
    std::int64_t gpus;
    double nvlink, uplink;
    bool reduces;
  };
  for (const expectation& each : {expectation{"dgx-a100", 8, 300e9, 8 * 25e9, false},
                                  {"dgx-h100", 8, 450e9, 8 * 50e9, true},
                                  {"dgx-b200", 8, 900e9, 8 * 50e9, true},
                                  {"gb200-nvl72", 72, 900e9, 72 * 50e9, true},
                                  {"gb300-nvl72", 72, 900e9, 72 * 100e9, true}}) {
    SCOPED_TRACE(each.name);
    const hierarchy one = preset(each.name), four = preset(each.name, 4);
    EXPECT_EQ(one.depth(), 1);
    EXPECT_EQ(one.size(), each.gpus);
    EXPECT_EQ(four.depth(), 2);
    EXPECT_EQ(four.size(), 4 * each.gpus);
    EXPECT_DOUBLE_EQ(four.at(0).up.rate.bytes_per_second, each.uplink);
    EXPECT_DOUBLE_EQ(four.at(1).up.rate.bytes_per_second, each.nvlink);
    EXPECT_EQ(four.at(1).up.source, provenance::reported);
    EXPECT_EQ(four.at(1).reduces_in_network, each.reduces);
  }
}

TEST(presets, the_graph_derives_to_the_hierarchy) {
  for (const machine& each : machines)
    for (int units : {1, 2, 5}) {
      const graph topology = preset_graph(each.name, units);
      const derived got = derive(topology);
      EXPECT_EQ(got.hosted.tree, preset(each.name, units)) << each.name << " " << units;
      EXPECT_TRUE(got.findings.empty());
      EXPECT_EQ(got.hosted.hosts.size(), static_cast<std::size_t>(units * each.gpus()));
    }
}

TEST(presets, large_ones_take_no_memory_per_rank) {
  const hierarchy tree = preset("gb200-nvl72", 1820);
  EXPECT_EQ(tree.size(), 131040);
  for (const level& each : tree.levels()) EXPECT_TRUE(each.units.is_uniform());
}

TEST(presets, text_form) {
  EXPECT_EQ(parse_preset("preset:dgx-h100"), preset("dgx-h100"));
  EXPECT_EQ(parse_preset("preset:dgx-h100*4"), preset("dgx-h100", 4));
  for (const char* text :
       {"dgx-h100", "preset:dgx-h100*", "preset:dgx-h100*0", "preset:dgx-h100*-1", "preset:dgx-h100*x",
        "preset:dgx-h100*4 ", "preset:dgx-h100*4*4", "preset:dgx-h100*99999999999"})
    EXPECT_EQ(error_of([&] { parse_preset(text); }).code(), errc::parse) << text;
  const error unknown = error_of([] { parse_preset("preset:dgx-1"); });
  EXPECT_EQ(unknown.code(), errc::not_found);
  EXPECT_NE(std::string(unknown.what()).find("dgx-a100, dgx-h100"), std::string::npos);
  EXPECT_EQ(error_of([] { preset("dgx-h100", 0); }).code(), errc::invalid_argument);
  EXPECT_EQ(error_of([] { parse_preset("preset:dgx-h100*2147483647"); }).code(), errc::invalid_argument);
}

}  // namespace
}  // namespace hawser::topology
