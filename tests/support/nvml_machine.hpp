// Machines as the fake libnvidia-ml.so.1 tells them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <hawser/discovery/live.hpp>

namespace hawser::testing {

/// Writes a machine where the fake library reads it; gone at the end.
class nvml_machine {
 public:
  explicit nvml_machine(const nlohmann::json& machine) {
    std::filesystem::create_directories(root_);
    std::ofstream(file_) << machine.dump();
    ::setenv("HAWSER_FAKE_NVML", file_.c_str(), 1);
  }
  ~nvml_machine() {
    ::unsetenv("HAWSER_FAKE_NVML");
    std::filesystem::remove_all(root_);
  }
  nvml_machine(const nvml_machine&) = delete;
  nvml_machine& operator=(const nvml_machine&) = delete;

  /// Of a host "n1" whose root directory is empty.
  discovery::live_environment seen_through(const std::string& library) const {
    return {.host = "n1", .root = root_.string(), .nvml = library};
  }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("hawser_nvml_" + std::to_string(::getpid()));
  std::filesystem::path file_ = root_ / "machine.json";
};

constexpr unsigned nvlink_4 = 6;  // how NVML counts the versions
constexpr unsigned nvlink_3 = 4;
constexpr unsigned nvlink_5 = 7;

inline std::string hex2(int number) {
  const char* const digits = "0123456789abcdef";
  return {digits[number / 16 % 16], digits[number % 16]};
}
/// 0000:1b:00.0, 0000:2b:00.0, ...
inline std::string gpu_bus(int index) {
  return "0000:" + hex2(0x1b + 16 * index) + ":00.0";
}

inline nlohmann::json a_link(const std::string& bus, unsigned type, unsigned version, unsigned megabytes) {
  return {{"state", 1}, {"version", version}, {"speed", megabytes}, {"p2p", 1}, {"type", type}, {"bus", bus}};
}

inline nlohmann::json a_gpu(int index, const std::string& name) {
  return {{"name", name},
          {"uuid", "GPU-0000000" + std::to_string(index) + "-1111-2222-3333-444444444444"},
          {"bus", gpu_bus(index)},
          {"minor", index},
          {"compute", {9, 0}},
          {"mode", 0},
          {"mig", 0},
          {"mps", 0}};
}

/// 8 GPUs with 18 links to 4 NVSwitches: 4, 4, 5 and 5 to each.
inline nlohmann::json dgx_h100() {
  nlohmann::json machine{{"gpus", nlohmann::json::array()}};
  for (int index = 0; index < 8; ++index) {
    nlohmann::json gpu = a_gpu(index, "NVIDIA H100 80GB HBM3");
    for (int link = 0; link < 18; ++link) {
      const int chip = link < 4 ? 0 : link < 8 ? 1 : link < 13 ? 2 : 3;
      gpu["links"].push_back(a_link("0000:0" + std::to_string(chip + 5) + ":00.0", 2, nvlink_4, 26562));
    }
    gpu["fabric"] = {{"state", 3}, {"status", 0}, {"clique", 0}};
    machine["gpus"].push_back(gpu);
  }
  return machine;
}

/// 4 GPUs with 18 links each to the switch trays of a rack.
inline nlohmann::json gb200_tray() {
  nlohmann::json machine{{"gpus", nlohmann::json::array()}};
  for (int index = 0; index < 4; ++index) {
    nlohmann::json gpu = a_gpu(index, "NVIDIA GB200");
    gpu["compute"] = {10, 0};
    for (int link = 0; link < 18; ++link) gpu["links"].push_back(a_link("hidden", 2, nvlink_5, 50000));
    gpu["fabric"] = {{"uuid", "3f2a0b1c4d5e6f708192a3b4c5d6e7f8"},
                     {"state", 3},
                     {"status", 0},
                     {"clique", 32766},
                     {"health", 0x11aa},
                     {"summary", 1}};
    machine["gpus"].push_back(gpu);
  }
  return machine;
}

}  // namespace hawser::testing
