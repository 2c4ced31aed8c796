// Simulates an algorithm's schedules on a hierarchy: on classes of ranks where symmetry holds, else rank by rank.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/simulate/engine.hpp>
#include <hawser/simulate/symmetry.hpp>

namespace hawser::simulate {

/// Above this many classes a simulation is refused: a laptop's memory and patience.
inline constexpr std::int64_t most_classes = 8192;
/// Above this many a simulation may be coarser, where that is allowed (`options::lag`, `options::most_steps`).
inline constexpr std::int64_t exact_classes = 256;

/// What a simulation assumes beside the topology.
struct options {
  conditions suffers;
  std::optional<fabric> between;  ///< the fabric of the outermost level; none: one link per unit, ideal
  std::int64_t segments = 1;
  std::int64_t window = schedule::default_window;
  cost::parameters host{};
  /// The links of the machine where more than its hierarchy is known: then every rank is simulated by itself. Goes
  /// with no fabric, and with no conditions, which are of the hierarchy's links.
  std::shared_ptr<const cost::network> links{};
  bool keeps_order = true;   ///< with `links`: messages between two ranks go one after the other, as through a socket
  std::string prepared{};    ///< as `schedule::plan::prepared`; needs every rank by itself, too
  bool uses_classes = true;  ///< false: every rank by itself
  /// Of more than `exact_classes` classes: by how much the flows' fair rates may lag behind a change; 0: not at all.
  seconds lag{0};
  /// Of more than `exact_classes` classes: as many steps of classes over all segments, by fewer segments; 0: any
  /// number.
  std::int64_t most_steps = 0;
};

/// A class of links and what passed through each.
struct link_load {
  std::string level{};
  std::int64_t unit = 0;   ///< one of the class
  std::int64_t units = 1;  ///< how many are alike
  bool is_out = true;
  double bytes = 0;    ///< through each
  double busy = 0;     ///< fraction of what it could have carried in that time
  std::string ends{};  ///< "rank 3 > switch 1", of a known network's; then there is no level
};

/// What a simulation found, and what it took.
struct result {
  seconds time{};
  std::int64_t ranks = 1;
  std::int64_t classes = 1;   ///< of ranks; as many as ranks: each by itself
  std::int64_t steps = 0;     ///< of all classes, per segment
  std::int64_t segments = 1;  ///< that were simulated
  seconds lag{};              ///< of fair rates behind changes
  std::int64_t events = 0;
  std::int64_t solves = 0;
  std::vector<link_load> links;  ///< outer levels first; without those between leaf and spine switches
  trace events_of_steps{0};
  std::vector<std::int32_t> representatives;         ///< per class: a rank
  std::vector<std::vector<std::string>> step_names;  ///< per class and step; filled for a trace only
};

namespace detail {

class simulation {
 public:
  simulation(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
             const options& how, std::size_t trace_limit)
      : tree_(tree), what_(what), algorithm_(algorithm), how_(how), trace_limit_(trace_limit) {
    what_.in_place = false;
    check_reachable(tree, how.suffers);
    if (how.links) check_links();
  }

  result run() {
    colouring colours(tree_, how_.suffers);
    const bool is_hashed = how_.between && how_.between->queue_pairs > 0;
    if (is_hashed && tree_.depth() < 2)
      fail(errc::invalid_argument, "there is no two-tier fabric", "the topology has one level only",
           "write one with a level above, like \"rack:16 gpu:16\"");
    if (!how_.uses_classes || is_hashed || how_.links || !how_.prepared.empty()) {
      for (int d = 0; d < tree_.depth(); ++d) colours.split_all(d);
      check_size(colours);
      const partition parts(colours);
      return simulate(parts, programs(tree_, what_, algorithm_, parts, 0, how_.prepared), how_.segments, trace_limit_);
    }
    symmetry roles(tree_, what_, algorithm_, colours);
    bool has_dependences = false;
    for (const int level : algorithm::paired_levels(tree_, what_.what, algorithm_)) colours.split_all(level);
    // Each round splits colours for good, so that this ends, at the latest with single ranks.
    while (true) {
      roles.refine();
      check_size(colours);
      const partition parts(colours);
      const int wrong = try_classes(roles, parts);
      if (wrong < 0) return std::move(made_);
      if (!std::exchange(has_dependences, true))
        roles.compare_dependences();
      else if (!split_from(wrong, colours))
        fail(errc::internal, "a simulation of single ranks found them asymmetric");
    }
  }

