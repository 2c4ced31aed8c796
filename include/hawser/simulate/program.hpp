// The classes' schedules, tied together: which class's send step meets which class's receive step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <hawser/algorithm/generate.hpp>
#include <hawser/algorithm/prepared.hpp>
#include <hawser/cost/traffic.hpp>
#include <hawser/schedule/program.hpp>
#include <hawser/simulate/partition.hpp>

namespace hawser::simulate {

/// A claim of symmetry turned out wrong for messages that part at this level; caught inside, where finer classes are
/// tried.
struct asymmetry {
  int level = 0;
};

/// Messages from one class's send step to another's receive step.
struct message {
  std::int32_t from = 0, to = 0;        ///< rank classes, from 0; classes of switches come after them
  std::uint32_t send = 0, receive = 0;  ///< steps
  int level = 0;                        ///< the outermost level whose links are crossed
  double flows = 1;                     ///< how many of them, over all ranks of the class
  double blocks = 0;                    ///< of each

  friend bool operator==(const message&, const message&) = default;
};

/// One class: its representative's steps, ready to run.
struct class_program {
  static constexpr std::uint32_t none = UINT32_MAX;

  schedule::program code;
  std::int64_t ranks = 1;                   ///< or switches
  bool is_switch = false;                   ///< works at the speed of its links
  std::vector<std::uint32_t> next_on_lane;  ///< as the executor posts them (executor/operation.hpp)
  std::vector<std::uint32_t> waits_for_start;
  std::vector<double> blocks;                        ///< per step: moved, or worked on
  std::vector<std::vector<std::uint32_t>> messages;  ///< per step: numbers into `programs::messages`

  /// Whether a simulation finds them alike: the same steps of the same sizes that wait for each other alike.
  bool runs_as(const class_program& other) const {
    const auto is_alike = [](const schedule::step& a, const schedule::step& b) { return a.kind == b.kind; };
    const auto &own = code.source.steps, &theirs = other.code.source.steps;
    return std::equal(own.begin(), own.end(), theirs.begin(), theirs.end(), is_alike) && blocks == other.blocks &&
           messages == other.messages && next_on_lane == other.next_on_lane &&
           waits_for_start == other.waits_for_start && code.first_dependent == other.code.first_dependent &&
           code.dependents == other.code.dependents && ranks == other.ranks && is_switch == other.is_switch;
  }
};

/// All of them: of the classes of ranks, then of switches that reduce. Switches are alike where the units are that they
/// join.
class programs {
 public:
  std::vector<class_program> classes;
  std::vector<message> messages;

  /// Generates one schedule per class, that of its given member (partition::member); `prepared` as a plan has it.
  /// Throws as `algorithm::generate_planned`, and `asymmetry`.
  programs(const topology::hierarchy& tree, const schedule::request& what, std::string_view algorithm,
           const partition& parts, int member = 0, const std::string& prepared = {})
      : tree_(tree), parts_(parts), switches_(tree) {
    number_switches();
    for (std::int32_t c = 0; c < parts.rank_classes(); ++c) {
      const auto& of = parts.classes[static_cast<std::size_t>(parts.first_rank_class) + static_cast<std::size_t>(c)];
      classes.push_back({});
      compile(classes.back(),
              algorithm::generate_planned(tree, what, algorithm, prepared, tree.rank_at(parts.member(c, member))), c);
      classes.back().ranks = of.units;
    }
    compile_switches(what, algorithm);
    for (const auto& [between, ends] : lanes_) join(between, ends);
    lanes_.clear();
  }

  /// Whether a simulation of the other ones takes the same time, since it is the same.
  bool runs_as(const programs& other) const {
    const auto is_alike = [](const class_program& a, const class_program& b) { return a.runs_as(b); };
    return messages == other.messages &&
           std::equal(classes.begin(), classes.end(), other.classes.begin(), other.classes.end(), is_alike);
  }

 private:
  using lane = std::tuple<std::int32_t, std::int32_t, std::uint16_t, int>;  // from, to, channel, parting level
  struct switch_class {
    std::int32_t number;
    rank representative;
    std::int64_t switches;
  };
  struct lane_ends {
    std::vector<std::uint32_t> sends, receives;
  };

