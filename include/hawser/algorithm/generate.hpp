// From a plan's algorithm name to one rank's schedule.
//
// Names: a flat algorithm's ("ring"), over all ranks as one group; or "hierarchical(a,b,...)", one algorithm per level,
// innermost first, the last one serving the outermost level. An all-to-all names one per phase, two or three: its last
// phase joins all units that are left, whatever the levels above them.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/algorithm/hierarchical_all_reduce.hpp>
#include <hawser/algorithm/hierarchical_blocks.hpp>
#include <hawser/algorithm/hierarchical_exchange.hpp>
#include <hawser/algorithm/hierarchical_exchange_3d.hpp>
#include <hawser/algorithm/hierarchical_rooted.hpp>
#include <hawser/algorithm/registry.hpp>
#include <hawser/schedule/builder.hpp>

namespace hawser::algorithm {

inline constexpr std::string_view hierarchical_prefix = "hierarchical(";

/// An algorithm's name taken apart: one flat name, or one per level, innermost first.
struct parsed_name {
  bool is_hierarchical = false;
  std::vector<std::string_view> parts;
};

/// Never throws: what is no form of "hierarchical(...)" is one flat name, known or not.
inline parsed_name parse_name(std::string_view name) {
  if (!name.starts_with(hierarchical_prefix) || !name.ends_with(')')) return {false, {name}};
  parsed_name parsed{true, {}};
  std::string_view rest = name.substr(hierarchical_prefix.size());
  rest.remove_suffix(1);
  while (true) {
    const std::size_t comma = rest.find(',');
    parsed.parts.push_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return parsed;
    rest.remove_prefix(comma + 1);
  }
}

/// The registered algorithm of a name. Throws errc::not_found that lists what there is.
template <class Algorithms>
const auto& find(const Algorithms& algorithms, std::string_view name, std::string_view what) {
  std::string known;
  for (const auto& each : algorithms) {
    if (each.name == name) return each;
    known.append(known.empty() ? "" : ", ").append(each.name);
  }
  fail(errc::not_found, "unknown " + std::string(what) + " algorithm \"" + std::string(name) + "\"", {},
       "use one of " + known + ", or hierarchical(...) of them, innermost level first");
}

namespace detail {

using schedule::collective;
using schedule::request;
using topology::hierarchy;

constexpr bool is_exchange(collective what) {
  return what == collective::all_to_all || what == collective::all_to_all_v;
}

/// A barrier is an all-reduce of a token, and has the same phases on several levels.
constexpr bool is_all_reduce(collective what) {
  return what == collective::all_reduce || what == collective::barrier;
}

/// All ranks as one group: in the order of positions, so that neighbours are near, or of ranks where order counts.
struct everybody {
  everybody(const hierarchy& whole, const request& what, rank self)
      : tree(&whole), in_rank_order(whole.is_in_rank_order() || what.needs_order()) {
    const int n = static_cast<int>(whole.size());
    members = {
        n, topology::is_switch(whole, self) ? n : index_of(self),
        in_rank_order ? std::function([](int i) { return rank(i); }) : [&whole](int i) { return whole.rank_at(i); }};
    // A switch joins all ranks where only one level has several units.
    const std::vector<int> levels = active_levels(whole);
    if (levels.size() == 1) members.network_switch = topology::reducing_switches(whole).at(levels[0], 0);
  }
  int index_of(rank r) const { return in_rank_order ? r.value : static_cast<int>(tree->position_of(r)); }

