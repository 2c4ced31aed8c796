// Merges partial topology graphs into one: nodes by identity, links by what they join, figures by provenance.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::topology {

namespace detail {

/// What tells links apart: their ends and kind; parallel links have a number.
using link_key = std::tuple<node_index, node_index, edge_kind>;

inline link_key key_of(node_index a, node_index b, edge_kind kind) {
  return {std::min(a, b), std::max(a, b), kind};
}

/// How much a figure is worth. A probe measures, a report repeats a data sheet, a file may be old.
constexpr int worth(provenance source) noexcept {
  switch (source) {
    case provenance::probed: return 3;
    case provenance::reported: return 2;
    case provenance::file: return 1;
    case provenance::assumed: break;
  }
  return 0;
}

/// The same link as two sources tell it: the better figures, and a finding where equally good ones differ.
inline edge combine(graph& into, edge known, const edge& other) {
  const std::string subject = into.nodes()[known.a].name + " - " + into.nodes()[known.b].name;
  if (known.rate && other.rate && known.rate->bytes_per_second != other.rate->bytes_per_second &&
      worth(known.source) == worth(other.source))
    into.note({severity::warning, "contradictory-bandwidth", subject,
               to_string(*known.rate) + " and " + to_string(*other.rate) + "; the smaller is taken"});
  const bool is_better = worth(other.source) > worth(known.source);
  if (other.rate && (!known.rate || is_better))
    known.rate = other.rate;
  else if (other.rate && known.rate && worth(other.source) == worth(known.source))
    known.rate->bytes_per_second = std::min(known.rate->bytes_per_second, other.rate->bytes_per_second);
  if (other.latency && (!known.latency || is_better)) known.latency = other.latency;
  if (is_better && (other.rate || other.latency)) known.source = other.source;
  for (const auto& [key, value] : other.attributes) known.attributes.emplace(key, value);
  return known;
}

/// An NVSwitch of one host that is not visible: what a source takes to join GPUs whose links it can only count. The
/// switches of a clique are none: they join hosts, which those of one host cannot do in their place.
inline bool is_stand_in(const graph& machine, node_index index) {
  const node& part = machine.nodes()[index];
  const auto names_clique = [](const std::string& identity) { return identity.starts_with("clique/"); };
  return part.kind == node_kind::nvswitch && part.attributes.contains(attribute::virtual_part) &&
         machine.host_of(index) && std::ranges::none_of(part.identities, names_clique);
}

/// The links of one GPU to stand-ins that are among those to visible switches too.
inline std::vector<edge_index> links_told_twice(const graph& machine, node_index gpu) {
  std::map<node_index, std::vector<edge_index>> to_stand_in;
  std::size_t to_visible = 0;
  for (edge_index each : machine.edges_of(gpu)) {
    const node_index other = machine.other_end(each, gpu);
    if (machine.edges()[each].kind != edge_kind::nvlink || machine.nodes()[other].kind != node_kind::nvswitch) continue;
    if (is_stand_in(machine, other))
      to_stand_in[other].push_back(each);
    else if (!machine.nodes()[other].attributes.contains(attribute::virtual_part))
      ++to_visible;
  }
  std::vector<edge_index> twice;
  for (const auto& [part, links] : to_stand_in)
    if (links.size() <= to_visible) twice.insert(twice.end(), links.begin(), links.end());
  return twice;
}

/// The graph without some links, and without the stand-ins that have none left.
inline graph without(const graph& machine, const std::set<edge_index>& links) {
  std::set<node_index> unused;
  for (edge_index each : links)
    for (node_index end : {machine.edges()[each].a, machine.edges()[each].b}) {
      const auto is_kept = [&](edge_index other) {
        return machine.edges()[other].kind == edge_kind::nvlink && !links.contains(other);
      };
      if (is_stand_in(machine, end) && std::ranges::none_of(machine.edges_of(end), is_kept)) unused.insert(end);
    }
  graph kept;
  std::vector<node_index> index_of(machine.nodes().size());
  for (node_index each = 0; each < machine.nodes().size(); ++each)
    if (!unused.contains(each)) index_of[each] = kept.add_node(machine.nodes()[each]);
  for (edge_index each = 0; each < machine.edges().size(); ++each) {
    edge between = machine.edges()[each];
    if (links.contains(each) || unused.contains(between.a) || unused.contains(between.b)) continue;
    between.a = index_of[between.a], between.b = index_of[between.b];
    kept.add_edge(std::move(between));
  }
  for (const finding& each : machine.findings()) kept.note(each);
  for (std::size_t each = 0; each < aspect_names.size(); ++each)
    if (machine.tells(static_cast<aspect>(each))) kept.tell(static_cast<aspect>(each));
  return kept;
}

/// Drops the links that one source tells to a stand-in and another to visible switches.
inline void drop_links_told_twice(graph& machine, const std::vector<node_index>& touched) {
  std::set<node_index> gpus;
  for (node_index each : touched) {
    if (machine.nodes()[each].kind == node_kind::gpu) gpus.insert(each);
    if (!is_stand_in(machine, each)) continue;
    for (node_index next : machine.neighbours(each))
      if (machine.nodes()[next].kind == node_kind::gpu) gpus.insert(next);
  }
  std::set<edge_index> twice;
  for (node_index each : gpus)
    for (edge_index link : links_told_twice(machine, each)) twice.insert(link);
  if (!twice.empty()) machine = without(machine, twice);
}

}  // namespace detail

/// Adds what `from` tells to `into`. Nodes that share an identity are one; of parallel links the k-th of one graph is
/// the k-th of the other, so two sources that see the same 18 cables yield 18, and where they count differently the
/// larger number stays. Where one tells of a GPU's links to NVSwitches that it cannot see and the other of as many to
/// visible ones, in whichever order, those to the visible ones stay. Of different figures the better provenance wins
/// (probed, reported, file, assumed). Contradictions become findings. Linear in the size of `from`, up to logarithms,
/// unless such links are dropped.
inline void merge(graph& into, const graph& from) {
  std::vector<node_index> index_of;
  index_of.reserve(from.nodes().size());
  for (const node& each : from.nodes()) index_of.push_back(into.merge_node(each));
  std::map<detail::link_key, std::vector<edge_index>> known;
  for (node_index each : index_of)
    for (edge_index link : into.edges_of(each)) {
      const edge& between = into.edges()[link];
      std::vector<edge_index>& parallel = known[detail::key_of(between.a, between.b, between.kind)];
      if (parallel.empty() || parallel.back() < link) parallel.push_back(link);
    }
  std::map<detail::link_key, std::size_t> seen;
  for (edge each : from.edges()) {
    each.a = index_of[each.a];
    each.b = index_of[each.b];
    if (each.a == each.b) continue;  // two parts that another source knows to be one
    const detail::link_key key = detail::key_of(each.a, each.b, each.kind);
    const std::size_t number = seen[key]++;
    const auto found = known.find(key);
    if (found == known.end() || number >= found->second.size())
      into.add_edge(each);
    else
      into.revise(found->second[number], detail::combine(into, into.edges()[found->second[number]], each));
  }
  for (const finding& each : from.findings()) into.note(each);
  for (std::size_t each = 0; each < aspect_names.size(); ++each)
    if (from.tells(static_cast<aspect>(each))) into.tell(static_cast<aspect>(each));
  detail::drop_links_told_twice(into, index_of);
}

}  // namespace hawser::topology
