// What the tests of InfiniBand fabrics share: generated fat trees as ibnetdiscover writes them, and counts of graphs.
#pragma once

#include <cstdio>
#include <map>
#include <string>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::testing {

struct fat_tree {
  int leaves = 4;
  int spines = 2;
  int hosts_per_leaf = 4;
  std::string speed = "4xHDR";
};

inline std::string guid_digits(unsigned kind, int number) {
  char text[24];
  std::snprintf(text, sizeof text, "%08x%08x", kind, static_cast<unsigned>(number) * 16);
  return text;
}

/// Leaf l has the hosts of its number at ports 1, 2, ... and a cable to each spine after them.
inline std::string ibnetdiscover_text(const fat_tree& tree) {
  const auto leaf = [](int l) { return guid_digits(0x1eaf, l); };
  const auto spine = [](int s) { return guid_digits(0x5713e, s); };
  const auto host = [](int h) { return guid_digits(0xca, h); };
  const auto port = [](int h) { return guid_digits(0xcb, h); };
  const auto number = [](int value) { return std::to_string(value); };
  const auto name = [&](int h) { return "node" + number(h) + " mlx5_0"; };
  const int per_leaf = tree.hosts_per_leaf;
  std::string text = "#\n# Topology file: generated on Mon Jan  5 10:00:00 2026\n#\n";
  for (int l = 0; l < tree.leaves; ++l) {
    text += "\nswitchguid=0x" + leaf(l) + "(" + leaf(l) + ")\nSwitch\t" + number(per_leaf + tree.spines) + " \"S-" +
            leaf(l) + "\"\t\t# \"MF0;leaf" + number(l) + ":MQM8700/U1\" enhanced port 0 lid 1 lmc 0\n";
    for (int h = l * per_leaf; h < (l + 1) * per_leaf; ++h)
      text += "[" + number(h - l * per_leaf + 1) + "]\t\"H-" + host(h) + "\"[1](" + port(h) + ") \t\t# \"" + name(h) +
              "\" lid 5 " + tree.speed + "\n";
    for (int s = 0; s < tree.spines; ++s)
      text += "[" + number(per_leaf + s + 1) + "]\t\"S-" + spine(s) + "\"[" + number(l + 1) + "]\t\t# \"MF0;spine" +
              number(s) + ":MQM8700/U1\" lid 5 " + tree.speed + "\n";
  }
  for (int s = 0; s < tree.spines; ++s) {
    text += "\nSwitch\t" + number(tree.leaves) + " \"S-" + spine(s) + "\"\t\t# \"MF0;spine" + number(s) +
            ":MQM8700/U1\" enhanced port 0 lid 1 lmc 0\n";
    for (int l = 0; l < tree.leaves; ++l)
      text += "[" + number(l + 1) + "]\t\"S-" + leaf(l) + "\"[" + number(per_leaf + s + 1) + "]\t\t# \"MF0;leaf" +
              number(l) + ":MQM8700/U1\" lid 5 " + tree.speed + "\n";
  }
  for (int h = 0; h < tree.leaves * per_leaf; ++h)
    text += "\ncaguid=0x" + host(h) + "\nCa\t1 \"H-" + host(h) + "\"\t\t# \"" + name(h) + "\"\n[1](" + port(h) +
            ") \t\"S-" + leaf(h / per_leaf) + "\"[" + number(h % per_leaf + 1) + "]\t\t# lid 5 lmc 0 \"MF0;leaf" +
            number(h / per_leaf) + ":MQM8700/U1\" lid 5 " + tree.speed + "\n";
  return text;
}

inline std::size_t count_of(const topology::graph& machine, topology::node_kind kind) {
  std::size_t number = 0;
  for (const topology::node& each : machine.nodes()) number += each.kind == kind ? 1 : 0;
  return number;
}

inline std::size_t links_of(const topology::graph& machine) {
  std::size_t number = 0;
  for (const topology::edge& each : machine.edges()) number += each.kind == topology::edge_kind::infiniband ? 1 : 0;
  return number;
}

inline std::map<int, std::size_t> switches_by_tier(const topology::graph& machine) {
  std::map<int, std::size_t> switches;
  for (const topology::node& each : machine.nodes())
    if (topology::switch_tier(each) > 0 && !each.attributes.contains("tier")) ++switches[topology::switch_tier(each)];
  return switches;
}

inline std::string value_of(const std::map<std::string, std::string>& attributes, const std::string& key) {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

}  // namespace hawser::testing
