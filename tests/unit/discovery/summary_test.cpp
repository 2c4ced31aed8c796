// Tests the summary: what is counted, what is unknown, both forms.
#include <hawser/discovery/summary.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "discovery/lint_support.hpp"
#include "discovery/natural_order.hpp"

namespace hawser::discovery {
namespace {

using topology::aspect;

/// Two hosts of `gpus` GPUs with NVLink among them, a NIC each, below a leaf each and a spine.
machine two_hosts(int gpus) {
  machine made;
  const node_index spine = made.spine("spine");
  for (int each = 0; each < 2; ++each) {
    const std::string number = std::to_string(each);
    const node_index leaf = made.leaf("leaf" + number), host = made.host("n" + number);
    made.link(leaf, spine, edge_kind::infiniband, 100);
    made.link(made.nic(host, 0), leaf, edge_kind::infiniband, 50);
    made.part(node_kind::cpu, host, "numa0");
    const node_index joint = made.part(node_kind::nvswitch, host, "nvswitches");
    for (int gpu = 0; gpu < gpus; ++gpu) made.nvlinks(made.gpu(host, gpu), joint, 18);
  }
  return made;
}

void tell_all(graph& parts) {
  for (std::size_t each = 0; each < topology::aspect_names.size(); ++each) parts.tell(static_cast<aspect>(each));
}

TEST(summary, counts_what_the_sources_tell) {
  machine made = two_hosts(12);
  tell_all(made.parts);
  const summary found = summarise(made.parts);
  EXPECT_EQ(found.hosts, 2);
  EXPECT_EQ(found.gpus, 24);
  EXPECT_EQ(found.nics, 2);
  EXPECT_EQ(found.numa_nodes, 2);
  EXPECT_EQ(found.links, 4);
  EXPECT_EQ(found.switches_by_level, (std::map<int, std::int64_t>{{1, 2}, {2, 1}}));
  EXPECT_EQ(found.levels, (std::vector<std::string>{"rack", "gpu"}));
  ASSERT_EQ(found.nvlink_domains->size(), 2u);
  EXPECT_EQ(found.nvlink_domains->at(0).size(), 12u);
  EXPECT_EQ(found.nvlink_domains->at(0).at(2), "n0:GPU2");  // not GPU10
  EXPECT_EQ(found.nvlink_domains->at(1).back(), "n1:GPU11");
}

TEST(summary, what_nobody_tells_is_unknown_and_not_zero) {
  const summary found = summarise(two_hosts(8).parts);
  EXPECT_FALSE(found.hosts || found.gpus || found.nvlink_domains || found.nics || found.numa_nodes ||
               found.switches_by_level || found.links);
  const auto json = nlohmann::json::parse(to_json(found));
  for (const char* key : {"hosts", "gpus", "nvlink_domains", "nics", "numa_nodes", "switches_by_level", "links"})
    EXPECT_TRUE(json.at(key).is_null()) << key;
  machine empty;
  empty.host("n");
  tell_all(empty.parts);
  const summary none = summarise(empty.parts);
  EXPECT_EQ(none.hosts, 1);
  EXPECT_EQ(none.gpus, 0);
  EXPECT_EQ(none.links, 0);
  EXPECT_TRUE(none.nvlink_domains->empty());
  EXPECT_TRUE(none.switches_by_level->empty());
}

TEST(summary, virtual_switches_are_no_switches) {
  machine made = two_hosts(2);
  tell_all(made.parts);
  const node_index top = made.parts.add_node({node_kind::core_switch, "(top)", {"top"}, {{"virtual", "1"}}, 64});
  made.link(top, 0, edge_kind::infiniband);
  EXPECT_EQ(summarise(made.parts).switches_by_level, (std::map<int, std::int64_t>{{1, 2}, {2, 1}}));
}

TEST(summary, links_that_lead_back_and_links_of_other_kinds_are_not_counted) {
  machine made = two_hosts(2);
  tell_all(made.parts);
  const node_index host = *made.parts.find("host/n0");
  made.link(made.nic(host, 1), made.nic(host, 2), edge_kind::infiniband);
  made.link(made.nic(host, 3), made.gpu(host, 2), edge_kind::pci);
  EXPECT_EQ(summarise(made.parts).links, 4);
  made.link(made.nic(host, 4), made.nic(*made.parts.find("host/n1"), 4), edge_kind::ethernet);
  EXPECT_EQ(summarise(made.parts).links, 5);
}

TEST(summary, single_gpus_are_no_domain) {
  machine made;
  const node_index host = made.host("n");
  for (int each = 0; each < 4; ++each) made.gpu(host, each);
  made.nvlinks(2, 4, 2);
  made.parts.tell(aspect::nvlink);
  EXPECT_EQ(summarise(made.parts).nvlink_domains, (std::vector<std::vector<std::string>>{{"n:GPU1", "n:GPU3"}}));
}

TEST(summary, says_why_no_hierarchy_follows) {
  machine apart;
  apart.host("a"), apart.host("b");
  const summary found = summarise(apart.parts);
  EXPECT_FALSE(found.levels);
  const auto reason = std::find_if(found.findings.begin(), found.findings.end(),
                                   [](const finding& each) { return each.code == "no-hierarchy"; });
  ASSERT_NE(reason, found.findings.end());
  EXPECT_NE(reason->message.find("disconnected"), std::string::npos) << reason->message;
  EXPECT_EQ(summarise(graph()).findings.at(0).level, severity::info);
}

TEST(summary, json_is_the_documented_object) {
  machine made = two_hosts(2);
  tell_all(made.parts);
  made.parts.note({severity::error, "a-code", "bad \xff name", "a message"});
  const auto json = nlohmann::ordered_json::parse(to_json(summarise(made.parts)));
  std::vector<std::string> keys;
  for (const auto& each : json.items()) keys.push_back(each.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"hosts", "gpus", "nvlink_domains", "nics", "numa_nodes",
                                            "switches_by_level", "links", "levels", "findings"}));
  EXPECT_EQ(json["hosts"], 2);
  EXPECT_EQ(json["nvlink_domains"], nlohmann::json::parse(R"([["n0:GPU0", "n0:GPU1"], ["n1:GPU0", "n1:GPU1"]])"));
  EXPECT_EQ(json["switches_by_level"], (nlohmann::json{{"1", 2}, {"2", 1}}));
  const auto& first = json["findings"][0];
  EXPECT_EQ(first["code"], "a-code");
  EXPECT_EQ(first["severity"], "error");
  EXPECT_EQ(first["message"], "a message");
  EXPECT_EQ(first.size(), 4u);
}

