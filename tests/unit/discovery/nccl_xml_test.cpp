// NCCL topology XML: what real files say, what each quirk becomes, and that what is written is read as the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include <hawser/discovery/nccl_xml.hpp>
#include <hawser/discovery/source.hpp>
#include <hawser/topology/attributes.hpp>
#include <hawser/topology/derive.hpp>
#include <hawser/topology/identity.hpp>
#include <hawser/topology/nearest.hpp>

#include "discovery/sources/nccl_xml_parse.hpp"
#include "discovery/sources/sources.hpp"
#include "support/mutate.hpp"
#include "support/truth.hpp"
#include "topology/support.hpp"

namespace hawser::discovery {
namespace {

using nlohmann::json;
using topology::edge;
using topology::edge_kind;
using topology::graph;
using topology::node;
using topology::node_index;
using topology::node_kind;

namespace attribute = topology::attribute;

graph read(const std::string& text, const std::string& name = "t.xml") {
  return discovery::read(nccl_xml, {text, name}, {"n1"});
}
nccl::document parsed(const std::string& text) {
  return nccl::parse({text, "t.xml"});
}
std::string fixture(const std::string& name) {
  const auto file = std::filesystem::path(HAWSER_TEST_DATA) / "data" / "nccl-xml" / name;
  EXPECT_TRUE(std::filesystem::exists(file)) << file;
  return testing::text_of(file);
}

std::vector<node_index> all_of(const graph& machine, node_kind kind) {
  std::vector<node_index> found;
  for (node_index each = 0; each < machine.nodes().size(); ++each)
    if (machine.nodes()[each].kind == kind) found.push_back(each);
  return found;
}
json text_or_null(const node& part, const char* key) {
  const auto found = part.attributes.find(key);
  return found == part.attributes.end() ? json() : json(found->second);
}
int links_between(const graph& machine, node_index a, node_index b) {
  int count = 0;
  for (topology::edge_index each : machine.edges_of(a)) {
    const edge_kind kind = machine.edges()[each].kind;
    count += machine.other_end(each, a) == b && (kind == edge_kind::nvlink || kind == edge_kind::xgmi);
  }
  return count;
}
bool has_finding(const graph& machine, const std::string& code) {
  return std::ranges::any_of(machine.findings(), [&](const auto& each) { return each.code == code; });
}

/// The keys of TRUTH.md, computed from the document and the graph.
class truth_of {
 public:
  explicit truth_of(const std::string& text) : file_(parsed(text)), machine_(read(text)) {
    gpus_ = all_of(machine_, node_kind::gpu);
  }

  json value(const std::string& key) {
    if (key == "well_formed") return true;
    if (key == "root") return "system";
    if (key == "system_version") return std::to_string(file_.version);
    if (key == "cpus") return all_of(machine_, node_kind::cpu).size();
    if (key == "hosts") return all_of(machine_, node_kind::host).size();
    if (key == "gpus") return gpus_.size();
    if (key == "pci_bridges") return all_of(machine_, node_kind::pci_switch).size();
    if (key == "distinct_net_devices") return all_of(machine_, node_kind::nic).size();
    if (key == "numaids") return numaids();
    if (key == "gpu_busids_in_file_order") return of_gpus(attribute::pci, json());
    if (key == "gpu_numaid") return of_gpus(attribute::numa, "?");
    if (key == "gpu_dev_in_file_order") return devs();
    if (key == "sm") return compute();
    if (key == "pci_without_known_class") return unknown();
    if (key == "nics") return nics();
    if (key == "nets_repeated_under_several_cpus") return repeated();
    if (key == "c2c") return chip_links();
    if (key == "nvlink") return links();
    if (key == "closest_nic_by_gpu") return nearest();
    ADD_FAILURE() << "TRUTH.md has a key that is not compared: " << key;
    return {};
  }

 private:
  const node& part(node_index index) const { return machine_.nodes()[index]; }

