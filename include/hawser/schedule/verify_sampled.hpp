// Verification at scale: sampled ranks are checked against the peers they really have, and sampled points of the output
// are traced back to the inputs they come from. No claim of symmetry is trusted: each program is generated when needed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/schedule/verify.hpp>

namespace hawser::schedule {

/// How much of a schedule is drawn for checking.
struct sample_options {
  std::uint64_t seed = 1;     ///< of the ranks and points; reported with what is found
  std::int64_t switches = 0;  ///< participants beside the ranks (verify_options::switches)
  std::vector<rank> ranks{};  ///< to be checked besides the drawn ones: representatives of classes
  std::int64_t drawn_ranks = 4;
  std::int64_t traced_points = 8;
  std::int64_t generated_programs = 4096;  ///< budget; a trace that needs more is given up, and counted
  std::size_t max_violations = 16;
};

/// What was found, and how much was looked at.
struct sample_report {
  std::vector<violation> found{};
  std::uint64_t seed = 0;
  std::int64_t checked_ranks = 0, matched_messages = 0, traced_points = 0, unfinished_traces = 0;
};

namespace detail {

class sampler {
 public:
  sampler(const request& what, std::int64_t ranks, const std::function<program(rank)>& program_of,
          const sample_options& options)
      : what_(what),
        ranks_(ranks),
        program_of_(program_of),
        options_(options),
        random_(options.seed),
        found_(options.max_violations) {}

  sample_report run() {
    report_.seed = options_.seed;
    std::vector<rank> chosen = options_.ranks;
    for (std::int64_t i = 0; i < options_.drawn_ranks; ++i) chosen.push_back(any_rank());
    for (rank each : chosen)
      if (!found_.is_full()) check_rank(each);
    for (std::int64_t i = 0; i < options_.traced_points && found_.is_empty(); ++i) trace_any();
    report_.found = std::move(found_).take();
    for (violation& each : report_.found) each.what += " (seed " + std::to_string(options_.seed) + ")";
    return std::move(report_);
  }

 private:
  struct place {
    buffer where;
    fraction at;
  };
  using lane = std::vector<std::uint32_t>;

  rank any_rank() { return static_cast<std::int32_t>(random_() % static_cast<std::uint64_t>(ranks_)); }

  /// Kept for the whole run, within the budget.
  const program* program_at(rank r) {
    if (const auto known = programs_.find(r.value); known != programs_.end()) return &known->second;
    if (static_cast<std::int64_t>(programs_.size()) >= options_.generated_programs) return nullptr;
    return &programs_.emplace(r.value, program_of_(r)).first->second;
  }

  /// The steps of one direction, peer and channel, in order.
  static lane steps_of(const schedule& s, bool sends, rank peer, std::uint16_t channel) {
    lane list;
    for (std::uint32_t i = 0; i < s.steps.size(); ++i) {
      const step& each = s.steps[i];
      if ((sends ? each.sends() : each.receives()) && each.peer == peer && each.channel == channel) list.push_back(i);
    }
    return list;
  }

  void check_rank(rank self) {
    const program* own = program_at(self);
    if (own == nullptr) return;
    const std::size_t before = found_.size();
    bounds_check(what_, ranks_, ranks_ + options_.switches, *own, found_).run(self);
    if (found_.size() > before) return;
    grid cuts;
    cuts.add(*own);
    cuts.close();
    race_check(rank_view(*own, cuts), cuts, found_).run();
    check_messages(self, *own);
    ++report_.checked_ranks;
  }

