// Tests the topology argument: synthetic strings, presets, files, and what is none of them.
#include <hawser/discovery/load.hpp>

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <hawser/topology/expand.hpp>
#include <hawser/topology/json.hpp>
#include <hawser/topology/presets.hpp>
#include <hawser/topology/synthetic.hpp>

#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using namespace hawser::topology;  // NOLINT: values of the level below

class load_file : public testing::Test {
 protected:
  load_file() { std::filesystem::create_directories(folder_); }
  ~load_file() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("hawser_load_test_" + std::to_string(getpid()));
};

// The JSON of a value, or nothing where hawser was built without JSON.
template <typename Value>
std::optional<std::string> json_of(const Value& value) {
  try {
    return to_json(value);
  } catch (const error& failure) {
    EXPECT_EQ(failure.code(), errc::unsupported);
    return std::nullopt;
  }
}

TEST(load, synthetic_and_preset) {
  EXPECT_EQ(load("rack:[8,8,5]").tree, parse_synthetic("rack:3 gpu:[8,8,5]"));
  EXPECT_EQ(load("preset:gb200-nvl72*3").tree, preset("gb200-nvl72", 3));
  EXPECT_TRUE(load("gpu:7").hosts.empty());
  EXPECT_EQ(load("gpu:7").host_level, -1);
}

TEST(load, says_why_it_is_neither) {
  const auto of = [](const std::string& argument) { return error_of([&] { load(argument); }); };
  EXPECT_EQ(of("preset:dgx-1").code(), errc::not_found);
  for (const char* argument : {"", "no_such_file.json", "rack:0", "rack:4 gpu:8 nic:", "/dev/null/x"}) {
    const error neither = of(argument);
    EXPECT_EQ(neither.code(), errc::parse) << argument;
    EXPECT_NE(std::string(neither.what()).find("there is no file of that name"), std::string::npos) << neither.what();
    EXPECT_NE(std::string(neither.what()).find("cannot read the topology"), std::string::npos) << neither.what();
  }
  EXPECT_LT(std::string(of(std::string(100000, 'x')).what()).size(), 600u);
}

TEST_F(load_file, hierarchy_and_topology) {
  const hosted_hierarchy racks{parse_synthetic("rack:[2,1]"), {"a", "b"}, 0};
  const auto hierarchy_text = json_of(racks), topology_text = json_of(expand(racks.tree));
  if (!hierarchy_text) GTEST_SKIP() << "built without nlohmann-json";
  EXPECT_EQ(load(write("hierarchy.json", *hierarchy_text)), racks);
  EXPECT_EQ(load("hawser-json:" + write("hierarchy.json", *hierarchy_text)), racks);
  const hosted_hierarchy derived_racks = load(write("topology.json", *topology_text));
  EXPECT_EQ(derived_racks.tree, racks.tree);
  EXPECT_EQ(derived_racks.hosts, (std::vector<std::string>{"rack0", "rack0", "rack1"}));
  EXPECT_EQ(place_by_host(derived_racks, {"rack1", "rack0"}).size(), 2);
}

TEST_F(load_file, broken_files) {
  if (!json_of(parse_synthetic("gpu:1"))) GTEST_SKIP() << "built without nlohmann-json";
  const auto message = [](const std::string& path, errc code) {
    const error failure = error_of([&] { load(path); });
    EXPECT_EQ(failure.code(), code);
    EXPECT_NE(std::string(failure.what()).find(path), std::string::npos);
    return std::string(failure.what());
  };
  EXPECT_NE(message(folder_, errc::io).find("is a directory"), std::string::npos);
  EXPECT_NE(message(write("empty", ""), errc::parse).find("of no kind that is known"), std::string::npos);
  EXPECT_NE(message(write("other", R"({"schema": "hawser.plan/1"})"), errc::parse).find("is not a topology"),
            std::string::npos);
  EXPECT_NE(message(write("none", "{}"), errc::parse).find("of no kind that is known"), std::string::npos);
  EXPECT_NE(message(write("huge", R"({"schema": "hawser.topology/1")" + std::string(max_json_bytes, ' ')), errc::parse)
                .find("larger than 32 MiB"),
            std::string::npos);
}

}  // namespace
}  // namespace hawser::discovery
