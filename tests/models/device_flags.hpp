// Model of include/hawser/cuda/device/sync.hpp and exchange.hpp: calls over staging that exists twice, by the number's
// parity, with epochs that only grow. Change it with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"

namespace hawser::models {

/// Two ranks make `calls` calls: announce, may_stage, write the own block to the peer's staging, meet, read one's
/// staging. Some calls go one way, as a broadcast by low-latency lines does: rank 0 writes, and waits for nobody.
struct device_flags_model {
  enum class bug {
    none,
    does_not_wait_to_stage,  // may_stage: no look at the peers' epochs
    one_buffer,              // staging by parity left out
    meets_too_early,         // meet: waits for the epoch of the call's beginning
    writes_after_meeting,    // the flag before the data
  };
  bug mistake = bug::none;
  static constexpr std::uint8_t calls = 6, ranks = 2, epochs_per_call = 4;

  struct State {
    std::uint8_t flag[ranks];        // in the window of rank r: what its peer has come to
    std::uint8_t staging[ranks][2];  // the call whose data lies there; 0: none
    std::uint8_t call[ranks];        // counts from 0; the number is one more
    std::uint8_t at[ranks];
    std::uint8_t misread;
  };
  enum place : std::uint8_t { begin, stage, write, signal, wait, read };

  std::string broken(const State& s) const { return s.misread ? "a rank reads another call's data" : ""; }
  bool is_end(const State& s) const { return s.call[0] == calls && s.call[1] == calls; }

  void moves(const State& s, std::vector<move<State>>& out) const {
    for (int me = 0; me < ranks; ++me)
      if (s.call[me] < calls) step(s, me, out);
  }

 private:
  static bool is_one_way(int number) { return number > 1 && number < calls; }
  static std::uint8_t epoch(int number, int meeting) {
    return static_cast<std::uint8_t>(number * epochs_per_call + meeting);
  }

  void step(const State& s, int me, std::vector<move<State>>& out) const {
    const int peer = 1 - me, number = s.call[me] + 1;
    const auto half = static_cast<std::size_t>(mistake == bug::one_buffer ? 0 : number % 2);
    const auto add = [&](const char* what, place then, auto&& change) {
      State next = s;
      next.at[me] = then;
      change(next);
      out.push_back({next, what, me});
    };
    const bool is_early = mistake == bug::writes_after_meeting;
    switch (s.at[me]) {
      case begin: return add("announces the call", stage, [&](State& n) { n.flag[peer] = epoch(number, 0); });
      case stage: {  // what the peer left in this half was read before it began the previous call
        const bool may = mistake == bug::does_not_wait_to_stage || s.flag[me] + epochs_per_call >= epoch(number, 0);
        if (may) add("may stage", is_one_way(number) && me == 1 ? read : is_early ? signal : write, [](State&) {});
        return;
      }
      case write:
        return add("writes to the peer's staging",
                   is_one_way(number) ? begin
                   : is_early         ? wait
                                      : signal,
                   [&](State& n) {
                     n.staging[peer][half] = static_cast<std::uint8_t>(number);
                     n.call[me] = static_cast<std::uint8_t>(n.call[me] + is_one_way(number));
                   });
      case signal:
        return add("says that it is there", is_early ? write : wait,
                   [&](State& n) { n.flag[peer] = epoch(number, 1); });
      case wait: {
        const std::uint8_t needed = epoch(number, mistake == bug::meets_too_early ? 0 : 1);
        if (s.flag[me] >= needed) add("meets its peer", read, [](State&) {});
        return;
      }
      default:  // a line carries its number: a one-way call waits for that
        if (is_one_way(number) && s.staging[me][half] < number) return;
        return add("reads its staging", begin, [&](State& n) {
          if (n.staging[me][half] != number) n.misread = 1;
          ++n.call[me];
        });
    }
  }
};

}  // namespace hawser::models
