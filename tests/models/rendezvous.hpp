// Model of the store's rendezvous and failure notices: src/bootstrap/store_protocol.cpp, store_state.cpp (the server)
// and store_monitor.cpp, store_bootstrap.cpp (the client). Change it with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"

namespace hawser::models {

/// Three ranks join, wait for all, publish a key each, and get their neighbour's. One of them may be killed at any
/// moment. Nobody may wait for ever, and no get may return a value that was not put.
struct rendezvous_model {
  enum class bug {
    none,
    late_joiner_is_not_told,      // after_greeting: the notices so far are not sent
    waiting_get_is_not_answered,  // put: those who wait are not answered
    notice_only_on_the_board,     // the board's listener does not wake a waiting request
    leaves_without_a_word,        // drop: a closed connection without fail_member
  };
  bug mistake = bug::none;
  static constexpr int ranks = 3;
  enum place : std::uint8_t { outside, joined, rendezvous, met, put, getting, waiting, done, failed, dead };

  struct State {
    std::uint8_t at[ranks];
    std::uint8_t has_key;        // bits, at the server
    std::uint8_t is_known_dead;  // bits, at the server
    std::uint8_t has_joined;     // bits, at the server
    std::uint8_t is_closed;      // bits: a closed connection that the server has not looked at
    std::uint8_t notice[ranks];  // bits: on this rank's board
    std::uint8_t answer[ranks];  // an answer is on its way to a waiting get
    std::uint8_t had_wrong;
    std::uint8_t kills;
  };

  std::string broken(const State& s) const { return s.had_wrong ? "a get returned what nobody had put" : ""; }
  bool is_end(const State& s) const {
    for (const std::uint8_t each : s.at)
      if (each != done && each != failed && each != dead) return false;
    return true;
  }

  void moves(const State& s, std::vector<move<State>>& out) const {
    server(s, out);
    for (int me = 0; me < ranks; ++me) {
      if (s.at[me] == dead || s.at[me] == done || s.at[me] == failed) continue;
      if (s.kills == 0)
        add(s, out, me, "is killed",
            [&](State& n) {
              if (n.at[me] != outside) n.is_closed |= bit(me);
              n.at[me] = dead;
              ++n.kills;
            }),
            out.back().may_never_come = true;
      client(s, me, out);
    }
  }

 private:
  static std::uint8_t bit(int r) { return static_cast<std::uint8_t>(1 << r); }
  static constexpr std::uint8_t all = (1 << ranks) - 1;
  static int wants(int me) { return (me + 1) % ranks; }

  template <class Change>
  static void add(const State& s, std::vector<move<State>>& out, int who, const char* what, Change&& change) {
    State next = s;
    change(next);
    out.push_back({next, what, who});
  }

  void server(const State& s, std::vector<move<State>>& out) const {
    for (int r = 0; r < ranks; ++r) {
      if (!(s.is_closed & bit(r))) continue;
      add(s, out, ranks, "the server sees a closed connection", [&](State& n) {
        n.is_closed &= static_cast<std::uint8_t>(~bit(r));
        if (mistake == bug::leaves_without_a_word) return;
        n.is_known_dead |= bit(r);
        for (int each = 0; each < ranks; ++each)
          if (each != r && (n.has_joined & bit(each))) n.notice[each] |= bit(r);
      });
    }
  }

  void client(const State& s, int me, std::vector<move<State>>& out) const {
    const bool is_told = s.notice[me] != 0;
    const bool hears = is_told && mistake != bug::notice_only_on_the_board;
    const std::uint8_t key = bit(wants(me));
    switch (s.at[me]) {
      case outside:
        return add(s, out, me, "joins", [&](State& n) {
          n.has_joined |= bit(me);
          if (mistake != bug::late_joiner_is_not_told) n.notice[me] = n.is_known_dead;
          n.at[me] = rendezvous;
        });
      case rendezvous:  // a rank that has joined counts for the rendezvous even where it is dead by now
        if (s.has_joined == all) add(s, out, me, "has met all", [&](State& n) { n.at[me] = met; });
        if (hears) add(s, out, me, "is told of a death", [&](State& n) { n.at[me] = failed; });
        if (someone_never_joins(s))
          add(s, out, me, "gives up: rendezvous_timeout", [&](State& n) { n.at[me] = failed; });
        return;
      case met:
        return add(s, out, me, "puts its key", [&](State& n) {
          n.has_key |= bit(me);
          for (int each = 0; each < ranks; ++each)
            if (n.at[each] == waiting && wants(each) == me && mistake != bug::waiting_get_is_not_answered)
              n.answer[each] = 1;
          n.at[me] = getting;
        });
      case getting:  // a key that is there is returned whatever happened since
        return add(s, out, me, "asks for its neighbour's key", [&](State& n) {
          n.answer[me] = (n.has_key & key) != 0;
          n.at[me] = waiting;
        });
      case waiting:
        if (s.answer[me])
          add(s, out, me, "has the value", [&](State& n) {
            if (!(n.has_key & key)) n.had_wrong = 1;
            n.at[me] = done;
          });
        if (hears) add(s, out, me, "is told of a death", [&](State& n) { n.at[me] = failed; });
        return;
      default: return;
    }
  }

  /// A rank died before it joined: no connection tells of it, only the time-out that names the missing.
  static bool someone_never_joins(const State& s) {
    for (int r = 0; r < ranks; ++r)
      if (s.at[r] == dead && !(s.has_joined & bit(r))) return true;
    return false;
  }
};

}  // namespace hawser::models
