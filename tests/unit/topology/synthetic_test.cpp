// Tests synthetic topologies: meaning, round trips, speed, and that every malformed text is refused with its reason.
#include <hawser/topology/synthetic.hpp>

#include <chrono>

#include "topology/support.hpp"

namespace hawser::topology {
namespace {

TEST(synthetic, uniform) {
  const hierarchy tree = parse_synthetic("rack:4 gpu:8");
  EXPECT_EQ(tree.depth(), 2);
  EXPECT_EQ(tree.size(), 32);
  EXPECT_EQ(tree.at(0).name, "rack");
  EXPECT_EQ(tree.at(1).name, "gpu");
  EXPECT_EQ(tree.at(0).units, child_counts::uniform(1, 4));
  EXPECT_EQ(tree.at(1).units, child_counts::uniform(4, 8));
  EXPECT_EQ(parse_synthetic("pod:2 rack:3 gpu:4").size(), 24);
  EXPECT_EQ(parse_synthetic("gpu:7").depth(), 1);
  EXPECT_EQ(parse_synthetic("rack:1 gpu:1").size(), 1);
  EXPECT_EQ(parse_synthetic(" \track:4\n gpu:8 \r\n"), tree);
}

TEST(synthetic, lists) {
  const hierarchy three = parse_synthetic("rack:3 gpu:[8,8,5]");
  EXPECT_EQ(three.size(), 21);
  EXPECT_EQ(three.at(1).units, child_counts::listed({8, 8, 5}));
  EXPECT_EQ(parse_synthetic("rack:[8,8,5] "), three);
  EXPECT_EQ(parse_synthetic("rack:[ 8, 8 ,5 ]"), three);
  EXPECT_EQ(parse_synthetic("rack:[8]"), parse_synthetic("rack:1 gpu:8"));
  EXPECT_EQ(parse_synthetic("rack:[8,8]"), parse_synthetic("rack:2 gpu:8"));
  EXPECT_EQ(parse_synthetic("gpu:[7]"), parse_synthetic("gpu:7"));
  EXPECT_EQ(parse_synthetic("pod:2 rack:[8,8,5,8]"), parse_synthetic("pod:2 rack:2 gpu:[8,8,5,8]"));
  const hierarchy pods = parse_synthetic("pod:2 rack:[2,3] gpu:[4,4,4,5,5]");
  EXPECT_EQ(pods.size(), 22);
  EXPECT_EQ(pods.unit_of(21, 0), 1);
  EXPECT_EQ(pods.unit_of(8, 1), 2);
}

TEST(synthetic, figures) {
  const hierarchy tree = parse_synthetic("rack:4@50GB/s,5us gpu:8@450GB/s,1us");
  EXPECT_DOUBLE_EQ(tree.at(0).up.rate.bytes_per_second, 50e9);
  EXPECT_DOUBLE_EQ(tree.at(0).up.latency.count(), 5e-6);
  EXPECT_EQ(tree.at(1).up.source, provenance::file);
  const hierarchy half = parse_synthetic("rack:[3,2]@12.5GB/s");
  EXPECT_DOUBLE_EQ(half.at(0).up.rate.bytes_per_second, 12.5e9);
  EXPECT_EQ(half.at(0).up.latency, default_link("rack").latency);
  EXPECT_EQ(half.at(0).up.source, provenance::file);
  EXPECT_EQ(half.at(1).up, default_link("gpu"));
  EXPECT_EQ(half.at(1).up.source, provenance::assumed);
  EXPECT_DOUBLE_EQ(parse_synthetic("gpu:2@1GiB/s,0s").at(0).up.rate.bytes_per_second, 1073741824.0);
}

TEST(synthetic, switches_that_reduce) {
  const hierarchy tree = parse_synthetic("pod:2 rack:2+reduces@50GB/s gpu:4");
  EXPECT_FALSE(tree.at(0).reduces_in_network);
  EXPECT_TRUE(tree.at(1).reduces_in_network);
  EXPECT_FALSE(tree.at(2).reduces_in_network);
  const hierarchy listed = parse_synthetic("rack:[8,8,5]+reduces");
  EXPECT_TRUE(listed.at(0).reduces_in_network);
  EXPECT_FALSE(listed.at(1).reduces_in_network);
}

struct malformed {
  std::string text;
  std::string expected;  // part of the message
};

const std::vector<malformed> malformed_texts{
    {"", "column 1 (it is empty)"},
    {"  \t ", "it is empty"},
    {"rack", "a colon and a count must follow the level name \"rack\""},
    {"rack 4", "column 5 (a colon"},
    {"rack : 4", "column 5 (a colon"},
    {"rack:", "column 6 (a count is expected)"},
    {"rack: 4", "column 6 (a count is expected)"},
    {"rack:0", "column 6 (a count of 0)"},
    {"rack:-4", "cannot be negative"},
    {"rack:+4", "a count is expected"},
    {"rack:4+", "column 7 (only +reduces can follow a count)"},
    {"rack:4+reduce", "column 7 (only +reduces"},
    {"rack:4+reduces8", "separate levels by a blank"},
    {"rack:four", "a count is expected"},
    {"rack:4.5", "column 7 (unexpected text"},
    {"rack:0x4", "a count of 0"},
    {"rack:4,gpu:8", "column 7 (unexpected text"},
    {"rack:4gpu:8", "column 7 (unexpected text"},
    {"rack:4 gpu:8;", "column 13 (unexpected text"},
    {"rack:4 8", "column 8 (a level name is expected)"},
    {":4", "column 1 (a level name is expected)"},
    {"4:rack", "a level name is expected"},
    {"rack::4", "column 6 (a count is expected)"},
    {"rack:4]", "unexpected text"},
    {"rack:[8,8,5", "has no closing bracket"},
    {"rack:[", "has no closing bracket"},
    {"rack:[]", "the list is empty"},
    {"rack:[8,]", "expected after the comma"},
    {"rack:[,8]", "column 7 (a count is expected)"},
    {"rack:[8,,8]", "a count is expected"},
    {"rack:[8 8]", "column 9 (a comma or a closing bracket"},
    {"rack:[8,0]", "a count of 0"},
    {"rack:[8,-1]", "cannot be negative"},
    {"rack:[8,x]", "a count is expected"},
    {"rack:[8,[8]]", "a count is expected"},
    {"rack:3 gpu:[8,8]", "the list has 2 entries, but there are 3 units of \"rack\""},
    {"gpu:[8,8]", "the list has 2 entries, but the outermost level has one parent"},
    {"pod:[2,3] rack:2 gpu:2", "the outermost level has one parent"},
    {"pod:2 rack:[8,8,5]", "do not divide evenly among 2 of \"pod\""},
    {"rack:2 rack:2", "column 8 (the level \"rack\" occurs twice)"},
    {"gpu:2 rack:[8,8]", "gpu is the innermost level"},
    {"gpu:8 gpu:8", "gpu is the innermost level"},
    {"rack:2147483648", "the count is too large"},
    {"rack:99999999999999999999999", "the count is too large"},
    {"rack:65536 gpu:65536", "column 16 (more than 2^31 - 1 ranks)"},
    {"rack:2 gpu:[2147483647,2147483647]", "more than 2^31 - 1 ranks"},
    {"rack:4@", "as a bandwidth (it must end in /s)"},
    {"rack:4@50GB", "column 8 (cannot read \"50GB\" as a bandwidth (it must end in /s)"},
    {"rack:4@5us", "as a bandwidth"},
    {"rack:4@50QB/s", "unknown unit \"QB\""},
    {"rack:4@GB/s", "no number"},
    {"rack:4@-50GB/s", "not negative"},
    {"rack:4@0GB/s", "is zero"},
    {"rack:4@infGB/s", "finite"},
    {"rack:4@nanGB/s", "finite"},
    {"rack:4@1e300TB/s", "the figure is too large"},
    {"rack:4@50GB/s,", "column 15 (cannot read \"\" as a time (no number)"},
    {"rack:4@50GB/s,5", "unknown unit \"\""},
    {"rack:4@50GB/s,5parsec", "unknown unit \"parsec\""},
    {"rack:4@50GB/s,-5us", "not negative"},
    {"rack:4@50GB/s,5us,1us", "unexpected text"},
    {"rack:4@50GB/s, 5us", "no number"},
    {"rack:4@@50GB/s", "as a bandwidth"},
    {"r\xc3\xa4"
     "ck:4",
     "a colon and a count must follow the level name \"r\""},
    {std::string("rack:4\0", 7), "unexpected text"},
    {std::string(65, 'a') + ":4", "the level name is too long"},
    {"rack:4@" + std::string(100, '1') + "GB/s", "the figure is too long"},
};

TEST(synthetic, refuses_malformed_text) {
  ASSERT_GE(malformed_texts.size(), 40u);
  for (const malformed& each : malformed_texts) {
    SCOPED_TRACE(each.text);
    const error failure = error_of([&] { parse_synthetic(each.text); });
    EXPECT_EQ(failure.code(), errc::parse);
    EXPECT_NE(std::string(failure.what()).find(each.expected), std::string::npos) << failure.what();
    EXPECT_EQ(std::string(failure.what()).find("cannot read the topology \""), 0u) << failure.what();
  }
}

TEST(synthetic, refuses_huge_texts_in_short_messages) {
  std::string list = "rack:[1";
  for (std::size_t entry = 0; entry < max_list_entries; ++entry) list += ",1";
  std::string levels;
  for (std::size_t each = 0; each <= max_levels; ++each) levels += "level" + std::to_string(each) + ":1 ";
  const error too_long = error_of([&] { parse_synthetic(list + "]"); });
  EXPECT_NE(std::string(too_long.what()).find("the list is too long"), std::string::npos);
  EXPECT_LT(std::string(too_long.what()).size(), 300u);
  EXPECT_NE(std::string(error_of([&] { parse_synthetic(levels); }).what()).find("too many levels"), std::string::npos);
  list.resize(list.size() - 2);
  EXPECT_EQ(parse_synthetic(list + "]").at(0).units.total(), static_cast<std::int64_t>(max_list_entries));
}

TEST(synthetic, every_prefix_and_every_broken_byte_is_read_or_refused) {
  const std::string whole = "pod:2@50GB/s,5us rack:[2,3]@1.5GB/s gpu:[4,4,4,5,5]@450GB/s,1us";
  for (std::size_t at = 0; at <= whole.size(); ++at)
    for (const std::string& put :
         {std::string(), std::string("["), std::string("-"), std::string("\xff"), std::string("9")}) {
      std::string text = put.empty() ? whole.substr(0, at) : whole;
      if (!put.empty() && at < text.size()) text[at] = put[0];
      try {
        const hierarchy tree = parse_synthetic(text);
        EXPECT_EQ(parse_synthetic(to_synthetic(tree)), tree) << text;
      } catch (const error& failure) {
        EXPECT_EQ(failure.code(), errc::parse) << text;
      }
    }
}

TEST(to_synthetic, writes_what_was_read) {
  for (const char* text : {"rack:4 gpu:8", "gpu:7", "rack:3 gpu:[8,8,5]", "pod:2 rack:[2,3] gpu:[4,4,4,5,5]",
                           "rack:4@50GB/s,5us gpu:8@450GB/s,1us", "rack:2@12.5GB/s,3.25us gpu:2", "node:4",
                           "rack:4+reduces gpu:8", "rack:3+reduces@50GB/s,5us gpu:[8,8,5]+reduces"})
    EXPECT_EQ(to_synthetic(parse_synthetic(text)), text);
}

TEST(to_synthetic, round_trips_random_hierarchies) {
  const unsigned seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    const hierarchy tree = random_hierarchy(random);
    const std::string text = to_synthetic(tree);
    ASSERT_EQ(parse_synthetic(text), tree) << text;
    ASSERT_EQ(to_synthetic(parse_synthetic(text)), text);
  }
}

TEST(to_synthetic, refuses_what_the_text_cannot_say) {
  const auto reason = [](const hierarchy& tree) {
    const error failure = error_of([&] { to_synthetic(tree); });
    EXPECT_EQ(failure.code(), errc::unsupported);
    return std::string(failure.what());
  };
  const std::vector<level> two = parse_synthetic("rack:2 gpu:[1,2]").levels();
  EXPECT_NE(reason(hierarchy(two, {rank(1), rank(0), rank(2)})).find("not placed in order"), std::string::npos);
  const auto changed = [&](auto change) {
    std::vector<level> levels = two;
    change(levels);
    return hierarchy(levels);
  };
  EXPECT_NE(reason(changed([](auto& l) { l[0].name = "big rack"; })).find("not a name"), std::string::npos);
  EXPECT_NE(reason(changed([](auto& l) { l[0].name = "gpu"; })).find("not a name"), std::string::npos);
  EXPECT_NE(reason(changed([](auto& l) { l[1].name = "rack"; })).find("occurs twice"), std::string::npos);
  EXPECT_NE(reason(changed([](auto& l) { l[1].name = "core"; })).find("ragged"), std::string::npos);
  EXPECT_NE(reason(changed([](auto& l) { l[0].up.rate = {}; })).find("no bandwidth"), std::string::npos);
}

TEST(synthetic, a_hundred_thousand_ranks_cost_nothing) {
  const std::string text = "rack:1820 gpu:72";
  const hierarchy tree = parse_synthetic(text);
  EXPECT_EQ(tree.size(), 131040);
  for (const level& each : tree.levels()) EXPECT_TRUE(each.units.is_uniform());  // no list, so no memory per unit
  EXPECT_TRUE(tree.is_in_rank_order());
  auto best = std::chrono::steady_clock::duration::max();
  for (int round = 0; round < 100; ++round) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(parse_synthetic(text).size(), 131040);
    best = std::min(best, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(best, std::chrono::microseconds(50));
}

}  // namespace
}  // namespace hawser::topology
