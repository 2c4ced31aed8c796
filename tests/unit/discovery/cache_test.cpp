// Tests the cache of discovery: what is kept is read again, what is damaged or cannot be written is a finding only.
#include "discovery/cache.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <hawser/discovery/discover.hpp>
#include <hawser/topology/identity.hpp>

#include "support/sysfs_tree.hpp"
#include "support/truth.hpp"

namespace hawser::discovery {
namespace {

namespace fs = std::filesystem;

class cache_of_discovery : public ::testing::Test {
 protected:
  cache_of_discovery() {
    tree_.numa(0, "0-3");
    tree_.numa(1, "4-7");
    tree_.write("proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555");
  }
  ~cache_of_discovery() override { fs::remove_all(folder_); }

  discovery discovered() const {
    discover_options options;
    options.asks = {true, false, false};
    options.cache_folder = folder_.string();
    return discover(tree_.environment(), options);
  }
  fs::path kept() const {
    EXPECT_TRUE(fs::exists(folder_));
    for (const auto& each : fs::directory_iterator(folder_)) return each.path();
    ADD_FAILURE() << "nothing is kept";
    return {};
  }
  static bool has(const discovery& found, std::string_view code) {
    return std::ranges::any_of(found.machine.findings(), [&](const auto& each) { return each.code == code; });
  }
  static bool asked(const discovery& found) {
    return std::ranges::any_of(found.phases, [](const phase& each) { return each.name == "system"; });
  }

  hawser::testing::sysfs_tree tree_;
  const fs::path folder_ = fs::temp_directory_path() / ("hawser_cache_test_" + std::to_string(getpid()));
};

TEST_F(cache_of_discovery, what_is_kept_is_not_asked_again) {
  const discovery first = discovered(), second = discovered();
  if (has(first, "cache-unwritable")) GTEST_SKIP() << "built without nlohmann-json";
  EXPECT_TRUE(asked(first));
  EXPECT_FALSE(asked(second));
  EXPECT_EQ(first.machine.nodes(), second.machine.nodes());
  tree_.write("proc/sys/kernel/random/boot_id", "99999999-2222-3333-4444-555555555555");
  EXPECT_TRUE(asked(discovered())) << "the host has booted again";
}

TEST_F(cache_of_discovery, a_damaged_file_is_a_finding_and_is_written_anew) {
  const discovery first = discovered();
  if (has(first, "cache-unwritable")) GTEST_SKIP() << "built without nlohmann-json";
  const std::string whole = hawser::testing::text_of(kept());
  const auto damaged = [&](const std::string& text) {
    std::ofstream(kept(), std::ios::binary) << text;
    const discovery again = discovered();
    EXPECT_TRUE(has(again, "cache-unreadable")) << text.substr(0, 40);
    EXPECT_TRUE(asked(again));
    EXPECT_EQ(again.machine.nodes(), first.machine.nodes());
    EXPECT_EQ(hawser::testing::text_of(kept()), whole) << "with no word of the damage";
    EXPECT_FALSE(has(discovered(), "cache-unreadable"));
  };
  damaged("");
  damaged(whole.substr(0, whole.size() / 2));
  damaged("\xff\xfe" + whole);
  damaged(R"({"schema": "hawser.topology/9"})");
}

TEST_F(cache_of_discovery, a_folder_that_cannot_be_written_is_a_finding) {
  std::ofstream(folder_.string()) << "a file where the folder should be";
  const discovery found = discovered();
  EXPECT_TRUE(has(found, "cache-unwritable"));
  EXPECT_TRUE(found.machine.find(topology::identity::numa("n1", 1)));
  EXPECT_EQ(hawser::testing::text_of(folder_), "a file where the folder should be");
}

}  // namespace
}  // namespace hawser::discovery