  json numaids() const {
    json all = json::array();
    for (node_index each : all_of(machine_, node_kind::cpu)) all.push_back(text_or_null(part(each), attribute::numa));
    return all;
  }
  json of_gpus(const char* key, const json& absent) const {
    json all = json::array();
    for (node_index each : gpus_) {
      const json value = text_or_null(part(each), key);
      all.push_back(value.is_null() ? absent : value);
    }
    return all;
  }
  json devs() const {
    json all = json::array();
    for (node_index each : gpus_) {
      const json value = text_or_null(part(each), attribute::index);
      if (value.is_null()) return {};
      all.push_back(std::stoi(value.get<std::string>()));
    }
    return gpus_.empty() ? json() : all;
  }
  json compute() const {
    std::set<std::string> all;
    for (node_index each : gpus_)
      if (part(each).attributes.contains("sm")) all.insert(part(each).attributes.at("sm"));
    return all;
  }
  json unknown() const {
    json all = json::array();
    for (const nccl::device& each : file_.devices)
      if (kind_of(each) == nccl::device_kind::unknown) all.push_back(to_string(*each.id));
    return all;
  }
  json nics() const {
    json all = json::array();
    for (node_index each : all_of(machine_, node_kind::nic)) {
      const node& nic = part(each);
      const json speed = text_or_null(nic, attribute::rate_mbit);
      json numa = json::array();
      for (node_index cpu : cpus_of(each)) {
        const json number = text_or_null(part(cpu), attribute::numa);
        numa.push_back(number.is_null() ? json("?") : number);
      }
      all.push_back({{"name", text_or_null(nic, attribute::device)},
                     {"busid", text_or_null(nic, attribute::pci)},
                     {"speed_mbps", speed.is_null() ? json() : json(std::stoll(speed.get<std::string>()))},
                     {"numaid", numa},
                     {"gdr", text_or_null(nic, attribute::gdr)}});
    }
    return all;
  }
  // Upwards: in a graph of one file bridges come before what is below them.
  std::vector<node_index> cpus_of(node_index from) const {
    std::vector<node_index> found;
    for (topology::edge_index each : machine_.edges_of(from)) {
      const node_index above = machine_.other_end(each, from);
      if (machine_.edges()[each].kind != edge_kind::pci) continue;
      if (part(above).kind == node_kind::cpu)
        found.push_back(above);
      else if (above < from)
        return cpus_of(above);
    }
    return found;
  }
  json repeated() const {
    json all = json::array();
    for (node_index each : all_of(machine_, node_kind::nic))
      if (cpus_of(each).size() > 1) all.push_back(part(each).attributes.at(attribute::device));
    return all;
  }
  std::string key_of(node_index gpu) const {
    const auto& all = part(gpu).attributes;
    if (!devs().is_null()) return all.at(attribute::index);
    return std::to_string(std::ranges::find(gpus_, gpu) - gpus_.begin());
  }
  json chip_links() const {
    json all = json::object();
    for (node_index gpu : gpus_) {
      int count = 0;
      double rate = 0;
      for (topology::edge_index each : machine_.edges_of(gpu))
        if (const edge& link = machine_.edges()[each]; link.kind == edge_kind::interconnect)
          ++count, rate = link.rate->bytes_per_second;
      if (count > 0)
        all[key_of(gpu)] = {{"bw", std::to_string(static_cast<int>(rate / 1e6))}, {"count", std::to_string(count)}};
    }
    return all;
  }
  json nearest() const {
    json all = json::object();
    for (node_index gpu : gpus_) {
      const topology::near_nics found = topology::nearest_nics(machine_, gpu);
      json names = json::array();
      for (node_index each : found.nics) {
        const json name = text_or_null(part(each), attribute::device);
        names.push_back(name.is_null() ? text_or_null(part(each), attribute::pci) : name);
      }
      if (!found.nics.empty()) all[key_of(gpu)] = {{"level", std::string(to_string(found.distance))}, {"nics", names}};
    }
    return all;
  }

