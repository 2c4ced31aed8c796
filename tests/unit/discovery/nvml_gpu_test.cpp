// Where there is a GPU: NVML's source says what nvidia-smi says.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/discovery/discover.hpp>
#include <hawser/discovery/peer_access.hpp>
#include <hawser/topology/identity.hpp>

#include "discovery/live/live_sources.hpp"
#include "discovery/text.hpp"

namespace hawser::discovery {
namespace {

using topology::graph;
using topology::node;
using topology::node_kind;

std::string output_of(const std::string& command) {
  const auto close = [](std::FILE* stream) { ::pclose(stream); };
  const std::unique_ptr<std::FILE, decltype(close)> stream(::popen(command.c_str(), "r"), close);
  std::string text;
  std::array<char, 4096> block{};
  while (stream && std::fgets(block.data(), static_cast<int>(block.size()), stream.get())) text += block.data();
  return text;
}

/// The rows of `nvidia-smi --query-gpu`, each split into its columns.
std::vector<std::vector<std::string>> query(const std::string& columns) {
  const std::string text =
      output_of("nvidia-smi --query-gpu=" + columns + " --format=csv,noheader,nounits 2>/dev/null");
  std::vector<std::vector<std::string>> rows;
  for (line_reader lines(text); lines.next();) {
    rows.emplace_back();
    for (const std::string_view each : split(lines.line(), ',')) rows.back().emplace_back(trimmed(each));
  }
  return rows;
}

TEST(nvml_gpu, says_what_nvidia_smi_says) {
  const auto rows = query("index,name,uuid,pci.bus_id,compute_cap,mig.mode.current");
  if (rows.empty() || rows.front().size() != 6) GTEST_SKIP() << "there is no GPU, or no nvidia-smi";
  const live_environment environment = this_host();
  const graph machine = live_nvml.discover(environment);
  std::size_t gpus = 0;
  for (const node& each : machine.nodes()) gpus += each.kind == node_kind::gpu ? 1 : 0;
  EXPECT_EQ(gpus, rows.size());
  for (const auto& row : rows) {
    const auto index = machine.find(topology::identity::gpu(environment.host, std::stoi(row[0])));
    ASSERT_TRUE(index) << row[0];
    const node& gpu = machine.nodes()[*index];
    EXPECT_EQ(gpu.attributes.at("model"), row[1]);
    EXPECT_EQ(gpu.attributes.at("uuid"), row[2]);
    EXPECT_EQ(gpu.attributes.at("pci"), to_string(*topology::parse_bus_id(row[3])));
    EXPECT_EQ(gpu.attributes.at("compute"), row[4]);
    if (row[5] == "Enabled" || row[5] == "Disabled") {
      EXPECT_EQ(gpu.attributes.at("mig"), row[5] == "Enabled" ? "enabled" : "disabled");
    }
    EXPECT_EQ(machine.find("uuid/" + row[2]), index);
  }
}

TEST(nvml_gpu, counts_the_links_that_nvidia_smi_counts) {
  const auto rows = query("index");
  if (rows.empty() || !to_integer<int>(rows.front().front())) GTEST_SKIP() << "there is no GPU, or no nvidia-smi";
  const live_environment environment = this_host();
  const graph machine = live_nvml.discover(environment);
  for (const auto& row : rows) {
    const std::string text = output_of("nvidia-smi nvlink -s -i " + row[0] + " 2>/dev/null");
    int active = 0;
    for (line_reader lines(text); lines.next();) active += lines.line().find("GB/s") != std::string_view::npos ? 1 : 0;
    const auto index = machine.find(topology::identity::gpu(environment.host, std::stoi(row[0])));
    ASSERT_TRUE(index);
    const auto& attributes = machine.nodes()[*index].attributes;
    EXPECT_EQ(attributes.contains("nvlinks_active") ? attributes.at("nvlinks_active") : "0", std::to_string(active));
  }
}

TEST(nvml_gpu, is_found_where_the_kernel_shows_it) {
  const auto rows = query("index");
  if (rows.empty() || !to_integer<int>(rows.front().front())) GTEST_SKIP() << "there is no GPU, or no nvidia-smi";
  const discovery found = discover();
  std::size_t gpus = 0;
  for (const node& each : found.machine.nodes()) gpus += each.kind == node_kind::gpu ? 1 : 0;
  EXPECT_GE(gpus, rows.size());
  for (const auto& each : found.machine.findings())
    EXPECT_FALSE(each.code.starts_with("contradictory")) << each.subject << ": " << each.message;
  EXPECT_EQ(ask_peer_access().pairs.size(), rows.size() * (rows.size() - 1));
}

}  // namespace
}  // namespace hawser::discovery
