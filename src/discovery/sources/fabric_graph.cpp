// From the model of a fabric to the topology graph: tiers of switches, hosts and their adapters, links.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "fabric.hpp"
#include "fabric_names.hpp"

namespace hawser::discovery::fabric {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::node_index;
using topology::node_kind;
using topology::severity;

namespace {

std::string at_both_ends(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty() || a == b) return a.empty() ? b : a;
  return a + "/" + b;
}

class builder {
 public:
  builder(model network, topology::provenance source)
      : network_(std::move(network)),
        source_(source),
        cables_(cables_of(network_)),
        levels_(levels_of(network_, cables_)) {
    for (const cable& each : cables_) {
      mark_if_seen(each.a.device, each.b.device);
      mark_if_seen(each.b.device, each.a.device);
    }
  }

  topology::graph run() {
    depth_ = levels_.empty() ? 0 : *std::max_element(levels_.begin(), levels_.end());
    for (const device& each : network_.devices) count_name(each);
    for (std::size_t each = 0; each < network_.devices.size(); ++each) add_device(each);
    for (const cable& each : cables_) add_link(each);
    tell();
    for (topology::finding& each : network_.remarks.all()) graph_.note(std::move(each));
    return std::move(graph_);
  }

 private:
  bool is_switch(std::size_t which) const {
    // Routers join subnets as switches join ports.
    const device_kind kind = network_.devices[which].kind;
    return kind == device_kind::network_switch || kind == device_kind::router;
  }

  void mark_if_seen(std::size_t node, std::size_t from) {
    if (is_aggregation_node(network_.devices[node])) reducing_.insert(from);
  }

  void count_name(const device& part) {
    if (part.kind == device_kind::network_switch || part.kind == device_kind::router) {
      ++switches_named_[parse_switch_name(part.description).name];
    } else if (const std::string host = parse_adapter_name(part.description).host; !host.empty()) {
      hosts_named_[plain_name(host)].insert(host);
    }
  }

  // Without the domain; an address has none.
  static std::string plain_name(const std::string& name) {
    const std::string plain = name.substr(0, name.find('.'));
    return plain.find_first_not_of("0123456789") == std::string::npos ? name : plain;
  }

  // The identities that no other device has taken.
  std::vector<std::string> free_of(std::vector<std::string> wanted) {
    std::vector<std::string> free;
    for (std::string& each : wanted)
      if (taken_.insert(each).second) free.push_back(std::move(each));
    return free;
  }

  std::vector<std::string> guids_of(const device& part) {
    std::vector<std::uint64_t> guids = part.port_guids;
    guids.insert(guids.begin(), part.guid);
    std::vector<std::string> found;
    std::unordered_set<std::uint64_t> own;
    for (std::uint64_t each : guids) {
      if (each == 0 || !own.insert(each).second) continue;
      std::vector<std::string> free = free_of({identity::guid(guid_text(each))});
      if (free.empty())
        network_.remarks.add({severity::error, "duplicate-guid", guid_text(each),
                              "two devices have it, one of them \"" + printable(part.description) +
                                  "\": the subnet manager can address only one of them"});
      else
        found.push_back(std::move(free.front()));
    }
    return found;
  }

  void add_device(std::size_t which) {
    const device& part = network_.devices[which];
    node_index_.push_back(is_switch(which) ? add_switch(which, part) : add_adapter(part));
  }

  node_index add_switch(std::size_t which, const device& part) {
    const switch_name known = parse_switch_name(part.description);
    topology::node made{.kind = kind_of(which), .name = known.name, .identities = guids_of(part)};
    const bool is_only = switches_named_[known.name] == 1 && !known.name.empty();
    if (!is_only) {
      const std::string label = part.guid != 0 ? guid_text(part.guid) : printable(part.id);
      made.name = known.name.empty() ? label : known.name + " " + label;
    }
    if (is_only && known.is_own)
      for (std::string& each : free_of({identity::network_switch(known.name)})) made.identities.push_back(each);
    if (made.identities.empty()) made.identities.push_back(made_up_identity(part));
    if (part.guid != 0) made.attributes[attribute::guid] = guid_text(part.guid);
    if (!known.model.empty()) made.attributes[attribute::model] = known.model;
    if (part.kind == device_kind::router) made.attributes["router"] = "1";
    if (levels_[which] == 0) made.attributes["tier"] = "unknown";
    if (made.kind == node_kind::core_switch && depth_ > 3)
      made.tier = std::min(levels_[which], topology::max_switch_tier);
    made.can_reduce = reducing_.contains(which);
    return graph_.add_node(std::move(made));
  }