 private:
  void check_links() const {
    const int ranks = how_.links->links.ranks();
    if (ranks != tree_.size())
      fail(errc::mismatch, "the network has " + std::to_string(ranks) + " ranks",
           "the hierarchy has " + std::to_string(tree_.size()));
    if (how_.between || !how_.suffers.faults.empty() || !how_.suffers.background.empty())
      fail(errc::invalid_argument, "faults, other load and fabrics are of a hierarchy's links",
           "a network is given beside it", "change the network's capacities, or leave it out");
  }

  /// -1 where the classes hold: every rank that is looked at plays its class's role, no messages of one class move
  /// apart, and the time is the same whichever members stand for their classes. Else a level to split.
  int try_classes(symmetry& roles, const partition& parts) {
    if (!roles.holds(parts)) return 0;
    try {
      const programs code(tree_, what_, algorithm_, parts, 0, how_.prepared);
      if (parts.rank_classes() < tree_.size() && !is_same_for_all_members(parts, code)) return 0;
      made_ = simulate(parts, code, how_.segments, trace_limit_);
      return -1;
    } catch (const asymmetry& found) {
      return found.level;
    } catch (const error& stuck) {  // ranks that are not alike may wait for each other for ever
      if (stuck.code() != errc::internal || parts.rank_classes() == tree_.size()) throw;
      return 0;
    }
  }

  bool is_same_for_all_members(const partition& parts, const programs& of_first) const {
    // Of many classes only the last members are tried, and with one segment, which has all the steps and messages:
    // their number makes a chance agreement unlikely.
    const bool are_many = parts.rank_classes() > many_classes;
    const std::int64_t segments = are_many ? 1 : how_.segments;
    std::optional<seconds> time;
    for (int which = are_many ? partition::members - 1 : 1; which < partition::members; ++which) {
      const programs code(tree_, what_, algorithm_, parts, which, how_.prepared);
      if (code.runs_as(of_first)) continue;
      if (!time) time = simulate(parts, of_first, segments, 0).time;
      const seconds other = simulate(parts, code, segments, 0).time;
      if (std::abs((other - *time).count()) > same_time * time->count()) return false;
    }
    return true;
  }

  static constexpr double same_time = 1e-9;  // up to rounding
  static constexpr std::int32_t many_classes = 64;

  /// Makes all places of one level differ: of the given one, else of the outermost that is left. False where they do.
  bool split_from(int level, colouring& colours) const {
    bool is_finer = colours.split_all(level);
    for (int d = 0; d < tree_.depth() && !is_finer; ++d) is_finer = colours.split_all(d);
    return is_finer;
  }

  void check_size(const colouring& colours) const {
    std::int64_t classes = 1;
    for (int d = 0; d < tree_.depth(); ++d) classes *= static_cast<std::int64_t>(colours.colours(d));
    if (std::min(classes, tree_.size()) > most_classes)
      fail(errc::unsupported,
           "cannot simulate " + std::string(algorithm_) + " on " + std::to_string(tree_.size()) + " ranks",
           std::to_string(std::min(classes, tree_.size())) + " ranks or groups of ranks differ, the limit is " +
               std::to_string(most_classes),
           "use a smaller machine, or an algorithm that treats ranks alike");
  }

