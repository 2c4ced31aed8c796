// Every real file's summary, as users see it (JSON), against what a careful reader finds in the file (TRUTH.md).
#include <hawser/discovery/summary.hpp>

#include <cstdio>
#include <functional>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>

#include "discovery/summary_truth_keys.hpp"
#include "support/truth.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using testing::real_file;

/// What the summary must say: a value per key of it. Keys that the truth does not speak of are absent.
using expectation = json;

std::int64_t size_of(const json& list) {
  return static_cast<std::int64_t>(list.size());
}

json named_domains(const json& domains) {
  json named = json::array();
  for (const json& each : domains) {
    json gpus = json::array();
    for (const json& gpu : each)
      gpus.push_back("host:" + (gpu.is_string() ? gpu.get<std::string>() : "GPU" + gpu.dump()));
    if (gpus.size() > 1) named.push_back(gpus);
  }
  return named;
}

// Where GPUs are known by their PCI class only, or all links lead back to their GPU, NVLink is unknown and not absent.
json nccl_domains(const json& truth) {
  const json& nvlink = truth.at("nvlink");
  const bool by_class = truth.at("gpu_dev_in_file_order").is_null();
  if (by_class || nvlink.at("type") == "none_usable") return nullptr;
  if (nvlink.contains("domain_gpus")) return named_domains(json::array({nvlink["domain_gpus"]}));
  return named_domains(nvlink.value("domains", json::array()));
}

expectation of_nccl(const json& truth) {
  if (truth.contains("nic_pairs")) return {{"gpus", nullptr}};
  if (truth.contains("gpu_net")) return {{"hosts", 1}, {"gpus", truth["gpus"]}};
  std::set<std::string> numa;
  bool has_all = true;
  for (const json& each : truth.at("numaids")) {
    has_all = has_all && each.is_string() && each != "-1";
    if (each.is_string()) numa.insert(each);
  }
  expectation made = {{"hosts", truth["hosts"]},
                      {"gpus", truth["gpus"]},
                      {"nics", truth["distinct_net_devices"]},
                      {"numa_nodes", has_all ? json(size_of(numa)) : json(nullptr)},
                      {"switches_by_level", nullptr},
                      {"links", nullptr}};
  // Of several hosts in one file the numbers repeat, and their GPUs have names of their own.
  if (truth["hosts"] == 1) made["nvlink_domains"] = nccl_domains(truth);
  if (truth["hosts"] != 1) made.erase("numa_nodes");
  return made;
}

expectation of_hwloc(const json& truth) {
  const json& objects = truth.at("object_counts");
  expectation made = {{"hosts", objects["Machine"]}, {"numa_nodes", objects["NUMANode"]}, {"links", nullptr}};
  if (!objects.contains("PCIDev")) return made.update({{"gpus", nullptr}, {"nics", nullptr}}), made;
  std::int64_t gpus = 0;
  for (const json& each : truth["nvidia_pci_devices"]) gpus += each[1] == "0302" ? 1 : 0;
  // TRUTH.md lists NVIDIA's devices by their bus; AMD's are told by their OpenCL devices.
  for (const json& each : truth["osdev_names"]) gpus += each.get<std::string>().starts_with("opencl") ? 1 : 0;
  made["gpus"] = gpus;
  for (const json& each : truth["distances"])
    if (each["name"] == "NVLinkBandwidth") {
      json all = json::array();
      for (std::int64_t gpu = 0; gpu < gpus; ++gpu) all.push_back(gpu);
      made["nvlink_domains"] = named_domains(json::array({all}));
    }
  return made;
}

expectation of_fabric(const json& truth) {
  expectation made = {{"gpus", nullptr}, {"numa_nodes", nullptr}};
  if (truth.contains("links")) made["links"] = truth["links"].get<std::int64_t>() - truth.value("self_loop_links", 0);
  if (truth.contains("hcas")) {
    made["hosts"] = size_of(truth["hcas"]);
  }
  for (const char* key : {"host_to_switch_port", "hosts_by_switch_port"})
    if (truth.contains(key)) {
      made["hosts"] = size_of(truth[key]);
      made["switches_by_level"] = {{"1", truth["switches"]}};
    }
  if (truth.contains("distinct_ca_guids")) made["nics"] = truth["distinct_ca_guids"];
  if (!truth.contains("ca_records")) return made;
  made["nics"] =
      truth["distinct_cas_incl_referenced"].get<std::int64_t>() - truth["sharp_aggregation_cas"].get<std::int64_t>();
  made["hosts"] = truth["hosts_by_first_word_of_ca_description"];
  const json& levels = truth["switches_per_level_(1=has_hosts)"];
  made["switches_by_level"] = levels.empty() ? json(nullptr) : levels;
  if (truth["distinct_cas_incl_referenced"] == 0) made["nics"] = nullptr;
  if (made["hosts"] == 0) made["hosts"] = nullptr;  // nobody names one: unknown, not none
  return made;
}