  const hierarchy* tree;
  bool in_rank_order;
  group members;
};

/// Member i's block of a buffer with one block per rank.
inline locator block_of_each(buffer where, const group& members) {
  return [where, at = members.at](int first, int last) {
    region_list list;
    for (int i = first; i < last; ++i) append(list, where, {at(i).value, at(i).value + 1});
    return list;
  };
}

/// Partial sums lie in scratch, the block of self in the output.
inline locator result_of_self(const group& members) {
  return [self = members.self, partial = block_of_each(buffer::scratch, members)](int first, int last) {
    if (self < first || self >= last) return partial(first, last);
    region_list list = partial(first, self);
    append(list, buffer::output, {0, 1});
    join(list, partial(self + 1, last));
    return list;
  };
}

template <class Phase>
std::vector<const flat_algorithm<Phase>*> outermost_first(const parsed_name& name,
                                                          std::span<const flat_algorithm<Phase>> algorithms,
                                                          std::string_view what) {
  std::vector<const flat_algorithm<Phase>*> chosen;
  for (auto part = name.parts.rbegin(); part != name.parts.rend(); ++part)
    chosen.push_back(&find(algorithms, *part, what));
  return chosen;
}

inline void check_levels(const ladder& levels, const parsed_name& name) {
  if (static_cast<int>(name.parts.size()) != levels.size())
    fail(errc::unsupported, "the algorithm names " + std::to_string(name.parts.size()) + " levels",
         "the hierarchy has " + std::to_string(levels.size()) + " with more than one unit");
}

/// The hierarchical all-to-all: a phase inside each rack and one across; with three names, one inside each pod between.
inline void generate_exchange(const hierarchy& tree, const request& what, const parsed_name& name, builder& out) {
  const std::size_t levels = active_levels(tree).size();
  if (name.parts.size() > std::min<std::size_t>(levels, 3) || (name.parts.size() < 2 && levels > 1))
    fail(errc::unsupported, "the algorithm names " + std::to_string(name.parts.size()) + " phases",
         "the hierarchy has " + std::to_string(levels) + " levels with more than one unit, an all-to-all two phases, " +
             "or three over at least as many levels");
  for (std::string_view part : name.parts)
    if (part != "pairwise")
      fail(errc::unsupported, "\"" + std::string(part) + "\" cannot be a phase of a hierarchical all-to-all",
           "its parts meet pairwise", "use hierarchical(pairwise,pairwise)");
  if (name.parts.size() == 3) return hierarchical_exchange_3d(tree, what.has_ragged_blocks, out).generate();
  hierarchical_exchange(tree, what.has_ragged_blocks, out).generate();
}

template <class Algorithms>
bool has(const Algorithms& algorithms, std::string_view name) {
  return std::any_of(std::begin(algorithms), std::end(algorithms), [&](const auto& each) { return each.name == name; });
}

/// Whether an inner level of an all-reduce of this name goes by a leader: the name is a reduce's and a broadcast's, and
/// no reduce-scatter's.
inline bool goes_by_leader(std::string_view part) {
  return has(reduce_algorithms, part) && has(broadcast_algorithms, part) && !has(reduce_scatter_algorithms, part);
}

/// Whether an algorithm of this name sends to switches that reduce.
inline bool needs_switch(std::string_view part) {
  const auto needs = [&](const auto& algorithms) {
    return std::any_of(std::begin(algorithms), std::end(algorithms),
                       [&](const auto& each) { return each.name == part && each.needs_switch; });
  };
  return needs(all_reduce_algorithms) || needs(reduce_scatter_algorithms) || needs(broadcast_algorithms);
}

inline inner_algorithms inner_of_all_reduce(std::string_view part) {
  if (goes_by_leader(part))
    return {.reduce = &find(reduce_algorithms, part, "reduce"),
            .broadcast = &find(broadcast_algorithms, part, "broadcast")};
  return {.scatter = &find(reduce_scatter_algorithms, part, "reduce_scatter"),
          .gather = &find(all_gather_algorithms, part, "all_gather")};
}

/// A barrier's token has no parts that could be scattered among ranks: inside it goes by leaders or through switches.
inline inner_algorithms inner_of_barrier(std::string_view part) {
  if (!goes_by_leader(part) && !needs_switch(part))
    fail(errc::unsupported, "\"" + std::string(part) + "\" cannot be an inner phase of a hierarchical barrier",
         "its token has no parts", "use linear or binomial inside");
  return inner_of_all_reduce(part);
}

inline void generate_hierarchical(const hierarchy& tree, const request& what, const parsed_name& name, builder& out) {
  const bool is_switch = topology::is_switch(tree, out.self());
  if (is_exchange(what.what)) return is_switch ? void() : generate_exchange(tree, what, name, out);
  const ladder levels(tree);
  check_levels(levels, name);
  switch (what.what) {
    case collective::all_reduce:
    case collective::barrier: {
      const bool is_barrier = what.what == collective::barrier;
      std::vector<inner_algorithms> inner;
      for (std::size_t i = name.parts.size() - 1; i-- > 0;)
        inner.push_back(is_barrier ? inner_of_barrier(name.parts[i]) : inner_of_all_reduce(name.parts[i]));
      const auto& outermost = is_barrier ? find(barrier_algorithms, name.parts.back(), "barrier")
                                         : find(all_reduce_algorithms, name.parts.back(), "all_reduce");
      return hierarchical_all_reduce(levels, inner, outermost, out).generate();
    }
    case collective::reduce_scatter:
      return hierarchical_blocks(levels, out)
          .reduce_scatter(outermost_first<reduce_scatter_phase>(name, reduce_scatter_algorithms, "reduce_scatter"));
    case collective::all_gather:
      return hierarchical_blocks(levels, out)
          .all_gather(outermost_first<all_gather_phase>(name, all_gather_algorithms, "all_gather"));
    case collective::broadcast:
      return hierarchical_rooted(levels, what.root, out)
          .broadcast(outermost_first<rooted_phase>(name, broadcast_algorithms, "broadcast"));
    case collective::reduce:
      return hierarchical_rooted(levels, what.root, out)
          .reduce(outermost_first<rooted_phase>(name, reduce_algorithms, "reduce"));
    default:
      fail(errc::unsupported, std::string(to_string(what.what)) + " has no hierarchical form", {},
           "use a flat algorithm");
  }
}

inline void generate_flat(const hierarchy& tree, const request& what, std::string_view name, builder& out) {
  const everybody all(tree, what, out.self());
  const group& members = all.members;
  if (members.is_switch() && (!needs_switch(name) || out.self() != members.network_switch)) return;
  const int root = all.index_of(what.root);
  const region_list own_input = at(buffer::input, {0, 1}), own_output = at(buffer::output, {0, 1});
  switch (what.what) {
    case collective::all_reduce:
      return find(all_reduce_algorithms, name, "all_reduce").generate({members, {0, 1}, buffer::input}, out);
    case collective::barrier:
      return find(barrier_algorithms, name, "barrier").generate({members, {0, 1}, buffer::input}, out);
    case collective::reduce_scatter: {
      const auto& algorithm = find(reduce_scatter_algorithms, name, "reduce_scatter");
      if (algorithm.needs_accumulator) out.reserve_scratch(members.size);
      return algorithm.generate({members, block_of_each(buffer::input, members), result_of_self(members)}, out);
    }
    case collective::all_gather:
      return find(all_gather_algorithms, name, "all_gather")
          .generate({members, own_input, block_of_each(buffer::output, members)}, out);
    case collective::all_to_all:
    case collective::all_to_all_v:
      return find(all_to_all_algorithms, name, "all_to_all")
          .generate({members, block_of_each(buffer::input, members), block_of_each(buffer::output, members)}, out);
    case collective::broadcast:
      return find(broadcast_algorithms, name, "broadcast").generate({members, root, {0, 1}, buffer::input}, out);
    case collective::reduce:
      return find(reduce_algorithms, name, "reduce").generate({members, root, {0, 1}, buffer::input}, out);
    case collective::gather:
      return find(gather_algorithms, name, "gather")
          .generate({members, root, own_input, block_of_each(buffer::output, members)}, out);
    case collective::scatter:
      return find(scatter_algorithms, name, "scatter")
          .generate({members, root, block_of_each(buffer::input, members), own_output}, out);
  }
}

/// A switch's schedule: it has no buffers of its own, and scratch like the larger of a caller's for each member that it
/// joins. Without steps where the algorithm does not use it.
inline schedule::schedule generate_switch(const hierarchy& tree, request what, std::string_view algorithm, rank self) {
  what.in_place = false;
  builder out(what, self, tree.size());
  const auto joined = topology::reducing_switches(tree).place_of(self);
  for (std::int64_t i = 0; i < tree.at(joined.level).units.size(joined.parent); ++i)
    out.reserve_scratch(
        std::max(schedule::input_blocks(what.what, tree.size()), schedule::output_blocks(what.what, tree.size())));
  if (const parsed_name name = parse_name(algorithm); tree.size() > 1 && name.is_hierarchical)
    generate_hierarchical(tree, what, name, out);
  else if (tree.size() > 1)
    generate_flat(tree, what, algorithm, out);
  schedule::schedule made = std::move(out).finish();
  made.input_blocks = made.output_blocks = 0;
  if (made.steps.empty()) made.scratch_blocks = 0, made.scratch_like.clear();
  return made;
}

}  // namespace detail

/// One rank's schedule, in time and memory proportional to that rank's own steps. Pure: no I/O, no payload.
/// A number beyond the ranks is a switch's that reduces (topology/switches.hpp).
/// Throws errc::not_found for an unknown algorithm, errc::unsupported where it does not fit the hierarchy.
inline schedule::schedule generate(const topology::hierarchy& tree, const schedule::request& what,
                                   std::string_view algorithm, rank self) {
  if (topology::is_switch(tree, self)) return detail::generate_switch(tree, what, algorithm, self);
  builder out(what, self, tree.size());
  const parsed_name name = parse_name(algorithm);
  if (tree.size() == 1) {
    const std::int64_t blocks = schedule::input_blocks(what.what, 1);
    out.copy(at(buffer::output, {0, blocks}), at(buffer::input, {0, blocks}));
    return std::move(out).finish();
  }
  // A block of the input may be read after its place in the output was written.
  if (out.is_in_place() && detail::is_exchange(what.what)) out.stage_input();
  if (name.is_hierarchical)
    detail::generate_hierarchical(tree, what, name, out);
  else
    detail::generate_flat(tree, what, algorithm, out);
  return std::move(out).finish();
}

}  // namespace hawser::algorithm