  result simulate(const partition& parts, const programs& code, std::int64_t segments, std::size_t trace_limit) const {
    const bool are_many = parts.rank_classes() > exact_classes;
    if (are_many && how_.most_steps > 0)
      segments = std::clamp<std::int64_t>(how_.most_steps / std::max<std::int64_t>(steps_of(code), 1), 1, segments);
    const auto known = how_.links ? std::make_unique<const graph_links>(how_.links) : nullptr;
    const network links(tree_, how_.suffers, parts, how_.between, known.get());
    const run_settings settings{.block_bytes = static_cast<double>(what_.block_bytes()),
                                .sends_empty_messages = what_.what == schedule::collective::barrier,
                                .segments = segments,
                                .window = how_.window,
                                .host = how_.host,
                                .lag = are_many ? how_.lag : seconds{0},
                                .keeps_order = how_.links && how_.keeps_order};
    result made;
    made.events_of_steps = trace(trace_limit);
    const run_result ran = engine(code, links, settings, trace_limit > 0 ? &made.events_of_steps : nullptr).run();
    made.time = ran.time;
    made.ranks = tree_.size();
    made.classes = parts.rank_classes();  // those of switches are not counted
    made.steps = steps_of(code);
    made.segments = segments;
    made.lag = settings.lag;
    made.events = ran.events;
    made.solves = ran.solves;
    describe_links(parts, links, ran, made);
    if (known) describe_links(*known, ran, made);
    describe_classes(code, made);
    return made;
  }

  static std::int64_t steps_of(const programs& code) {
    std::int64_t steps = 0;
    for (const class_program& each : code.classes) steps += static_cast<std::int64_t>(each.code.source.steps.size());
    return steps;
  }

  void describe_links(const partition& parts, const network& links, const run_result& ran, result& made) const {
    for (std::size_t i = 0; i < links.unit_links(); ++i) {
      const partition::unit_class& each = parts.classes[i / 2];
      const double could = links.capacities()[i] * ran.time.count();
      made.links.push_back({tree_.at(each.level).name, each.representative, each.units, i % 2 == 0, ran.link_bytes[i],
                            could > 0 ? ran.link_bytes[i] / could : 0});
    }
  }

  static void describe_links(const graph_links& known, const run_result& ran, result& made) {
    for (std::size_t i = 0; i < known.size(); ++i) {
      const double could = known.bytes_per_second(i) * ran.time.count();
      made.links.push_back({.unit = static_cast<std::int64_t>(i),
                            .bytes = ran.link_bytes[i],
                            .busy = could > 0 ? ran.link_bytes[i] / could : 0,
                            .ends = known.name(i)});
    }
  }

  void describe_classes(const programs& code, result& made) const {
    for (std::size_t c = 0; c < code.classes.size(); ++c) {
      const schedule::schedule& written = code.classes[c].code.source;
      made.representatives.push_back(written.self.value);
      if (trace_limit_ == 0) continue;
      std::vector<std::string>& names = made.step_names.emplace_back();
      for (const schedule::step& s : written.steps) {
        std::string name(to_string(s.kind));
        if (s.sends()) name += " to " + std::to_string(s.peer.value);
        if (s.receives()) name += " from " + std::to_string(s.peer.value);
        if (s.phase < written.phase_names.size()) name += ", " + written.phase_names[s.phase];
        names.push_back(std::move(name));
      }
    }
  }

  const topology::hierarchy& tree_;
  schedule::request what_;
  std::string_view algorithm_;
  const options& how_;
  std::size_t trace_limit_;
  result made_;
};

}  // namespace detail

/// Simulates one call. Every message moves at the max-min fair share of the links on its way; a rank works as the
/// executor does (docs/simulator.md has the model). `trace_limit` > 0 records that many steps.
/// Throws as `algorithm::generate`; errc::unsupported where a removed link cuts ranks off, or where more than
/// `most_classes` ranks or classes differ.
inline result simulate(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
                       const options& how = {}, std::size_t trace_limit = 0) {
  return detail::simulation(tree, what, algorithm, how, trace_limit).run();
}

/// The trace of a result as Chrome's JSON.
inline std::string to_chrome_json(const result& made) {
  return to_chrome_json(
      made.events_of_steps,
      [&](std::int32_t c) {
        const std::int32_t participant = made.representatives[static_cast<std::size_t>(c)];
        if (participant >= made.ranks) return "switches like " + std::to_string(participant - made.ranks);
        return "class of rank " + std::to_string(participant);
      },
      [&](std::int32_t c, std::uint32_t step) -> const std::string& {
        return made.step_names[static_cast<std::size_t>(c)][step];
      });
}

}  // namespace hawser::simulate