expectation of_kubernetes(const json& truth) {
  if (truth.contains("labels")) return {{"hosts", 1}, {"gpus", nullptr}, {"nvlink_domains", nullptr}};
  std::set<std::string> hosts;
  for (const json& item : truth.value("items", json::array())) {
    const json cliques = item.value("gpu_clique_by_node", json::object());
    for (const auto& each : cliques.items()) hosts.insert(each.key());
    for (const json& domain : item.value("domains", json::array()))
      for (const json& members : domain["cliques"]) hosts.insert(members.begin(), members.end());
  }
  return {{"hosts", hosts.empty() ? json(nullptr) : json(size_of(hosts))}, {"gpus", nullptr}, {"links", nullptr}};
}

expectation of_smi_topo(const json& truth) {
  expectation made = {{"hosts", 1},
                      {"gpus", truth["gpus"]},
                      {"nics", truth["nics"]},
                      {"nvlink_domains", named_domains(truth["nvlink_domains"])},
                      {"switches_by_level", nullptr},
                      {"links", nullptr}};
  return made;
}

expectation of_smi_other(const json& truth) {
  expectation made = {{"hosts", 1}, {"nics", nullptr}, {"numa_nodes", nullptr}, {"links", nullptr}};
  if (truth.contains("gpus")) made["gpus"] = truth["gpus"];
  if (truth.contains("rows")) made["gpus"] = size_of(truth["rows"]);
  if (truth.contains("gpu_elements") && truth["attached_gpus"] == truth["gpu_elements"].dump())
    made["gpus"] = truth["gpu_elements"];
  return made;
}

expectation of_rocm(const json& truth) {
  return {{"hosts", 1}, {"gpus", truth["gpus"]}, {"nics", nullptr}, {"links", nullptr}};
}

expectation of_one_slurm(const json& item) {
  if (item["type"] == "tree") return {{"hosts", item["nodes"]}};
  if (item["type"] != "block") return json::object();
  std::int64_t hosts = 0;
  for (const json& each : item["blocks"]) hosts += each.get<std::int64_t>();
  return {{"hosts", hosts}, {"switches_by_level", nullptr}};
}

expectation of_scheduler(const json& truth) {
  expectation made = {{"gpus", nullptr}, {"nics", nullptr}, {"nvlink_domains", nullptr}, {"links", nullptr}};
  if (truth.contains("distinct_hosts")) made["hosts"] = truth["distinct_hosts"];
  if (truth.contains("blocks")) {
    std::int64_t hosts = 0;
    for (const json& each : truth["nodes_per_block"]) hosts += each.get<std::int64_t>();
    made["hosts"] = hosts;
    made["switches_by_level"] = nullptr;
  }
  if (truth.contains("definitions")) made["hosts"] = nullptr;
  if (truth.contains("distinct_nodes")) made["hosts"] = truth["distinct_nodes"];
  for (const json& item : truth.value("items", json::array()))
    if (item["cluster_default"] == true) made.update(of_one_slurm(item));
  return made;
}

expectation of_simulator(const json& truth) {
  if (truth.contains("npus_count")) {
    std::int64_t npus = 1;
    for (const json& each : truth["npus_count"]) npus *= each.get<std::int64_t>();
    return {{"gpus", npus}, {"nics", nullptr}};
  }
  std::int64_t hosts = truth.value("explicit_hosts", 0);
  for (const json& each : truth.value("clusters", json::array())) hosts += each["hosts"].get<std::int64_t>();
  for (const json& each : truth.value("settings", json::array()))
    if (const auto text = each.get<std::string>(); text.starts_with("Nodes ")) hosts = std::stoll(text.substr(6));
  return {{"hosts", hosts}, {"gpus", nullptr}, {"nics", nullptr}};
}

