// A partial result that alternates between the output and scratch memory, for algorithms that send all of it in every
// round: receiving where it is still being sent from would make two members wait for each other's receive.
#pragma once

#include <hawser/algorithm/phase.hpp>

namespace hawser::algorithm {

/// The places of one member's partial result, round by round; scratch of the size of the vector.
class alternating_value {
 public:
  /// Changes place in each of `rounds` rounds. `is_ready`: it starts where this member's input lies; else the caller
  /// first writes it to `after(0)`.
  alternating_value(const all_reduce_phase& phase, int rounds, bool is_ready, builder& out)
      : output_(at(buffer::output, phase.whole)), rounds_(rounds) {
    scratch_ = moved(output_, buffer::scratch, out.reserve_like(output_, 1));
    const bool starts_in_output = is_ready && (phase.input == buffer::output || out.is_in_place());
    ends_in_scratch_ = starts_in_output && rounds % 2 == 1;
    start_ = is_ready ? at(phase.input, phase.whole) : place(0);
  }

  /// Where the value lies after that many rounds; 0: before the first.
  const region_list& after(int round) const { return round == 0 ? start_ : place(round); }

  /// Brings the value after the last round to the output.
  void finish(builder& out) const { out.copy(output_, after(rounds_)); }

 private:
  const region_list& place(int round) const {
    return ((rounds_ - round) % 2 == 1) != ends_in_scratch_ ? scratch_ : output_;
  }

  region_list output_, scratch_, start_;
  int rounds_;
  bool ends_in_scratch_ = false;
};

}  // namespace hawser::algorithm
