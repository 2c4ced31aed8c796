// Model of the offers of src/transport/shared_memory_{sender,receiver}.cpp: a large message that the receiver reads out
// of the sender's memory, piece by piece, while the sender may take it back. Change it with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"

namespace hawser::models {

/// One offer of `pieces` pieces. The sender may withdraw it at any time (peer_failed, shutdown), and either process may
/// be killed. While the reader is alive and not stopped, it must not read after the sender has told its caller.
struct offer_model {
  enum class bug {
    none,
    withdraws_while_it_is_read,  // withdraw: a plain store instead of waiting for the reader
    tells_at_the_first_piece,    // end_reading: taken after any piece
    reads_without_marking,       // fetch: no compare-and-exchange to `reading`
  };
  bug mistake = bug::none;
  static constexpr std::uint8_t pieces = 2;
  enum state_word : std::uint8_t { none, offered, reading, taken, withdrawn };

  struct State {
    std::uint8_t word;                        // shared: offer_state
    std::uint8_t is_told, has_failed;         // the sender's caller: its memory is its own again
    std::uint8_t is_withdrawing, is_patient;  // the sender in withdraw(); its patience has run out
    std::uint8_t read, is_reading, is_over;   // the receiver: pieces, inside a copy, its end
    std::uint8_t read_after, times_told;
    std::uint8_t is_killed;  // the receiver's process
  };

  std::string broken(const State& s) const {
    if (s.read_after) return "the receiver reads memory that the sender has given back";
    if (s.times_told > 1) return "the sender's caller is told twice";
    if (s.is_told && !s.has_failed && s.read < pieces) return "the sender is told of a success that was none";
    return {};
  }
  bool is_end(const State& s) const { return s.is_told && (s.is_over || s.is_killed); }

  void moves(const State& s, std::vector<move<State>>& out) const {
    sender(s, out);
    if (!s.is_killed) receiver(s, out);
  }

 private:
  using steps = std::vector<move<State>>;
  template <class Change>
  static void add(const State& s, steps& out, int who, const char* what, Change&& change) {
    State next = s;
    change(next);
    out.push_back({next, what, who});
  }
  static void tell(State& s, bool failed) {
    s.is_told = 1;
    s.has_failed = failed;
    ++s.times_told;
  }

  void sender(const State& s, steps& out) const {
    if (s.word == none) add(s, out, 0, "offers", [](State& n) { n.word = offered; });
    if (s.is_told || s.word == none) return;
    if (!s.is_withdrawing && s.word == taken)
      add(s, out, 0, "sees that it was taken", [](State& n) { tell(n, false); });
    if (!s.is_withdrawing) {
      add(s, out, 0, "begins to withdraw", [](State& n) { n.is_withdrawing = 1; });
      // Once the receiver is dead, somebody tells: the failure detector.
      out.back().may_never_come = !s.is_killed;
      return;
    }
    if (mistake == bug::withdraws_while_it_is_read || s.word == offered)
      add(s, out, 0, "withdraws", [](State& n) { n.word = withdrawn, tell(n, true); });
    else if (s.word == taken)
      add(s, out, 0, "withdraws too late", [](State& n) { tell(n, true); });
    else if (s.is_killed)  // abort_timeout: whoever does not answer so long is dead or stopped
      add(s, out, 0, "loses its patience", [](State& n) { n.word = withdrawn, tell(n, true); });
  }

  void receiver(const State& s, steps& out) const {
    if (s.is_over || s.word == none) return;
    add(s, out, 1, "is killed", [](State& n) { n.is_killed = 1; });
    out.back().may_never_come = true;
    if (!s.is_reading && s.word == offered)
      add(s, out, 1, "marks the offer as being read", [&](State& n) {
        if (mistake != bug::reads_without_marking) n.word = reading;
        n.is_reading = 1;
      });
    if (!s.is_reading && s.word == withdrawn)
      add(s, out, 1, "sees that it was withdrawn", [](State& n) { n.is_over = 1; });
    if (s.is_reading == 1)
      add(s, out, 1, "copies a piece", [](State& n) {
        if (n.is_told) n.read_after = 1;
        ++n.read;
        n.is_reading = 2;
      });
    if (s.is_reading == 2)
      add(s, out, 1, "gives the memory back", [&](State& n) {
        const bool is_last = n.read == pieces || mistake == bug::tells_at_the_first_piece;
        const std::uint8_t expected = mistake == bug::reads_without_marking ? offered : reading;
        const bool holds = n.word == expected;
        if (holds) n.word = is_last ? taken : offered;
        n.is_reading = 0;
        n.is_over = is_last || !holds;
      });
  }
};

}  // namespace hawser::models
