// How algorithms write a schedule down: plain sequential emission of steps.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/schedule/step.hpp>

namespace hawser::schedule {

/// Writes one rank's schedule. It also makes input and output one buffer where the call is in place: every region is
/// recorded in the larger of the two, so that dependences are derived from what really overlaps in memory.
class builder {
 public:
  builder(const request& what, rank self, std::int64_t ranks) {
    is_ragged_ = what.has_ragged_blocks;
    // Where only the root has both buffers, only the root can be in place.
    const bool only_root = has_root(what.what) && what.what != collective::broadcast;
    in_place_ = what.in_place && (!only_root || self == what.root);
    written_.self = self;
    written_.input_blocks = hawser::schedule::input_blocks(what.what, ranks);
    written_.output_blocks = hawser::schedule::output_blocks(what.what, ranks);
    const bool input_is_larger = written_.input_blocks > written_.output_blocks;
    aliased_ = input_is_larger ? buffer::output : buffer::input;
    canonical_ = input_is_larger ? buffer::input : buffer::output;
    const bool is_own_block = written_.input_blocks != written_.output_blocks;
    shift_ = is_own_block ? self.value : 0;
    begin_phase({});
  }

  rank self() const noexcept { return written_.self; }

  /// Hands each step over instead of keeping it, with the schedule whose regions it names until the call returns:
  /// counting needs no memory in the length of the schedule.
  void hand_over_to(std::function<void(const schedule&, const step&)> observer) { observer_ = std::move(observer); }

  /// Reserves whole blocks of scratch memory, block i as large as the caller's block i; returns the first.
  std::int64_t reserve_scratch(std::int64_t blocks) {
    const std::int64_t first = written_.scratch_blocks;
    written_.scratch_blocks += blocks;
    for (std::int64_t i = 0; is_ragged_ && i < blocks; ++i) written_.scratch_like.push_back(i);
    return first;
  }

  /// Reserves scratch memory for copies of a list of regions, each laid out as `moved` does; returns the first block.
  std::int64_t reserve_like(const region_list& list, std::int64_t copies) {
    const std::int64_t first = written_.scratch_blocks;
    for (const region& each : list)
      written_.scratch_blocks += copies * each.count * (each.first.end.ceil() - each.first.begin.floor());
    for (std::int64_t copy = 0; is_ragged_ && copy < copies; ++copy)
      for (const region& each : list)
        for (std::uint32_t k = 0; k < each.count; ++k)
          for (std::int64_t b = each.at(k).begin.floor(); b < each.at(k).end.ceil(); ++b)
            written_.scratch_like.push_back(b);
    return first;
  }

  /// Blocks of scratch memory reserved so far.
  std::int64_t scratch_blocks() const noexcept { return written_.scratch_blocks; }

  bool is_in_place() const noexcept { return in_place_; }

  /// Copies the whole input to scratch and reads it there from now on: for algorithms that read a block of the input
  /// after its place in the output was written.
  void stage_input() {
    const std::int64_t first = reserve_scratch(written_.input_blocks);
    copy({{buffer::scratch, 1, 0, {first, first + written_.input_blocks}}},
         {{buffer::input, 1, 0, {0, written_.input_blocks}}});
    staged_input_ = first;
  }

  /// The following steps belong to a phase with this name.
  void begin_phase(std::string name) {
    if (!written_.phase_names.empty() && written_.phase_names.back().empty())
      written_.phase_names.back() = std::move(name);
    else
      written_.phase_names.push_back(std::move(name));
  }

  /// The following messages travel on this lane.
  void use_channel(std::uint16_t channel) { channel_ = channel; }

  /// A message to a peer: the regions one after the other. Both ends name as many elements.
  void send(rank peer, const region_list& source) {
    emit({.kind = step_kind::send, .peer = peer, .source = record(source)});
  }
  /// The peer's next message on this channel, into these regions.
  void recv(rank peer, const region_list& target) {
    emit({.kind = step_kind::recv, .peer = peer, .target = record(target)});
  }
  /// target = source op incoming (side::right) or incoming op source (side::left).
  void recv_reduce(rank peer, const region_list& target, const region_list& source, side incoming = side::right) {
    emit({.kind = step_kind::recv_reduce,
          .incoming = incoming,
          .peer = peer,
          .source = record(source),
          .target = record(target)});
  }
  /// Nothing is emitted where source and target are the same memory.
  void copy(const region_list& target, const region_list& source) {
    const operand from = record(source);
    const operand to = record(target);
    const bool is_same = from.count == to.count &&
                         std::equal(written_.at(from).begin(), written_.at(from).end(), written_.at(to).begin());
    if (is_same)
      written_.regions.resize(from.first);
    else
      emit({.kind = step_kind::copy, .source = from, .target = to});
  }
  /// target = source op other (side::right) or other op source (side::left).
  void reduce(const region_list& target, const region_list& source, const region_list& other,
              side incoming = side::right) {
    emit({.kind = step_kind::reduce,
          .incoming = incoming,
          .source = record(source),
          .target = record(target),
          .other = record(other)});
  }

  /// The schedule; the builder is used up.
  schedule finish() && {
    if (written_.phase_names.back().empty()) written_.phase_names.back() = "all";
    return std::move(written_);
  }

 private:
  operand record(const region_list& list) {
    const auto first = static_cast<std::uint32_t>(written_.regions.size());
    for (region each : list) {
      if (staged_input_ >= 0 && each.where == buffer::input) {
        each.where = buffer::scratch;
        each.first.begin = each.first.begin + fraction(staged_input_);
        each.first.end = each.first.end + fraction(staged_input_);
      }
      if (in_place_ && each.where == aliased_) {
        each.where = canonical_;
        each.first.begin = each.first.begin + fraction(shift_);
        each.first.end = each.first.end + fraction(shift_);
      }
      written_.regions.push_back(each);
    }
    return {first, static_cast<std::uint32_t>(list.size())};
  }

  void emit(step next) {
    next.channel = channel_;
    next.phase = static_cast<std::uint16_t>(written_.phase_names.size() - 1);
    if (!observer_) return written_.steps.push_back(next);
    observer_(written_, next);
    written_.regions.clear();
  }

  schedule written_;
  std::function<void(const schedule&, const step&)> observer_;
  bool in_place_ = false;
  bool is_ragged_ = false;
  std::int64_t staged_input_ = -1;
  buffer aliased_;
  buffer canonical_;
  std::int64_t shift_;
  std::uint16_t channel_ = 0;
};

}  // namespace hawser::schedule