  /// Each lane of a rank has as many messages at the peer, and each pair covers the same fractional coordinates.
  void check_messages(rank self, const program& own) {
    std::map<std::tuple<rank, std::uint16_t, bool>, lane> lanes;
    for (std::uint32_t i = 0; i < own.source.steps.size(); ++i) {
      const step& s = own.source.steps[i];
      if (s.sends() || s.receives()) lanes[{s.peer, s.channel, s.sends()}].push_back(i);
    }
    for (const auto& [key, mine] : lanes) {
      const auto& [peer, channel, sends] = key;
      const program* other = program_at(peer);
      if (other == nullptr) return;
      const lane theirs = steps_of(other->source, !sends, self, channel);
      for (std::size_t k = 0; k < mine.size(); ++k) {
        if (k >= theirs.size())
          found_.add(sends ? violation_kind::unmatched_send : violation_kind::unmatched_receive, self, mine[k], peer,
                     describe_step(own.source, mine[k]) + " has no counterpart");
        else if (!same_shape(own.source, mine[k], other->source, theirs[k]))
          found_.add(violation_kind::size_mismatch, self, mine[k], peer,
                     describe_step(own.source, mine[k]) + " does not fit " + describe_step(other->source, theirs[k]));
        else
          ++report_.matched_messages;
      }
    }
  }

  /// The fractional coordinates of an operand as maximal runs: pieces that continue each other are joined.
  static std::vector<std::pair<fraction, fraction>> shape(const schedule& s, std::uint32_t i) {
    std::vector<std::pair<fraction, fraction>> runs;  // begin within a block, length
    const step& each = s.steps[i];
    for (const region& r : s.at(each.sends() ? each.source : each.target))
      for (std::uint32_t k = 0; k < r.count; ++k) {
        const fraction begin = r.first.begin.fractional(), length = r.first.length();
        if (!runs.empty() && (runs.back().first + runs.back().second).fractional() == begin)
          runs.back().second = runs.back().second + length;
        else
          runs.emplace_back(begin, length);
      }
    return runs;
  }
  static bool same_shape(const schedule& a, std::uint32_t i, const schedule& b, std::uint32_t k) {
    return shape(a, i) == shape(b, k);
  }

  // ---- tracing

  /// Position of a point inside an operand, as the length before it; nothing where the operand lacks it.
  static std::optional<fraction> offset_in(const schedule& s, operand o, const place& point) {
    fraction before(0);
    for (const region& r : s.at(o))
      for (std::uint32_t k = 0; k < r.count; ++k) {
        const interval each = r.at(k);
        if (r.where == point.where && each.begin <= point.at && point.at < each.end)
          return before + (point.at - each.begin);
        before = before + each.length();
      }
    return std::nullopt;
  }
  static place point_at(const schedule& s, operand o, fraction offset) {
    for (const region& r : s.at(o))
      for (std::uint32_t k = 0; k < r.count; ++k) {
        const interval each = r.at(k);
        if (offset < each.length()) return {r.where, each.begin + offset};
        offset = offset - each.length();
      }
    fail(errc::internal, "a traced point lies outside the operand it moves to");
  }

  struct question {
    rank who;
    std::uint32_t before;  // looks at steps below this one
    place point;
  };

  void trace_any() {
    const bool only_root = what_.what == collective::reduce || what_.what == collective::gather;
    const rank self = only_root ? what_.root : any_rank();
    const memory_map map(what_, self, ranks_);
    const auto blocks = static_cast<std::uint64_t>(output_blocks(what_.what, ranks_));
    const auto block = static_cast<std::int64_t>(random_() % blocks);
    const program* own = program_at(self);
    if (own == nullptr) return void(++report_.unfinished_traces);
    constexpr std::uint64_t resolution = 1 << 20;
    const fraction point = fraction(random_() % resolution, resolution) + fraction(map.first_output + block);
    open_.assign(1, {self, static_cast<std::uint32_t>(own->source.steps.size()), {map.output, point}});
    origins_.clear();
    while (!open_.empty()) {
      const question next = open_.back();
      open_.pop_back();
      if (!answer(next)) return void(++report_.unfinished_traces);
    }
    ++report_.traced_points;
    judge(self, block);
  }

  /// Replaces a point by those it was made of. False: the budget is used up.
  bool answer(const question& q) {
    const program* own = program_at(q.who);
    if (own == nullptr) return false;
    const schedule& s = own->source;
    for (std::uint32_t i = q.before; i-- > 0;) {
      const step& each = s.steps[i];
      const auto offset = offset_in(s, each.target, q.point);
      if (!offset) continue;
      if (each.kind != step_kind::recv) open_.push_back({q.who, i, point_at(s, each.source, *offset)});
      if (each.kind == step_kind::reduce) open_.push_back({q.who, i, point_at(s, each.other, *offset)});
      return !each.receives() || ask_sender(q.who, s, i, *offset);
    }
    return begins_at(q);
  }

