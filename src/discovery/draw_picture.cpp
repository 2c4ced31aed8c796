// From a topology to the boxes, frames and lines of its drawing.
#include "draw_picture.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace hawser::discovery::drawing {

namespace {

using topology::edge_kind;
using topology::node_index;
using topology::node_kind;

constexpr std::size_t most_open_hosts = 2;

// Network on top, then NICs and NUMA nodes, PCI switches, GPUs, and what joins GPUs at the bottom.
int level_of(const topology::node& part) {
  switch (part.kind) {
    case node_kind::nvswitch: return 1;
    case node_kind::gpu: return 2;
    case node_kind::pci_switch: return 3;
    case node_kind::host: return 4;
    case node_kind::cpu: return 5;
    case node_kind::nic: return 6;
    default: return 6 + topology::switch_tier(part);
  }
}

class painter {
 public:
  painter(const topology::graph& machine, const draw_options& options) : machine_(machine), options_(options) {}

  picture run() {
    find_hosts();
    const bool may_open = hosts_ > 0 && hosts_ <= most_open_hosts && (arrange(true), twins_fit());
    if (!may_open) arrange(false);
    if (!may_open && !twins_fit()) {
      make_boxes(look_alikes(machine_, made_.units, links_, options_.most_boxes));
      made_.shows_names = false;
    }
    draw_lines();
    draw_frames();
    return std::move(made_);
  }

 private:
  // The host of each node, in one pass over the edges.
  void find_hosts() {
    host_of_.resize(machine_.nodes().size());
    for (const topology::edge& each : machine_.edges()) {
      if (each.kind != edge_kind::contains) continue;
      for (const auto& [host, part] : {std::pair{each.a, each.b}, {each.b, each.a}})
        if (machine_.nodes()[host].kind == node_kind::host && machine_.nodes()[part].kind != node_kind::host &&
            topology::switch_tier(machine_.nodes()[part]) == 0 && !host_of_[part])
          host_of_[part] = host;
    }
    for (const topology::node& each : machine_.nodes()) hosts_ += each.kind == node_kind::host;
    for (node_index each = 0; each < machine_.nodes().size(); ++each)
      if (machine_.nodes()[each].kind == node_kind::nvswitch && !host_of_[each]) host_of_[each] = only_host(each);
  }

  // The host of all that a switch joins; none where the switch is told to join hosts.
  std::optional<node_index> only_host(node_index middle) const {
    for (const std::string& identity : machine_.nodes()[middle].identities)
      if (identity.starts_with("clique/")) return std::nullopt;
    std::optional<node_index> host;
    for (const topology::edge_index each : machine_.edges_of(middle)) {
      const auto other = host_of_[machine_.other_end(each, middle)];
      if (!other || (host && *host != *other)) return std::nullopt;
      host = other;
    }
    return host;
  }

  // Units and the links between them; open hosts are frames, not units, where they hold anything.
  void arrange(bool opens_hosts) {
    made_ = {}, links_.clear();
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> unit_of(machine_.nodes().size(), none);
    std::unordered_set<node_index> open;
    for (node_index each = 0; opens_hosts && each < machine_.nodes().size(); ++each)
      if (host_of_[each]) open.insert(*host_of_[each]);
    std::map<node_index, std::size_t> frame_of;
    for (node_index each = 0; each < machine_.nodes().size(); ++each) {
      if (open.contains(each) || (!opens_hosts && host_of_[each]) || !is_drawn(machine_.nodes()[each])) continue;
      unit_of[each] = made_.units.size();
      made_.units.push_back({each, {}, level_of(machine_.nodes()[each])});
      if (!opens_hosts || !host_of_[each]) continue;
      const auto [known, is_new] = frame_of.try_emplace(*host_of_[each], frame_of.size() + 1);
      if (is_new) made_.frames.push_back({node_kind::host, machine_.nodes()[*host_of_[each]].name});
      made_.units.back().host = known->second;
    }
    for (node_index each = 0; !opens_hosts && each < machine_.nodes().size(); ++each)
      if (host_of_[each]) {
        unit_of[each] = unit_of[*host_of_[each]];
        ++made_.units[unit_of[each]].holds[static_cast<std::size_t>(machine_.nodes()[each].kind)];
      }
    for (const topology::edge& each : machine_.edges()) {
      const std::size_t a = unit_of[each.a], b = unit_of[each.b];
      if (each.kind != edge_kind::contains && a != none && b != none && a != b)
        links_.push_back({a, b, each.kind, each.rate ? each.rate->bytes_per_second : 0});
    }
  }

  bool twins_fit() {
    make_boxes(twins(machine_, made_.units, links_));
    if (made_.units.size() > options_.most_cells || made_.boxes.size() > options_.most_boxes) return false;
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    for (const unit_link& each : links_) pairs.insert(std::minmax(box_of_[each.a], box_of_[each.b]));
    return pairs.size() <= 2 * options_.most_boxes;
  }

