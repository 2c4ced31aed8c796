// Model of an agreement of shrink: include/hawser/bootstrap/agreement.hpp, src/bootstrap/store_agreement.cpp,
// store_failover.cpp and `check_majority` of src/communicator/shrink.cpp. Change it with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"

namespace hawser::models {

/// Four ranks agree on who survives. Ranks are killed at any moments, the store's host among them, whose place the lowest
/// that is left takes; once the network may be cut in two, for good. Without a cut all that live get one and the same
/// communicator; with it, never do two communicators work. Nobody waits for ever. Messages arrive at once; a successor
/// learns of deaths by itself, which permits more than the notices that it inherits in the code.
struct shrink_model {
  enum class bug {
    none,
    decisions_are_not_handed_over,  // resume: a successor does not learn what its predecessor decided
    absent_ones_are_not_awaited,    // conclude: a member that lives and has not asked is not waited for
    no_grace_for_latecomers,        // check_missing: who has not come to the successor yet is given up at once
    deaths_are_not_noticed,         // a closed connection is no standing::dead
    no_majority,                    // check_majority: everybody may go on
    both_halves,                    // check_majority: half is enough, whoever has the lowest rank
  };
  bug mistake = bug::none;
  int most_mishaps = 2;  ///< deaths and cuts
  static constexpr int ranks = 4;
  enum place : std::uint8_t { running, waiting, going_on, refused, dead };

  /// A store, by the rank that runs it. Sets of ranks are bits.
  struct store {
    std::uint8_t is_open, asked, known_dead, unreachable, is_decided, present, out_of_reach;
  };
  struct State {
    std::uint8_t at[ranks];
    std::uint8_t members[ranks];  // of the communicator that this rank got
    std::uint8_t at_store[ranks]; // 1 + the rank that runs the store it is connected to, 0: none; at first rank 0's
    std::uint8_t beyond[ranks];   // the unreachable ones of the decision that it has heard
    store stores[ranks];
    std::uint8_t far;             // ranks that are cut off from the others; 0: no cut
    std::uint8_t kills;
    std::uint8_t is_begun;
  };

  std::string broken(const State& s) const {
    for (int a = 0; a < ranks; ++a) {
      if (s.far == 0 && s.at[a] == refused) return "a rank was left out though it lives and nothing is cut";
      for (int b = 0; b < a; ++b) {
        if (s.at[a] != going_on || s.at[b] != going_on || s.members[a] == s.members[b]) continue;
        if (s.far == 0) return "two ranks got different communicators";
        if (works(s, s.members[a]) && works(s, s.members[b])) return "two communicators work";
      }
    }
    return "";
  }
  bool is_end(const State& s) const {
    for (const std::uint8_t each : s.at)
      if (each == running || each == waiting) return false;
    return true;
  }

  void moves(const State& s, std::vector<move<State>>& out) const {
    if (!s.is_begun)  // the state with which it begins: all are connected to the store of rank 0
      return add(s, out, 0, "opens the store", [](State& n) {
        n.is_begun = n.stores[0].is_open = 1;
        for (std::uint8_t& each : n.at_store) each = 1;
      });
    chance(s, out);
    for (int r = 0; r < ranks; ++r) {
      if (s.at[r] == dead) continue;
      if (s.stores[r].is_open) serve(s, r, out);
      if (s.at[r] != refused) take_part(s, r, out);
    }
  }

 private:
  static constexpr std::uint8_t all = (1 << ranks) - 1;
  static std::uint8_t bit(int r) { return static_cast<std::uint8_t>(1 << r); }
  static int count(unsigned set) { return __builtin_popcount(set); }
  static bool reach(const State& s, int a, int b) { return ((s.far >> a) & 1) == ((s.far >> b) & 1); }
  static bool works(const State& s, std::uint8_t members) {
    for (int r = 0; r < ranks; ++r)
      if ((members & bit(r)) && (s.at[r] != going_on || s.members[r] != members)) return false;
    return true;
  }

  template <class Change>
  static void add(const State& s, std::vector<move<State>>& out, int who, const char* what, Change&& change) {
    State next = s;
    change(next);
    out.push_back({next, what, who});
  }