  bool ask_sender(rank self, const schedule& s, std::uint32_t i, const fraction& offset) {
    const step& each = s.steps[i];
    const program* peer = program_at(each.peer);
    if (peer == nullptr) return false;
    const lane mine = steps_of(s, false, each.peer, each.channel);
    const lane theirs = steps_of(peer->source, true, self, each.channel);
    const auto k = static_cast<std::size_t>(std::find(mine.begin(), mine.end(), i) - mine.begin());
    if (k < theirs.size() && same_shape(s, i, peer->source, theirs[k]))
      open_.push_back({each.peer, theirs[k], point_at(peer->source, peer->source.steps[theirs[k]].source, offset)});
    else
      found_.add(violation_kind::unmatched_receive, self, i, each.peer, describe_step(s, i) + " has no fitting send");
    return true;
  }

  /// A point that no step wrote: it must be input.
  bool begins_at(const question& q) {
    const memory_map map(what_, q.who, ranks_);
    const bool root_gives = what_.what == collective::broadcast || what_.what == collective::scatter;
    const std::int64_t block = q.point.at.floor() - map.first_input;
    if (q.point.where != map.input || block < 0 || block >= input_blocks(what_.what, ranks_) ||
        (root_gives && q.who != what_.root))
      found_.add(violation_kind::uninitialised_read, q.who, q.before, -1,
                 "rank " + to_string(q.who) + " uses " + std::string(to_string(q.point.where)) + " at " +
                     to_string(q.point.at) + ", which nobody has written");
    else
      ++origins_[{q.who.value, block}];
    return true;
  }

  /// Each origin exactly once, and as many as there must be.
  void judge(rank self, std::int64_t block) {
    const bool sums = reduces(what_.what) || what_.what == collective::barrier;
    const bool own_block = what_.what == collective::reduce_scatter || what_.what == collective::all_to_all ||
                           what_.what == collective::all_to_all_v || what_.what == collective::scatter;
    const bool from_root = what_.what == collective::broadcast || what_.what == collective::scatter;
    const std::int64_t wanted_block = own_block ? self.value : 0;
    const std::int64_t wanted_rank = from_root ? what_.root.value : block;
    for (const auto& [origin, times] : origins_) {
      if (origin.second != wanted_block || (!sums && origin.first != wanted_rank))
        result(violation_kind::wrong_destination, self,
               "holds data of rank " + std::to_string(origin.first) + "'s block " + std::to_string(origin.second));
      else if (times > 1 && what_.what != collective::barrier)
        result(violation_kind::double_contribution, self,
               "counts rank " + std::to_string(origin.first) + " " + std::to_string(times) + " times");
    }
    if (static_cast<std::int64_t>(origins_.size()) < (sums ? ranks_ : 1))
      result(violation_kind::missing_contribution, self,
             "has the contributions of " + std::to_string(origins_.size()) + " ranks only");
  }
  void result(violation_kind kind, rank self, const std::string& text) {
    found_.add(kind, self, no_step, -1, "a traced point of the output of rank " + to_string(self) + " " + text);
  }

  const request& what_;
  std::int64_t ranks_;
  const std::function<program(rank)>& program_of_;
  const sample_options& options_;
  std::mt19937_64 random_;
  violation_list found_;
  sample_report report_;
  std::unordered_map<std::int32_t, program> programs_;
  std::vector<question> open_;
  std::map<std::pair<std::int32_t, std::int64_t>, std::int64_t> origins_;
};

}  // namespace detail

/// For machines too large for `verify`: checks sampled ranks alone (bounds, races), each of their messages against the
/// program of the peer, and where sampled points of the output come from, exactly, as far as the budget of generated
/// programs goes. Finding nothing is evidence, not proof; the report says how much was looked at.
inline sample_report verify_sampled(const request& what, std::int64_t ranks,
                                    const std::function<program(rank)>& program_of,
                                    const sample_options& options = {}) {
  return detail::sampler(what, ranks, program_of, options).run();
}

}  // namespace hawser::schedule