  json links() const {
    std::set<int> per_gpu;
    std::set<std::string> elements, targets;
    std::map<std::string, int> pairs;
    int to_self = 0;
    for (const nccl::device& each : file_.devices)
      for (const nccl::gpu& gpu : each.gpus) {
        int sum = 0;
        for (const nccl::link& row : gpu.links) {
          sum += row.count;
          elements.insert(row.is_xgmi ? "xgmi" : "nvlink");
          if (row.target == each.id) to_self += row.count;
        }
        if (sum > 0) per_gpu.insert(sum);
      }
    if (per_gpu.empty()) return {{"type", "none"}};
    json all{{"element", elements}, {"links_per_gpu", per_gpu}};
    for (node_index each : all_of(machine_, node_kind::nvswitch))
      targets.insert(part(each).attributes.contains(attribute::pci) ? part(each).attributes.at(attribute::pci)
                                                                    : "fffffff:ff:ff.0");
    if (!targets.empty()) {
      all["type"] = "switch", all["switch_targets"] = targets, all["domain_gpus"] = domains()[0];
      return all;
    }
    if (to_self > 0) {
      all["type"] = "none_usable", all["links_to_self"] = to_self;
      return all;
    }
    std::vector<std::pair<int, node_index>> ordered;
    for (node_index each : gpus_) ordered.emplace_back(std::stoi(key_of(each)), each);
    std::sort(ordered.begin(), ordered.end());
    json pair_links = json::object();
    for (std::size_t a = 0; a < ordered.size(); ++a)
      for (std::size_t b = a + 1; b < ordered.size(); ++b)
        if (const int count = links_between(machine_, ordered[a].second, ordered[b].second); count > 0)
          pair_links[std::to_string(ordered[a].first) + "-" + std::to_string(ordered[b].first)] = count;
    all["pair_links"] = pair_links;
    all["domains"] = domains();
    std::size_t full = 0;
    for (const json& each : all["domains"]) full += each.size() * (each.size() - 1) / 2;
    all["type"] = full != pair_links.size()    ? "partial_mesh"
                  : all["domains"].size() == 1 ? "full_mesh"
                                               : "full_mesh_per_domain";
    return all;
  }
  json domains() const {
    topology::detail::disjoint_sets sets(machine_.nodes().size());
    for (const edge& each : machine_.edges())
      if (each.kind == edge_kind::nvlink || each.kind == edge_kind::xgmi) sets.unite(each.a, each.b);
    std::map<std::size_t, std::set<int>> members;
    for (node_index each : gpus_) members[sets.find(each)].insert(std::stoi(key_of(each)));
    std::set<std::set<int>> all;
    for (const auto& entry : members) all.insert(entry.second);
    return all;
  }