  void chance(const State& s, std::vector<move<State>>& out) const {
    if (s.kills + (s.far != 0) >= most_mishaps) return;
    for (int r = 0; r < ranks; ++r)
      if (s.at[r] != dead)
        add(s, out, r, "is killed",
            [&](State& n) {
              n.at[r] = dead;
              n.stores[r] = {};
              ++n.kills;
            }),
            out.back().may_never_come = true;
    for (const std::uint8_t far : {std::uint8_t{0b1000}, std::uint8_t{0b1100}, std::uint8_t{0b1110}})
      if (s.far == 0)
        add(s, out, ranks, "the network is cut", [&](State& n) { n.far = far; }), out.back().may_never_come = true;
  }

  /// The store that rank `host` runs.
  void serve(const State& s, int host, std::vector<move<State>>& out) const {
    const store& own = s.stores[host];
    for (int r = 0; r < ranks; ++r) {
      if ((own.known_dead | own.unreachable) & bit(r)) continue;
      const bool has_ended = s.at[r] == dead || s.at[r] == refused;
      if (reach(s, host, r) && has_ended && mistake != bug::deaths_are_not_noticed)
        add(s, out, host, "its store learns that a rank has ended",
            [&](State& n) { n.stores[host].known_dead |= bit(r); });
      const bool is_late = mistake == bug::no_grace_for_latecomers && host != 0 && s.at_store[r] != host + 1;
      if (!reach(s, host, r) || is_late)
        add(s, out, host, "its store gives a rank up", [&](State& n) { n.stores[host].unreachable |= bit(r); });
    }
    const auto gone = static_cast<std::uint8_t>(own.known_dead | own.unreachable);
    const bool is_whole = (own.asked | gone) == all || mistake == bug::absent_ones_are_not_awaited;
    if (!own.is_decided && own.asked != 0 && is_whole)
      add(s, out, host, "its store decides", [&](State& n) {
        n.stores[host].is_decided = 1;
        n.stores[host].present = own.asked & static_cast<std::uint8_t>(~gone);
        n.stores[host].out_of_reach = own.unreachable;
      });
  }

  void take_part(const State& s, int me, std::vector<move<State>>& out) const {
    if (s.at_store[me] == 0) return look_for_a_store(s, me, out);
    const int host = s.at_store[me] - 1;
    if (s.at[host] == dead || !reach(s, me, host))
      return add(s, out, me, "loses its store", [&](State& n) { n.at_store[me] = 0; });
    if (s.at[me] == running)
      return add(s, out, me, "asks", [&](State& n) {
        n.at[me] = waiting;
        n.stores[host].asked |= bit(me);
      });
    const store& its = s.stores[host];
    if (s.at[me] != waiting || !its.is_decided) return;
    add(s, out, me, "is answered", [&](State& n) {
      n.members[me] = its.present;
      n.beyond[me] = its.out_of_reach;
      n.at[me] = (its.present & bit(me)) && may_go_on(its) ? going_on : refused;
    });
  }

  bool may_go_on(const store& its) const {
    const int here = count(its.present), elsewhere = count(its.out_of_reach);
    if (here > elsewhere || mistake == bug::no_majority) return true;
    const unsigned both = its.present | its.out_of_reach;
    return here == elsewhere && ((both & -both & its.present) != 0 || mistake == bug::both_halves);
  }

  /// The lowest rank that is there has the next store; it opens it when it looks for one itself.
  void look_for_a_store(const State& s, int me, std::vector<move<State>>& out) const {
    int host = 0;
    while (s.at[host] == dead || s.at[host] == refused || !reach(s, me, host)) ++host;
    if (host == me && !s.stores[me].is_open)
      return add(s, out, me, "opens a store", [&](State& n) { n.stores[me].is_open = 1; });
    if (!s.stores[host].is_open || (s.stores[host].unreachable & bit(me))) return given_up(s, me, host, out);
    add(s, out, me, "comes to the next store", [&](State& n) {
      n.at_store[me] = static_cast<std::uint8_t>(host + 1);
      if (s.at[me] == waiting) n.stores[host].asked |= bit(me);
      if (s.at[me] != going_on || mistake == bug::decisions_are_not_handed_over) return;
      n.stores[host].is_decided = 1;
      n.stores[host].present = s.members[me];
      n.stores[host].out_of_reach = s.beyond[me];
    });
  }

  void given_up(const State& s, int me, int host, std::vector<move<State>>& out) const {
    if (s.stores[host].unreachable & bit(me))
      add(s, out, me, "is told that it has been given up", [&](State& n) { n.at[me] = refused; });
  }
};

}  // namespace hawser::models