  // A switch without an adapter in reach has no known level. One that is listed itself, with no adapter, is no leaf.
  node_kind kind_of(std::size_t which) const {
    const int level = levels_[which];
    if (level == 1 || (level == 0 && !network_.devices[which].is_described)) return node_kind::leaf_switch;
    return level <= 2 ? node_kind::spine_switch : node_kind::core_switch;
  }

  node_index add_adapter(const device& part) {
    const bool is_aggregation = is_aggregation_node(part);
    const adapter_name known = is_aggregation ? adapter_name{} : parse_adapter_name(part.description);
    topology::node made{.kind = node_kind::nic, .name = known.device, .identities = guids_of(part)};
    const std::uint64_t guid = part.guid != 0 || part.port_guids.empty() ? part.guid : part.port_guids.front();
    if (made.name.empty()) made.name = guid != 0 ? guid_text(guid) : std::string("HCA");
    if (is_device_name(known.device))
      for (std::string& each : free_of({identity::nic(known.host, known.device)})) made.identities.push_back(each);
    if (made.identities.empty()) made.identities.push_back(made_up_identity(part));
    made.attributes[attribute::link_layer] = "InfiniBand";
    if (is_device_name(known.device)) made.attributes[attribute::device] = known.device;
    if (part.guid != 0) made.attributes[attribute::guid] = guid_text(part.guid);
    if (is_aggregation) made.attributes["aggregation_node"] = "1";
    if (known.host.empty()) {
      made.name = printable(part.description) + (part.description.empty() ? "" : " ") + made.name;
      unnamed_ += is_aggregation ? 0 : 1;
      if (!is_aggregation && first_unnamed_.empty()) first_unnamed_ = made.name;
      return graph_.add_node(std::move(made));
    }
    made.name = known.host + ":" + made.name;
    const node_index host = host_of(known.host);
    const node_index nic = graph_.add_node(std::move(made));
    graph_.contain(host, nic);
    return nic;
  }

  node_index host_of(const std::string& name) {
    const auto [entry, is_new] = hosts_.try_emplace(name, 0);
    if (!is_new) return entry->second;
    std::vector<std::string> wanted = {identity::host(name)};
    const std::string plain = plain_name(name);  // schedulers leave the domain out
    if (plain != name && hosts_named_[plain].size() == 1) wanted.push_back(identity::host(plain));
    entry->second = graph_.add_node({.kind = node_kind::host, .name = name, .identities = std::move(wanted)});
    return entry->second;
  }

  std::string made_up_identity(const device& part) {
    const std::vector<std::string> free = free_of({"fabric/" + printable(part.id)});
    return free.empty() ? "fabric-device/" + std::to_string(node_index_.size()) : free.front();
  }

  void add_link(const cable& each) {
    const auto a = each.at_a.rate(), b = each.at_b.rate();
    topology::edge link{.a = node_index_[each.a.device],
                        .b = node_index_[each.b.device],
                        .kind = topology::edge_kind::infiniband,
                        .source = source_};
    if (a && b)
      link.rate = bandwidth{std::min(a->bytes_per_second, b->bytes_per_second)};
    else
      link.rate = a ? a : b;
    const auto put = [&](const char* key, std::string value) {
      if (!value.empty()) link.attributes.emplace(key, std::move(value));
    };
    put(attribute::width, at_both_ends(each.at_a.width_text(), each.at_b.width_text()));
    put(attribute::speed, at_both_ends(each.at_a.speed_text(), each.at_b.speed_text()));
    put(attribute::max_width, each.could.width_text());
    put(attribute::max_speed, each.could.speed_text());
    put(attribute::ports, std::to_string(each.a.number) + "-" + std::to_string(each.b.number));
    graph_.add_edge(std::move(link));
  }