  void make_boxes(std::vector<std::size_t> classes) {
    box_of_ = std::move(classes);
    made_.boxes.clear();
    for (std::size_t each = 0; each < box_of_.size(); ++each) {
      if (box_of_[each] >= made_.boxes.size()) made_.boxes.resize(box_of_[each] + 1);
      made_.boxes[box_of_[each]].units.push_back(each);
      made_.boxes[box_of_[each]].frame = made_.units[each].host;
    }
  }

  int level_of_box(std::size_t each) const { return made_.units[made_.boxes[each].units[0]].level; }

  void draw_lines() {
    struct tally {
      std::unordered_map<std::size_t, std::size_t> links_of;  // per unit of the subject
      std::set<std::pair<std::size_t, std::size_t>> pairs;
    };
    std::map<std::tuple<std::size_t, std::size_t, edge_kind>, std::size_t> number;
    std::vector<tally> tallies;
    for (const unit_link& each : links_) {
      std::size_t upper = box_of_[each.a], lower = box_of_[each.b];
      if (std::pair(level_of_box(upper), lower) < std::pair(level_of_box(lower), upper)) std::swap(upper, lower);
      const auto [known, is_new] = number.try_emplace({upper, lower, each.kind}, made_.lines.size());
      if (is_new) {
        const bool is_domain = kind_of_box(lower) == node_kind::nvswitch;
        made_.lines.push_back({upper, lower, each.kind, {}, 0, is_domain ? upper : lower});
        tallies.emplace_back();
      }
      line& drawn = made_.lines[known->second];
      tally& counted = tallies[known->second];
      ++drawn.links;
      ++drawn.links_of_rate[each.rate];
      for (const auto& [unit, other] : {std::pair{each.a, each.b}, {each.b, each.a}}) {
        if (box_of_[unit] != drawn.subject) continue;
        ++counted.links_of[unit];
        counted.pairs.emplace(unit, other);
      }
    }
    for (std::size_t each = 0; each < made_.lines.size(); ++each)
      summarise(made_.lines[each], tallies[each].links_of, tallies[each].pairs.size());
  }

  void summarise(line& drawn, const std::unordered_map<std::size_t, std::size_t>& links_of, std::size_t pairs) const {
    const std::size_t members = made_.boxes[drawn.subject].units.size();
    drawn.least = links_of.size() < members ? 0 : drawn.links;
    for (const auto& [unit, links] : links_of) {
      drawn.least = std::min(drawn.least, links);
      drawn.most = std::max(drawn.most, links);
    }
    drawn.is_tree = pairs == members && drawn.least > 0;
  }

  // A rack is a box of leaf switches and what hangs on it alone, an NVLink domain one of NVSwitches likewise.
  void draw_frames() {
    for (const node_kind around : {node_kind::nvswitch, node_kind::leaf_switch}) {
      std::vector<std::set<std::size_t>> joined_by(made_.boxes.size());
      for (const line& each : made_.lines)
        for (const auto& [box, other] : {std::pair{each.upper, each.lower}, {each.lower, each.upper}})
          if (kind_of_box(box) == around && box != other && (each.is_tree || around == node_kind::nvswitch))
            joined_by[other].insert(box);
          else if (kind_of_box(box) == around && box != other)
            joined_by[other].insert({box, other});  // on several leaves: in no rack
      std::map<std::size_t, std::vector<std::size_t>> members;
      for (std::size_t each = 0; each < made_.boxes.size(); ++each) {
        const node_kind kind = kind_of_box(each);
        if (joined_by[each].size() == 1 && made_.boxes[each].frame == 0 &&
            (kind == node_kind::host || kind == node_kind::gpu))
          members[*joined_by[each].begin()].push_back(each);
      }
      for (const auto& [middle, boxes] : members) {
        if (made_.boxes[middle].frame != 0) continue;
        made_.frames.push_back({around, title_of(around, middle)});
        made_.boxes[middle].frame = made_.frames.size();
        for (const std::size_t each : boxes) made_.boxes[each].frame = made_.frames.size();
      }
    }
  }

  node_kind kind_of_box(std::size_t each) const {
    return machine_.nodes()[made_.units[made_.boxes[each].units[0]].node].kind;
  }
  std::string title_of(node_kind around, std::size_t middle) const {
    const std::size_t count = made_.boxes[middle].units.size();
    if (around == node_kind::nvswitch) return "NVLink domain" + std::string(made_.shows_names || count == 1 ? "" : "s");
    return count == 1 ? "rack" : std::to_string(count) + " racks";
  }

  const topology::graph& machine_;
  const draw_options& options_;
  picture made_;
  std::size_t hosts_ = 0;
  std::vector<std::optional<node_index>> host_of_;
  std::vector<unit_link> links_;
  std::vector<std::size_t> box_of_;
};

}  // namespace

picture picture_of(const topology::graph& machine, const draw_options& options) {
  return painter(machine, options).run();
}

}  // namespace hawser::discovery::drawing
