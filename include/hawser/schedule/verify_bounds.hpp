// Local checks of one rank's program: well-formed, within its buffers, input left alone.
#pragma once

#include <string>

#include <hawser/schedule/program.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/schedule/violation.hpp>

namespace hawser::schedule::detail {

/// Where a rank's input and output lie: with an in-place call both are in the larger buffer (see `builder`).
struct memory_map {
  memory_map(const request& what, rank self, std::int64_t ranks) {
    const std::int64_t in = input_blocks(what.what, ranks), out = output_blocks(what.what, ranks);
    const bool has_both = !has_root(what.what) || what.what == collective::broadcast || self == what.root;
    is_in_place = what.in_place && has_both && self.value < ranks;  // switches have neither buffer
    if (!is_in_place) return;
    const std::int64_t own = in == out ? 0 : self.value;
    (in > out ? output : input) = in > out ? buffer::input : buffer::output;
    (in > out ? first_output : first_input) = own;
  }
  bool is_in_place = false;
  buffer input = buffer::input, output = buffer::output;
  std::int64_t first_input = 0, first_output = 0;  ///< blocks

  /// Whether the schedule may name a buffer: in place, one of the two names both.
  bool has(buffer where) const { return where == buffer::scratch || where == input || where == output; }
  /// Out of place the input is the caller's; in place only the blocks that are output too may be written.
  bool may_write(const region& r) const {
    if (r.where != buffer::input) return true;
    return output == buffer::input && r.at(0).begin >= fraction(first_output) &&
           r.at(r.count - 1).end <= fraction(first_output + 1);
  }
};

class bounds_check {
 public:
  /// `participants`: ranks, and the switches numbered after them.
  bounds_check(const request& what, std::int64_t ranks, std::int64_t participants, const program& checked,
               violation_list& found)
      : what_(what),
        ranks_(ranks),
        participants_(participants),
        program_(checked),
        s_(checked.source),
        memory_(what, s_.self, ranks),
        found_(found) {}

  void run(rank expected) {
    if (s_.self != expected)
      return report(
          violation_kind::out_of_bounds, no_step,
          "the program of rank " + to_string(expected) + " says that it is rank " + to_string(s_.self) + "'s");
    const bool has_buffers = s_.self.value < ranks_;
    if (s_.input_blocks != (has_buffers ? input_blocks(what_.what, ranks_) : 0) ||
        s_.output_blocks != (has_buffers ? output_blocks(what_.what, ranks_) : 0))
      report(violation_kind::out_of_bounds, no_step,
             "rank " + to_string(s_.self) + " has buffers of another number of blocks than the collective");
    check_dependences();
    for (std::size_t i = 0; i < s_.steps.size() && !found_.is_full(); ++i) {
      const step& each = s_.steps[i];
      check(i, each.source, false);
      check(i, each.other, false);
      check(i, each.target, true);
      if ((each.sends() || each.receives()) && (each.peer.value < 0 || each.peer.value >= participants_))
        report(each.sends() ? violation_kind::unmatched_send : violation_kind::unmatched_receive, i,
               describe_step(s_, i) + " names a peer that does not exist");
    }
  }

 private:
  void report(violation_kind kind, std::size_t i, std::string&& text) {
    found_.add(kind, s_.self, i, i < s_.steps.size() ? s_.steps[i].peer : rank(-1), std::move(text));
  }

  /// Dependences point forward, and every step waits for as many as point at it: the executor counts them down.
  void check_dependences() {
    const std::size_t steps = s_.steps.size();
    const auto& first = program_.first_dependent;
    bool is_sound = program_.waits_for.size() == steps && first.size() == steps + 1 && first.front() == 0 &&
                    first.back() == program_.dependents.size();
    for (std::size_t i = 0; is_sound && i < steps; ++i) is_sound = first[i] <= first[i + 1];
    if (!is_sound)
      return report(violation_kind::out_of_bounds, no_step,
                    "the dependences of rank " + to_string(s_.self) + " are not those of its steps");
    std::vector<std::uint32_t> incoming(steps, 0);
    for (std::size_t i = 0; i < steps; ++i)
      for (std::uint32_t after : program_.dependents_of(i)) {
        if (after <= i || after >= steps)
          return report(violation_kind::deadlock, i,
                        "the step " + std::to_string(after) + " that is to wait for " + describe_step(s_, i) +
                            " does not follow it");
        ++incoming[after];
      }
    for (std::size_t i = 0; i < steps; ++i) {
      if (program_.waits_for[i] == incoming[i]) continue;
      report(program_.waits_for[i] > incoming[i] ? violation_kind::deadlock : violation_kind::race, i,
             describe_step(s_, i) + " waits for " + std::to_string(program_.waits_for[i]) + " steps, but " +
                 std::to_string(incoming[i]) + " release it");
    }
  }

  std::int64_t blocks_of(buffer where) const {
    return where == buffer::input ? s_.input_blocks : where == buffer::output ? s_.output_blocks : s_.scratch_blocks;
  }

  void check(std::size_t i, operand o, bool is_written) {
    if (std::size_t{o.first} + o.count > s_.regions.size())
      return report(violation_kind::out_of_bounds, i, describe_step(s_, i) + " names regions that do not exist");
    for (const region& r : s_.at(o)) {
      const std::int64_t blocks = blocks_of(r.where);
      const bool is_sane =
          r.count > 0 && r.stride >= 0 && r.first.begin < r.first.end && r.first.end <= fraction(blocks);
      if (!is_sane || (r.count > 1 && r.stride > blocks) || r.at(r.count - 1).end > fraction(blocks))
        report(r.where == buffer::scratch ? violation_kind::scratch_overflow : violation_kind::out_of_bounds, i,
               describe_step(s_, i) + " names " + to_string(r) + " of " + std::to_string(blocks) + " blocks");
      else if (!memory_.has(r.where))
        report(violation_kind::out_of_bounds, i,
               describe_step(s_, i) + " names the " + std::string(to_string(r.where)) +
                   ", which the in-place call keeps in the other buffer");
      else if (is_written && !memory_.may_write(r))
        report(violation_kind::input_overwritten, i, describe_step(s_, i) + " writes to the caller's " + to_string(r));
    }
  }

  const request& what_;
  std::int64_t ranks_, participants_;
  const program& program_;
  const schedule& s_;
  memory_map memory_;
  violation_list& found_;
};

}  // namespace hawser::schedule::detail