expectation of_topograph(const json& truth) {
  expectation made = {{"hosts", truth["nodes"]}, {"nics", nullptr}, {"links", nullptr}};
  if (!truth.contains("domains")) return made["gpus"] = nullptr, made;
  return made.update({{"gpus", truth["gpus"]}, {"switches_by_level", nullptr}}), made;
}

expectation of_malformed(const json& truth) {
  if (!truth.contains("nics_in_header")) return json::object();
  return {{"gpus", truth["gpus"]},
          {"nics", truth["nics_in_header"]},
          {"nvlink_domains", named_domains({{"GPU0", "GPU1", "GPU2", "GPU3", "GPU4", "GPU5", "GPU6", "GPU7"}})}};
}

/// What TRUTH.md says of a file that one of the summary's numbers can show or contradict.
void expect_sums(const std::string& name, const json& truth, const json& shown) {
  const json levels = shown["switches_by_level"].is_null() ? json::object() : shown["switches_by_level"];
  std::int64_t switches = 0;
  for (const json& each : levels) switches += each.get<std::int64_t>();
  if (truth.contains("leaf_switches")) {
    EXPECT_EQ(switches, truth["switches"].get<std::int64_t>()) << name;
    EXPECT_EQ(levels.value("1", 0), truth["leaf_switches"].get<int>()) << name;
    EXPECT_EQ(size_of(levels), truth["depth"].get<std::int64_t>()) << name;
  }
  if (truth.contains("declared_switches_incl_children")) {
    EXPECT_EQ(switches, truth["declared_switches_incl_children"].get<std::int64_t>()) << name;
  }
  if (truth.contains("hcas")) {
    EXPECT_EQ(switches, size_of(truth["switches"])) << name;
  }
  if (truth.contains("distinct_switch_guids") && !levels.empty()) {
    EXPECT_EQ(switches, truth["distinct_switch_guids"].get<std::int64_t>()) << name;
  }
  if (name.ends_with("netq_computeNodes.json")) {
    EXPECT_EQ(size_of(shown["nvlink_domains"]), size_of(truth["domains"])) << name;
  }
}

void expect_keys_known(const std::string& name, const json& truth) {
  for (const auto& [key, value] : truth.items())
    EXPECT_TRUE(compared.contains(key) || of_sources.contains(key)) << name << ": nothing compares \"" << key << "\"";
}

struct family {
  const char* name;
  expectation (*expected)(const json& truth);
};
constexpr family families[] = {{"hwloc", of_hwloc},
                               {"ib_fabric", of_fabric},
                               {"k8s", of_kubernetes},
                               {"malformed", of_malformed},
                               {"nccl_xml", of_nccl},
                               {"nvidia_smi_other", of_smi_other},
                               {"nvidia_smi_topo", of_smi_topo},
                               {"rocm_smi", of_rocm},
                               {"scheduler", of_scheduler},
                               {"simulator", of_simulator},
                               {"topograph_model", of_topograph}};

/// Compares one file; returns how many values.
std::size_t compare(const family& of, const real_file& file) {
  expect_keys_known(file.name, file.truth);
  const std::string wanted = file.truth.value("expect", "");
  const document text{file.text, file.name};
  json shown;
  try {
    shown = json::parse(to_json(summarise(read(recognise(text), text))));
  } catch (const error& failure) {
    EXPECT_EQ(failure.code(), errc::parse) << file.name;
    EXPECT_FALSE(wanted.empty()) << failure.what();
    return 1;
  }
  EXPECT_FALSE(wanted.starts_with("error") || wanted.starts_with("reject:")) << file.name << ": " << wanted;
  const expectation expected = of.expected(file.truth);
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(shown.at(key), value) << file.name << ": " << key;
  expect_sums(file.name, file.truth, shown);
  return expected.size();
}

TEST(summary_truth, every_real_file_shows_what_a_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  std::size_t files = 0, values = 0;
  for (const family& of : families)
    for (const real_file& each : testing::real_files_of(of.name)) {
      ++files;
      values += compare(of, each);
    }
  std::printf("%zu values of %zu files\n", values, files);
  std::size_t described = 0;
  for (std::istringstream lines(testing::text_of(testing::real_files() / "TRUTH.md")); lines;) {
    std::string line;
    std::getline(lines, line);
    described += line.starts_with("### ") ? 1 : 0;
  }
  EXPECT_EQ(files, described);
  EXPECT_GE(files, 157u);
}

}  // namespace
}  // namespace hawser::discovery