  void tell() {
    using topology::aspect;
    std::size_t unknown = 0, unlisted = 0, switches = 0, adapters = 0;
    for (std::size_t each = 0; each < network_.devices.size(); ++each) {
      adapters += is_switch(each) ? 0 : 1;
      if (!is_switch(each)) continue;
      ++switches;
      unknown += levels_[each] == 0 ? 1 : 0;
      unlisted += network_.devices[each].is_described ? 0 : 1;
    }
    graph_.tell(aspect::links);
    if (unknown == 0) graph_.tell(aspect::switches);
    // Without any adapter it is an excerpt: somebody asked the fabric from one.
    if (adapters > 0) graph_.tell(aspect::nics);
    // Adapters without a host's name are a finding; they may be of the hosts that others name.
    if (!hosts_.empty()) graph_.tell(aspect::hosts);
    note_gaps(switches, unknown, unlisted);
  }

  void note_gaps(std::size_t switches, std::size_t unknown, std::size_t unlisted) {
    const std::string of = std::to_string(switches) + " switches";
    if (unlisted > 0)
      network_.remarks.add(
          {severity::warning, "switch-not-listed", "fabric",
           std::to_string(unlisted) + " of " + of +
               " are only named as the far end of a cable: the file is an excerpt, or discovery was cut "
               "short, and what else is cabled to them is not known"});
    if (unknown > 0)
      network_.remarks.add(
          {severity::info, "tier-unknown", "fabric",
           "no host is in reach of " + std::to_string(unknown) + " of " + of + ", so their tier is not known"});
    if (unnamed_ > 0)
      network_.remarks.add({severity::info, "adapter-without-host", first_unnamed_,
                            "the descriptions of " + std::to_string(unnamed_) +
                                (unnamed_ == 1 ? " adapter" : " adapters") +
                                " name no host (the driver sets them, as in \"node01 mlx5_0\"): whose they are "
                                "is not known" +
                                (hosts_.empty() ? "" : "; the hosts are those that the others name")});
    if (depth_ > topology::max_switch_tier)
      network_.remarks.add({severity::warning, "fabric-too-deep", "fabric",
                            "it has " + std::to_string(depth_) + " tiers of switches; those above " +
                                std::to_string(topology::max_switch_tier) + " are taken as one"});
  }

  model network_;
  topology::provenance source_;
  std::vector<cable> cables_;
  std::vector<int> levels_;
  int depth_ = 0;
  topology::graph graph_;
  std::vector<node_index> node_index_;  // by device
  std::unordered_set<std::size_t> reducing_;
  std::unordered_map<std::string, std::size_t> switches_named_;
  std::unordered_map<std::string, std::unordered_set<std::string>> hosts_named_;  // by name without domain
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, node_index> hosts_;
  std::size_t unnamed_ = 0;
  std::string first_unnamed_;
};

}  // namespace

std::vector<int> levels_of(const model& network, const std::vector<cable>& cables) {
  const auto is_switch = [&](std::size_t which) {
    return network.devices[which].kind == device_kind::network_switch ||
           network.devices[which].kind == device_kind::router;
  };
  std::vector<int> levels(network.devices.size(), 0);
  std::vector<std::vector<std::size_t>> next(network.devices.size());
  std::deque<std::size_t> waiting;
  for (const cable& each : cables)
    for (const auto& [here, there] : {std::pair{each.a.device, each.b.device}, {each.b.device, each.a.device}}) {
      if (!is_switch(here)) continue;
      if (is_switch(there)) {
        next[here].push_back(there);
      } else if (!is_aggregation_node(network.devices[there]) && levels[here] == 0) {
        levels[here] = 1;
        waiting.push_back(here);
      }
    }
  for (; !waiting.empty(); waiting.pop_front())
    for (std::size_t each : next[waiting.front()])
      if (levels[each] == 0) {
        levels[each] = levels[waiting.front()] + 1;
        waiting.push_back(each);
      }
  return levels;
}

topology::graph to_graph(model network, topology::provenance source) {
  return builder(std::move(network), source).run();
}

}  // namespace hawser::discovery::fabric
