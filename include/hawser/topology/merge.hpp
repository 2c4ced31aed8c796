// Merges partial topology graphs into one: nodes by identity, links by what they join, figures by provenance.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

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

}  // namespace detail

/// Adds what `from` tells to `into`. Nodes that share an identity are one; of parallel links the k-th of one graph is
/// the k-th of the other, so two sources that see the same 18 cables yield 18, and where they count differently the
/// larger number stays. Of different figures the better provenance wins (probed, reported, file, assumed).
/// Contradictions become findings. Linear in the size of `from`, up to logarithms.
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
}

}  // namespace hawser::topology