  /// Numbers the classes of switches, after those of ranks, and counts their members.
  void number_switches() {
    for (std::int64_t i = 0; i < switches_.count(); ++i) {
      const rank self(static_cast<std::int32_t>(tree_.size() + i));
      const auto next = parts_.rank_classes() + static_cast<std::int32_t>(of_switches_.size());
      switch_class& known = of_switches_.try_emplace(joined_by(self), switch_class{next, self, 0}).first->second;
      ++known.switches;
    }
  }

  void compile_switches(const schedule::request& what, std::string_view algorithm) {
    classes.resize(classes.size() + of_switches_.size());
    for (const auto& [joined, each] : of_switches_) {
      class_program& made = classes[static_cast<std::size_t>(each.number)];
      made.is_switch = true;
      made.ranks = each.switches;
      compile(made, algorithm::generate(tree_, what, algorithm, each.representative), each.number);
    }
  }

  /// A switch's level, and the class of the unit above those that it joins.
  std::pair<int, std::int32_t> joined_by(rank self) const {
    const auto [level, parent] = switches_.place_of(self);
    if (level == 0) return {level, -1};
    return {level, parts_.of[static_cast<std::size_t>(level) - 1][static_cast<std::size_t>(parent)]};
  }

  std::int32_t class_of(rank participant) const {
    if (topology::is_switch(tree_, participant)) return of_switches_.at(joined_by(participant)).number;
    return parts_.of.back()[static_cast<std::size_t>(tree_.position_of(participant))] - parts_.first_rank_class;
  }

  void compile(class_program& out, schedule::schedule written, std::int32_t self) {
    out.code = schedule::derive_dependences(std::move(written));
    const auto& steps = out.code.source.steps;
    out.next_on_lane.assign(steps.size(), class_program::none);
    out.waits_for_start = out.code.waits_for;
    out.messages.resize(steps.size());
    std::map<std::tuple<rank, std::uint16_t, bool>, std::uint32_t> last;
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
      const schedule::step& s = steps[i];
      out.blocks.push_back(cost::detail::volume(out.code.source.at(s.sends() ? s.source : s.target)));
      if (!s.sends() && !s.receives()) continue;
      const auto [at, is_first] = last.try_emplace({s.peer, s.channel, s.sends()}, i);
      if (!is_first) {
        out.next_on_lane[at->second] = i;
        ++out.waits_for_start[i];
        at->second = i;
      }
      const std::int32_t other = class_of(s.peer);
      const int level = topology::crossed_level(tree_, out.code.source.self, s.peer);
      if (s.sends())
        lanes_[{self, other, s.channel, level}].sends.push_back(i);
      else
        lanes_[{other, self, s.channel, level}].receives.push_back(i);
    }
  }

  /// All ranks of a class send alike, and all of the other receive alike: the k sends of each of n ranks and the k'
  /// receives of each of n' ranks are laid side by side in program order; k n = k' n' where the classes are right.
  void join(const lane& between, const lane_ends& ends) {
    const auto& [from, to, channel, level] = between;
    class_program& sender = classes[static_cast<std::size_t>(from)];
    class_program& receiver = classes[static_cast<std::size_t>(to)];
    const std::int64_t n = sender.ranks, m = receiver.ranks;
    if (static_cast<std::int64_t>(ends.sends.size()) * n != static_cast<std::int64_t>(ends.receives.size()) * m)
      throw asymmetry{level};
    std::size_t s = 0, r = 0;
    std::int64_t of_send = n, of_receive = m;  // flows of the present steps that are still to be matched
    while (s < ends.sends.size()) {
      const std::int64_t flows = std::min(of_send, of_receive);
      const std::uint32_t send = ends.sends[s], receive = ends.receives[r];
      const double blocks = sender.blocks[send];
      if (std::abs(blocks - receiver.blocks[receive]) > 1e-9 * blocks) throw asymmetry{level};
      const auto number = static_cast<std::uint32_t>(messages.size());
      messages.push_back({from, to, send, receive, level, static_cast<double>(flows), blocks});
      sender.messages[send].push_back(number);
      receiver.messages[receive].push_back(number);
      if ((of_send -= flows) == 0) ++s, of_send = n;
      if ((of_receive -= flows) == 0) ++r, of_receive = m;
    }
  }

  const topology::hierarchy& tree_;
  const partition& parts_;
  topology::reducing_switches switches_;
  std::map<std::pair<int, std::int32_t>, switch_class> of_switches_;
  std::map<lane, lane_ends> lanes_;
};

}  // namespace hawser::simulate
