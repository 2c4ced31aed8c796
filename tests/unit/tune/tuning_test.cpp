// Tuning files: round trip, bad input, atomic writing; and what they change in a hierarchy and in the choice.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <hawser/core/error.hpp>
#include <hawser/planner/explain.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/topology/synthetic.hpp>
#include <hawser/tune/calibrate.hpp>

#include "support/paper_machine.hpp"

namespace hawser::tune {
namespace {

namespace fs = std::filesystem;
using testing::paper_machine;

/// Two racks of four hosts, measured.
tuning measured_on(const topology::hierarchy& tree, double noise = 0.05) {
  paper_machine machine{.rack_of = {0, 0, 0, 0, 1, 1, 1, 1}, .nic = 1e9, .uplink = 62.5e6, .noise = noise};
  machine.latency_inside = 10e-6;
  machine.latency_across = 30e-6;
  tuning measured = calibrate(machine.tools(), tree);
  measured.date = "2026-11-21T12:00:00Z";
  measured.host = "r0n0";
  measured.transports = "tcp";
  return measured;
}

topology::hierarchy two_racks() {
  return topology::parse_synthetic("rack:2@50GB/s,5us node:4@50GB/s,5us");
}

/// Whether tuning files can be written here; where not, writing says so.
bool has_json() {
  try {
    return !to_json(measured_on(two_racks())).empty();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::unsupported) << refused.what();
    return false;
  }
}

class tuning_files : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_json()) GTEST_SKIP() << "built without nlohmann-json";
    folder_ = fs::temp_directory_path() / ("hawser-tuning-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

void expect_error(errc code, const std::string& part, const std::function<void()>& f) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown, \"" << part << "\" was expected";
  } catch (const error& problem) {
    EXPECT_EQ(problem.code(), code) << problem.what();
    EXPECT_NE(std::string(problem.what()).find(part), std::string::npos) << problem.what();
  }
}

TEST(calibration, finds_the_figures_of_a_machine_on_paper) {
  const tuning measured = measured_on(two_racks(), 0);
  ASSERT_EQ(measured.levels.size(), 2U);
  const level_figures &rack = measured.levels[0], &node = measured.levels[1];
  EXPECT_EQ(rack.name, "rack");
  EXPECT_DOUBLE_EQ(rack.latency.median, 30e-6);
  EXPECT_DOUBLE_EQ(node.latency.median, 10e-6);
  EXPECT_DOUBLE_EQ(rack.alone.median, 62.5e6);
  EXPECT_NEAR(rack.together.median, 62.5e6, 1);  // four streams share the uplink
  EXPECT_EQ(rack.streams_per_unit, 4);
  EXPECT_DOUBLE_EQ(node.together.median, 1e9);
  EXPECT_NEAR(node.incast.median, 1e9, 1);  // three into one NIC
  EXPECT_EQ(node.incast_senders, 3);
  EXPECT_FALSE(rack.incast.is_measured());  // there are but two racks
  EXPECT_DOUBLE_EQ(measured.message_time.median, 1e-6);
  EXPECT_DOUBLE_EQ(measured.reduction.median, 9e9);
}

TEST(calibration, ragged_and_single_units) {
  paper_machine machine{.rack_of = {0, 0, 0, 1, 1}, .nic = 1e9, .uplink = 62.5e6, .noise = 0};
  const tuning measured = calibrate(machine.tools(), topology::parse_synthetic("pod:1 rack:2 gpu:[3,2]"));
  EXPECT_FALSE(measured.levels[0].latency.is_measured());
  EXPECT_EQ(measured.levels[1].streams_per_unit, 2);
  EXPECT_TRUE(measured.levels[2].together.is_measured());
  const tuning alone = calibrate(paper_machine{.rack_of = {0}}.tools(), topology::parse_synthetic("node:1"));
  EXPECT_FALSE(alone.levels[0].together.is_measured());
  EXPECT_TRUE(alone.reduction.is_measured());
}

TEST(calibration, ends_when_its_time_is_over) {
  paper_machine machine{.rack_of = {0, 0, 0, 0, 1, 1, 1, 1}};
  instruments with = machine.tools();
  with.clock = [&] { return static_cast<double>(machine.rounds); };
  const tuning measured = calibrate(with, two_racks(), {.repetitions = 1000, .seconds = 40});
  EXPECT_TRUE(measured.levels[0].together.is_measured());
  EXPECT_LT(machine.rounds, 60);
}