  nccl::document file_;
  graph machine_;
  std::vector<node_index> gpus_;
};

std::vector<testing::real_file> real_dumps() {
  auto files = testing::real_files_of("nccl_xml");
  std::erase_if(files, [](const auto& each) { return each.name.find("flagcx") != std::string::npos; });
  return files;
}

TEST(nccl_xml, real_files_give_what_a_careful_reader_finds) {
  HAWSER_NEEDS_REAL_FILES();
  const auto files = real_dumps();
  ASSERT_EQ(files.size(), 30u);
  for (const auto& each : files) {
    SCOPED_TRACE(each.name);
    EXPECT_TRUE(nccl_xml.recognises({each.text, each.name}));
    truth_of found(each.text);
    for (const auto& [key, value] : each.truth.items())
      if (!key.starts_with("_")) {
        EXPECT_EQ(found.value(key), value) << key;
      }
  }
}

TEST(nccl_xml, what_is_written_of_a_real_file_is_read_as_the_same_graph) {
  HAWSER_NEEDS_REAL_FILES();
  for (const auto& each : real_dumps()) {
    SCOPED_TRACE(each.name);
    const graph first = read(each.text);
    const graph second = read(to_nccl_xml(first, "n1"));
    ASSERT_EQ(first.nodes().size(), second.nodes().size());
    for (node_index at = 0; at < first.nodes().size(); ++at)
      EXPECT_EQ(first.nodes()[at], second.nodes()[at]) << first.nodes()[at].name << " / " << second.nodes()[at].name;
    EXPECT_EQ(first.edges(), second.edges());
    for (std::size_t what = 0; what < topology::aspect_names.size(); ++what)
      EXPECT_EQ(first.tells(static_cast<topology::aspect>(what)), second.tells(static_cast<topology::aspect>(what)))
          << topology::aspect_names[what];
    EXPECT_EQ(to_nccl_xml(first, "n1"), to_nccl_xml(second, "n1"));
  }
}

const edge& pci_edge(const graph& machine, const std::string& part) {
  const auto at = machine.find("host/n1/pci/" + part);
  EXPECT_TRUE(at) << part;
  for (topology::edge_index each : machine.edges_of(*at))
    if (machine.edges()[each].kind == edge_kind::pci) return machine.edges()[each];
  throw std::logic_error(part + " has no PCI link");
}
const node& node_of(const graph& machine, const std::string& identity) {
  const auto at = machine.find(identity);
  EXPECT_TRUE(at) << identity;
  return machine.nodes().at(*at);
}

TEST(nccl_xml, pci_classes_tell_the_devices_but_nothing_of_nvlink) {
  const graph machine = read(fixture("class_only.xml"));
  EXPECT_EQ(all_of(machine, node_kind::gpu).size(), 4u);
  EXPECT_EQ(all_of(machine, node_kind::nic).size(), 2u);
  EXPECT_EQ(all_of(machine, node_kind::nvswitch).size(), 1u);
  EXPECT_EQ(all_of(machine, node_kind::pci_switch).size(), 1u);
  EXPECT_TRUE(machine.tells(topology::aspect::gpus));
  EXPECT_FALSE(machine.tells(topology::aspect::nvlink));
  EXPECT_TRUE(has_finding(machine, "nvlink-not-told"));
  EXPECT_TRUE(has_finding(machine, "unknown-pci-class"));
  EXPECT_EQ(node_of(machine, "host/n1/pci/0000:10:00.0").name, "n1:GPU-0000:10:00.0");
}

TEST(nccl_xml, pcie_rates_follow_generation_lanes_and_encoding) {
  const graph machine = read(fixture("link_speeds.xml"));
  const auto rate = [&](const std::string& part) {
    const auto& known = pci_edge(machine, part).rate;
    return known ? known->bytes_per_second : 0;
  };
  EXPECT_EQ(rate("0000:01:00.0"), 0);
  EXPECT_EQ(rate("0000:02:00.0"), 0);
  EXPECT_EQ(pci_edge(machine, "0000:02:00.0").attributes.at("link_speed"), "Unknown");
  EXPECT_NEAR(rate("0000:03:00.0"), 31.5e9, 0.1e9);
  EXPECT_NEAR(rate("0000:04:00.0"), 31.5e9, 0.1e9);
  EXPECT_NEAR(rate("0000:05:00.0"), 121e9, 0.1e9);
  EXPECT_EQ(rate("0000:06:00.0"), 0.25e9);
  EXPECT_EQ(rate("0000:07:00.0"), 0);
  EXPECT_EQ(rate("0000:08:00.0"), 0);
  EXPECT_EQ(pci_edge(machine, "0000:04:00.0").attributes.at(attribute::speed), "gen5");
  EXPECT_EQ(pci_edge(machine, "0000:04:00.0").attributes.at(attribute::width), "8x");
  EXPECT_TRUE(has_finding(machine, "unknown-link-speed"));
  EXPECT_TRUE(machine.tells(topology::aspect::nvlink));  // GPUs as NCCL found them: none has a link
}

TEST(nccl_xml, hidden_nvswitches_are_one_virtual_node) {
  const graph machine = read(fixture("hidden_switch.xml"));
  const auto at = machine.find("host/n1/nvswitches");
  ASSERT_TRUE(at);
  EXPECT_EQ(machine.nodes()[*at].attributes.at(attribute::virtual_part), "1");
  EXPECT_EQ(links_between(machine, *machine.find("host/n1/gpu/0"), *at), 18);
  EXPECT_EQ(links_between(machine, *machine.find("host/n1/gpu/1"), *at), 17);
  EXPECT_EQ(node_of(machine, "host/n1/gpu/1").attributes.at(attribute::nvlinks_active), "17");
  EXPECT_EQ(node_of(machine, "host/n1/gpu/0").attributes.at(attribute::numa), "-1");
  EXPECT_FALSE(machine.tells(topology::aspect::numa));
  EXPECT_EQ(machine.edges()[machine.edges_of(*at)[1]].rate, bandwidth{20.6e9});
}

TEST(nccl_xml, links_that_lead_to_the_gpu_itself_join_nothing) {
  const graph machine = read(fixture("to_self.xml"));
  EXPECT_TRUE(has_finding(machine, "nvlink-to-self"));
  EXPECT_FALSE(machine.tells(topology::aspect::nvlink));
  EXPECT_TRUE(std::ranges::none_of(machine.edges(), [](const edge& each) { return each.kind == edge_kind::nvlink; }));
}

TEST(nccl_xml, xgmi_rates_are_those_of_rccl) {
  const graph machine = read(fixture("xgmi.xml"));
  std::map<double, int> count_of_rate;
  for (const edge& each : machine.edges())
    if (each.kind == edge_kind::xgmi) ++count_of_rate[each.rate->bytes_per_second];
  EXPECT_EQ(count_of_rate, (std::map<double, int>{{36e9, 4}, {48e9, 1}}));
  EXPECT_EQ(node_of(machine, "host/n1/gpu/0").attributes.at(attribute::compute), "gfx90a");
  EXPECT_NE(to_nccl_xml(machine, "n1").find("<system version=\"2\">"), std::string::npos);
}

TEST(nccl_xml, a_net_counts_once_and_what_is_software_is_marked) {
  const graph machine = read(fixture("nets.xml"));
  EXPECT_EQ(all_of(machine, node_kind::nic).size(), 8u);
  for (const char* name : {"veth12ab34", "br-0123456789ab", "docker0"})
    EXPECT_TRUE(node_of(machine, "host/n1/nic/" + std::string(name)).attributes.contains(attribute::software)) << name;
  for (const char* name : {"eth0", "mlx5_0", "cxi0"})
    EXPECT_FALSE(node_of(machine, "host/n1/nic/" + std::string(name)).attributes.contains(attribute::software)) << name;
  EXPECT_FALSE(node_of(machine, "host/n1/nic/docker0").attributes.contains(attribute::rate_mbit));
  for (const char* code : {"repeated-net", "software-net", "implausible-nic-speed", "duplicate-nic-name"})
    EXPECT_TRUE(has_finding(machine, code)) << code;
  const node_index gpu = *machine.find("host/n1/gpu/0");
  EXPECT_EQ(topology::nearest_nics(machine, gpu).nics.size(), 6u);
  EXPECT_EQ(topology::nearest_nics(machine, gpu, topology::nics_considered::hardware).nics.size(), 3u);
}

TEST(nccl_xml, numbers_are_those_of_the_file_not_its_order) {
  const graph machine = read(fixture("order.xml"));
  EXPECT_EQ(node_of(machine, "host/n1/gpu/2").attributes.at("nccl_rank"), "7");
  EXPECT_EQ(node_of(machine, "host/n1/gpu/2").attributes.at(attribute::numa), "3");
  const auto gpu = [&](int number) { return *machine.find("host/n1/gpu/" + std::to_string(number)); };
  EXPECT_EQ(links_between(machine, gpu(2), gpu(0)), 4);
  EXPECT_EQ(links_between(machine, gpu(2), gpu(1)), 3);  // the ends list 2 and 3
  EXPECT_TRUE(has_finding(machine, "asymmetric-nvlink"));
  EXPECT_TRUE(has_finding(machine, "nvlink-to-unknown-device"));
}

TEST(nccl_xml, partitions_of_a_gpu_share_its_links) {
  const graph machine = read(fixture("c2c_mlopart.xml"));
  EXPECT_EQ(all_of(machine, node_kind::gpu).size(), 1u);
  const node_index gpu = *machine.find("host/n1/gpu/0");
  EXPECT_EQ(links_between(machine, gpu, *machine.find("host/n1/nvswitches")), 18);
  EXPECT_EQ(machine.nodes()[gpu].attributes.at("mlopart"), "0,1");
  EXPECT_TRUE(has_finding(machine, "shared-gpu"));
  const auto is_chip_link = [](const edge& each) {
    return each.kind == edge_kind::interconnect && each.rate == bandwidth{44.712e9};
  };
  EXPECT_EQ(std::ranges::count_if(machine.edges(), is_chip_link), 5);
}

TEST(nccl_xml, a_dump_of_several_hosts_has_one_nvlink_domain) {
  const graph machine = read(fixture("fused_hosts.xml"));
  ASSERT_EQ(all_of(machine, node_kind::host).size(), 2u);
  EXPECT_EQ(machine.find("host/n10/nvswitches"), machine.find("host/n11/nvswitches"));
  EXPECT_EQ(topology::derive(machine).hosted.tree.depth(), 1);  // NVLink joins the hosts
  EXPECT_EQ(all_of(read(to_nccl_xml(machine, "n11")), node_kind::gpu).size(), 1u);
}

TEST(nccl_xml, several_dumps_of_one_host_are_merged) {
  const graph machine = read(fixture("fused_systems.xml"));
  EXPECT_EQ(all_of(machine, node_kind::gpu).size(), 2u);
  EXPECT_EQ(all_of(machine, node_kind::cpu).size(), 1u);
  EXPECT_EQ(links_between(machine, *machine.find("host/n1/gpu/0"), *machine.find("host/n1/gpu/1")), 2);
  EXPECT_TRUE(has_finding(machine, "repeated-device"));
}

TEST(nccl_xml, nvlink_may_lead_to_a_cpu) {
  const graph machine = read(fixture("power_bridge.xml"));
  EXPECT_EQ(links_between(machine, *machine.find("host/n1/gpu/0"), *machine.find("host/n1/numa/8")), 3);
  EXPECT_TRUE(has_finding(machine, "duplicate-gpu-number"));
  EXPECT_TRUE(has_finding(machine, "unknown-element"));
}

TEST(nccl_xml, errors_name_the_place_and_the_reason) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"bad_count.xml", {"system/cpu/pci/gpu/nvlink, line 1", "count is \"1000000000\"", "1024"}},
      {"bad_busid.xml", {"system/cpu/pci[2], line 4", "busid is \"nowhere\""}},
      {"bad_attribute_twice.xml", {"nvlink, line 4", "\"count\" is given twice"}},
      {"bad_root.xml", {"pci, line 1", "the outermost element must be <system>"}},
      {"bad_target.xml", {"nvlink, line 3", "target is \"gpu1\""}},
      {"bad_unclosed.xml", {"line 4"}},
      {"bad_numa.xml", {"system/cpu, line 2", "numaid is \"zero\""}},
      {"bad_empty.xml", {"system, line 1", "no <cpu>"}},
      {"bad_no_count.xml", {"nvlink, line 2", "count is missing"}},
  };
  for (const auto& [name, parts] : expected) {
    const std::string text = fixture(name);
    const error failure = topology::error_of([&] { read(text, name); });
    EXPECT_EQ(failure.code(), errc::parse) << name;
    EXPECT_NE(std::string(failure.what()).find(name), std::string::npos) << failure.what();
    for (const std::string& part : parts)
      EXPECT_NE(std::string(failure.what()).find(part), std::string::npos) << part << "\n" << failure.what();
  }
}

