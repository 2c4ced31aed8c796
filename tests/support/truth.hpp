// Real machines' files and what a careful reader finds in them, where that folder is beside the checkout.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace hawser::testing {

inline std::filesystem::path real_files() {
  return std::filesystem::path(HAWSER_SHARED) / "topologies";
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// One file: its name below the folder ("nccl_xml/azure_ndv2_v100.xml"), its text, and the object of TRUTH.md.
struct real_file {
  std::string name;
  std::string text;
  nlohmann::json truth;
};

/// The files of a family ("nccl_xml") that TRUTH.md describes; empty where the folder is absent.
inline std::vector<real_file> real_files_of(std::string_view family) {
  std::vector<real_file> found;
  std::istringstream lines(text_of(real_files() / "TRUTH.md"));
  for (std::string heading; std::getline(lines, heading);) {
    if (!heading.starts_with("### " + std::string(family) + "/")) continue;
    std::string object;
    std::getline(lines, object);
    const std::string name = heading.substr(4);
    found.push_back({name, text_of(real_files() / name), nlohmann::json::parse(object)});
  }
  return found;
}

}  // namespace hawser::testing

/// Skips a test visibly where the folder of real files is absent.
#define HAWSER_NEEDS_REAL_FILES()                              \
  if (!std::filesystem::exists(hawser::testing::real_files())) \
  GTEST_SKIP() << "the folder of real machines' files is not beside the checkout"