TEST_F(tuning_files, read_back_equal) {
  const tuning measured = measured_on(two_racks());
  EXPECT_EQ(tuning_from_json(to_json(measured)), measured);
  write_tuning(path("t.json"), measured);
  EXPECT_EQ(read_tuning(path("t.json")), measured);
  struct stat found {};
  ASSERT_EQ(stat(path("t.json").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0644U);
  EXPECT_EQ(entries(), 1U);  // no draft is left
}

TEST_F(tuning_files, a_failed_write_loses_nothing) {
  const tuning measured = measured_on(two_racks());
  expect_error(errc::io, "cannot be written", [&] { write_tuning(path("missing/t.json"), measured); });
  fs::create_directory(path("folder"));
  std::ofstream(path("folder") + "/old") << "old";
  expect_error(errc::io, "cannot be written", [&] { write_tuning(path("folder"), measured); });  // rename refuses
  EXPECT_TRUE(fs::exists(path("folder") + "/old"));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(tuning_files, bad_ones_are_refused_with_a_reason) {
  const std::string good = to_json(measured_on(two_racks()));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  expect_error(errc::parse, "t.json", [&] { tuning_from_json(good.substr(0, good.size() / 2), "t.json"); });
  expect_error(errc::parse, "schema", [&] { tuning_from_json(with("hawser.tuning/1", "hawser.tuning/9")); });
  expect_error(errc::parse, "floors", [&] { tuning_from_json(with("\"levels\"", "\"floors\"")); });
  expect_error(errc::parse, "number above 0", [&] { tuning_from_json(with("\"median\": ", "\"median\": -")); });
  expect_error(errc::parse, "whole number", [&] { tuning_from_json(with("\"ranks\": 8", "\"ranks\": 0")); });
  expect_error(errc::io, "No such file", [&] { read_tuning(path("none.json")); });
  std::ofstream(path("large.json")) << std::string((1 << 20) + 1, ' ');
  expect_error(errc::parse, "1 MiB", [&] { read_tuning(path("large.json")); });
}

TEST(tuning, replaces_figures_and_says_so) {
  const topology::hierarchy tree = two_racks();
  const tuning measured = measured_on(tree, 0);
  const tuned better = apply(measured, tree, {}, topology::provenance::file, origin_of_file("t.json", measured));
  EXPECT_NEAR(better.tree.at(0).up.rate.bytes_per_second, 62.5e6, 1);
  // The model adds the links that a message climbs and the work per message: together what was measured.
  const double modelled =
      better.tree.at(0).up.latency.count() + better.tree.at(1).up.latency.count() + better.host.per_message.count();
  EXPECT_NEAR(modelled, 30e-6, 1e-9);
  EXPECT_EQ(better.tree.at(0).up.source, topology::provenance::file);
  EXPECT_EQ(better.host.reduction.bytes_per_second, 9e9);
  const schedule::request what{.what = schedule::collective::all_reduce, .count = 1 << 20};
  const std::string said = planner::explain(planner::planner(better.tree, better.host).make_plan(what));
  EXPECT_NE(said.find("tuning file t.json, 2026-11-21T12:00:00Z"), std::string::npos) << said;
  EXPECT_GT(planner::planner(better.tree, better.host).make_plan(what).predicted,
            planner::planner(tree).make_plan(what).predicted * 10);  // 62.5 MB/s in place of 50 GB/s
}

TEST(tuning, work_per_message_is_the_levels_own) {
  const topology::hierarchy tree = two_racks();
  tuning measured = measured_on(tree, 0);
  EXPECT_DOUBLE_EQ(measured.levels[0].message_time.median, 1e-6);
  measured.levels[0].message_time = {8e-6, 8e-6, 8e-6, 1};
  const tuned better = apply(measured, tree, {}, topology::provenance::probed, "probed");
  EXPECT_DOUBLE_EQ(better.host.message_work_at("rack").count(), 8e-6);
  EXPECT_DOUBLE_EQ(better.host.message_work_at("node").count(), 1e-6);
  EXPECT_EQ(better.host.find_message_work("rack")->source, "probed");
  EXPECT_NEAR(better.tree.at(0).up.latency.count() + better.tree.at(1).up.latency.count(), 30e-6 - 8e-6, 1e-9);
  if (!has_json()) return;
  EXPECT_EQ(tuning_from_json(to_json(measured)), measured);
  // Files from before it was a level's.
  std::string old = to_json(measured);
  for (std::size_t at; (at = old.find(",\n      \"message_seconds\"")) != std::string::npos;)
    old.erase(at, old.find('}', at) + 1 - at);
  EXPECT_FALSE(tuning_from_json(old).levels[0].message_time.is_measured());
  EXPECT_DOUBLE_EQ(
      apply(tuning_from_json(old), tree, {}, topology::provenance::file, "").host.message_work_at("rack").count(),
      1e-6);
}

TEST(tuning, of_another_hierarchy_is_refused) {
  const tuning measured = measured_on(two_racks());
  for (const char* other : {"rack:2@50GB/s,5us node:4@50GB/s,6us", "rack:4@50GB/s,5us node:2@50GB/s,5us"})
    expect_error(errc::mismatch, "rack:2 node:4, fingerprint",
                 [&] { apply(measured, topology::parse_synthetic(other), {}, topology::provenance::file, ""); });
}

}  // namespace
}  // namespace hawser::tune