TEST(nccl_xml, malformed_real_files_are_errors) {
  HAWSER_NEEDS_REAL_FILES();
  for (const char* name : {"gb300_gpu_without_nvlink_fragment.xml", "h200_vm_numa_minus1_truncated.xml"}) {
    const std::string text = testing::text_of(testing::real_files() / "malformed" / name);
    EXPECT_TRUE(nccl_xml.recognises({text, name})) << name;
    const error failure = topology::error_of([&] { read(text, name); });
    EXPECT_EQ(failure.code(), errc::parse);
    EXPECT_NE(std::string(failure.what()).find("line "), std::string::npos) << failure.what();
  }
}

TEST(nccl_xml, too_many_elements_and_links_are_refused) {
  std::string many = "<system version=\"1\"><cpu numaid=\"0\">";
  for (int each = 0; each <= 200'000; ++each) many += "<pci busid=\"0:0\"/>";
  EXPECT_NE(std::string(topology::error_of([&] { read(many + "</cpu></system>"); }).what()).find("200000 elements"),
            std::string::npos);
  std::string links = "<system version=\"1\"><cpu numaid=\"0\"><pci busid=\"1:0\"><gpu>";
  for (int each = 0; each < 1000; ++each) links += "<nvlink target=\"fffffff:ff:ff.0\" count=\"1024\"/>";
  EXPECT_NE(std::string(topology::error_of([&] { read(links + "</gpu></pci></cpu></system>"); }).what())
                .find("1000000 links"),
            std::string::npos);
}

TEST(nccl_xml, what_is_written_of_a_fixture_is_read_as_the_same) {
  for (const char* name : {"class_only.xml", "link_speeds.xml", "hidden_switch.xml", "to_self.xml", "xgmi.xml",
                           "nets.xml", "c2c_mlopart.xml", "power_bridge.xml", "gcn_with_dot.xml"}) {
    SCOPED_TRACE(name);
    const graph first = read(fixture(name));
    const graph second = read(to_nccl_xml(first, "n1"));
    EXPECT_EQ(first.nodes(), second.nodes());
    EXPECT_EQ(first.edges(), second.edges());
  }
}

TEST(nccl_xml, the_written_file_has_what_nccl_asks_for) {
  // NCCL's reader takes neither a declaration nor a blank before "/>".
  const std::string text = to_nccl_xml(read(fixture("hidden_switch.xml")), "n1");
  EXPECT_EQ(text.substr(0, text.find('\n')), "<system version=\"1\">");
  EXPECT_EQ(text.find(" />"), std::string::npos);
  for (const char* part :
       {"<cpu host_hash=\"0x1234\" numaid=\"-1\" arch=\"x86_64\" vendor=\"GenuineIntel\" familyid=\"6\" "
        "modelid=\"207\">",
        "<pci busid=\"0000:05:00.0\" class=\"0x030200\" link_speed=\"16.0 GT/s PCIe\" link_width=\"16\">",
        "<gpu dev=\"0\" sm=\"90\" rank=\"0\" gdr=\"1\">",
        "<nvlink target=\"fffffff:ff:ff.0\" count=\"18\" tclass=\"0x068000\"/>",
        "<net name=\"mlx5_0\" dev=\"0\" latency=\"0.000000\" speed=\"400000\" port=\"1\" guid=\"0x3e1a258\" "
        "maxconn=\"131072\" gdr=\"1\" coll=\"1\"/>"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(nccl_xml, a_graph_of_other_sources_can_be_written) {
  graph machine;
  const node_index host = machine.add_node({.kind = node_kind::host, .name = "a", .identities = {"host/a"}});
  const node_index bridge = machine.add_node({.kind = node_kind::pci_switch, .name = "a:plx"});
  const node_index gpu = machine.add_node(
      {.kind = node_kind::gpu,
       .name = "a:GPU0",
       .attributes = {{attribute::pci, "0000:1b:00.0"}, {attribute::index, "0"}, {attribute::compute, "9.0"}}});
  const node_index nic =
      machine.add_node({.kind = node_kind::nic,
                        .name = "a:mlx5_0",
                        .attributes = {{attribute::pci, "0000:1c:00.0"}, {attribute::device, "mlx5_0"}}});
  for (node_index part : {bridge, gpu, nic}) machine.contain(host, part);
  machine.add_edge({.a = bridge, .b = gpu, .kind = edge_kind::pci});
  machine.add_edge({.a = bridge, .b = nic, .kind = edge_kind::pci});
  const std::string text = to_nccl_xml(machine, "a");
  EXPECT_NE(text.find("<gpu dev=\"0\" sm=\"90\"/>"), std::string::npos) << text;
  const graph again = nccl_xml.read({text, "t.xml"}, {"a"});
  const auto rail = topology::nearest_nics(again, *again.find("host/a/gpu/0"));
  EXPECT_EQ(rail.distance, topology::nic_distance::shared_pci_bridge);
  ASSERT_EQ(rail.nics.size(), 1u);
  EXPECT_EQ(again.nodes()[rail.nics[0]].name, "a:mlx5_0");
}

TEST(nccl_xml, what_cannot_be_written_is_an_error) {
  graph machine = read(fixture("xgmi.xml"));
  const error absent = topology::error_of([&] { to_nccl_xml(machine, "n2"); });
  EXPECT_EQ(absent.code(), errc::not_found);
  EXPECT_NE(std::string(absent.what()).find("\"n1\""), std::string::npos) << absent.what();
  machine.contain(*machine.find("host/n1"), machine.add_node({.kind = node_kind::gpu, .name = "n1:GPU9"}));
  const error nowhere = topology::error_of([&] { to_nccl_xml(machine, "n1"); });
  EXPECT_EQ(nowhere.code(), errc::unsupported);
  EXPECT_NE(std::string(nowhere.what()).find("n1:GPU9"), std::string::npos) << nowhere.what();
}

/// What would be refused when it is read again.
TEST(nccl_xml, more_links_than_a_file_may_have_cannot_be_written) {
  graph machine = read(fixture("xgmi.xml"));
  const auto link = std::ranges::find(machine.edges(), topology::edge_kind::xgmi, &topology::edge::kind);
  ASSERT_NE(link, machine.edges().end());
  const topology::edge one = *link;
  for (int i = 0; i < 1025; ++i) machine.add_edge(one);
  const error refused = topology::error_of([&] { to_nccl_xml(machine, "n1"); });
  EXPECT_EQ(refused.code(), errc::unsupported);
  EXPECT_NE(std::string(refused.what()).find("lead to one part"), std::string::npos) << refused.what();
}

TEST(nccl_xml, a_host_of_which_nothing_is_known_cannot_be_written) {
  graph machine;
  machine.add_node({.kind = node_kind::host, .name = "n1", .identities = {topology::identity::host("n1")}});
  const error refused = topology::error_of([&] { to_nccl_xml(machine, "n1"); });
  EXPECT_EQ(refused.code(), errc::unsupported);
  EXPECT_NE(std::string(refused.what()).find("no CPU, GPU or NIC"), std::string::npos) << refused.what();
}

TEST(nccl_xml, any_mutation_is_read_or_refused) {
  const unsigned seed = topology::test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(HAWSER_TEST_DATA) / "data/nccl-xml")) {
    const std::string text = testing::text_of(entry.path());
    for (int round = 0; round < 200; ++round) {
      const std::string mutant = testing::mutated(text, random);
      try {
        const graph machine = read(mutant);
        for (node_index each : all_of(machine, node_kind::gpu)) topology::nearest_nics(machine, each);
        for (node_index each : all_of(machine, node_kind::host)) to_nccl_xml(machine, machine.nodes()[each].name);
      } catch (const error& failure) {
        EXPECT_TRUE(failure.code() == errc::parse || failure.code() == errc::unsupported) << failure.what();
      }
    }
  }
}

TEST(nccl_xml, other_xml_is_not_recognised) {
  for (const char* text :
       {"<topology version=\"3.0\">", "<?xml version=\"1.0\"?><nvidia_smi_log>", "<platform version=\"4\">",
        "<system version=\"1\"><gpu dev=\"0\" net=\"a\"/>", "system", "{}", "", "<!-- <system> -->"})
    EXPECT_FALSE(nccl_xml.recognises({text, "t"})) << text;
  EXPECT_TRUE(nccl_xml.recognises({"\xef\xbb\xbf<!-- a > b -->\n<system><cpu/></system>", "t"}));
}

}  // namespace
}  // namespace hawser::discovery