TEST(summary, text_is_aligned_and_puts_the_worst_first) {
  machine made = two_hosts(8);
  made.parts.tell(aspect::hosts);
  made.parts.tell(aspect::nvlink);
  made.parts.tell(aspect::switches);
  for (int each = 0; each < 6; ++each) made.parts.note({severity::info, "many", std::to_string(each), "m"});
  made.parts.note({severity::error, "bad", "x", "broken"});
  const std::string text = to_text(summarise(made.parts));
  EXPECT_EQ(
      text,
      "hosts           2\n"
      "GPUs            unknown\n"
      "NVLink domains  2 (8 GPUs each)\n"
      "NICs            unknown\n"
      "NUMA nodes      unknown\n"
      "switches        2 on level 1, 1 on level 2\n"
      "links           unknown\n"
      "levels          rack > gpu\n"
      "findings        error: 1, info: 8\n"
      "  error bad: x: broken\n"
      "  info many: 0: m\n  info many: 1: m\n  info many: 2: m\n  info many: 3: m\n  info many: 2 more\n"
      "  info unknown-figures: rack: some figures of the links are unknown; known or built-in ones take their place\n"
      "  info unknown-figures: gpu: some figures of the links are unknown; known or built-in ones take their place\n")
      << text;
}

TEST(natural_order, compares_numbers_of_any_length) {
  std::vector<std::string> names{"n10", "n9:GPU10", "n9:GPU2", "n09", "n9", "n99999999999999999999999", "m", ""};
  std::sort(names.begin(), names.end(), natural_less);
  EXPECT_EQ(names,
            (std::vector<std::string>{"", "m", "n09", "n9", "n9:GPU2", "n9:GPU10", "n10", "n99999999999999999999999"}));
}

}  // namespace
}  // namespace hawser::discovery
