// Model of src/transport/shared_memory_{sender,receiver}.cpp and shared_memory.cpp (arm, wake): the ring between two
// ranks, its credits, and both ends' sleep. Change it with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker.hpp"

namespace hawser::models {

/// A writer sends `messages` lines through a ring of `ring_lines`; the reader takes them and gives room back in parts.
/// Each sleeps when it has nothing to do, and is woken by its bell.
struct ring_model {
  /// Mistakes that a programmer could make here; each must be found.
  enum class bug {
    none,
    looks_before_it_says_that_it_sleeps,  // arm: the checks before the store to `sleeping`
    publishes_after_waking,               // publish: wake before the store to `tail`
    looks_before_it_says_that_it_waits,   // can_sleep of the sender: the head before `is_writer_waiting`
    says_that_it_waits_before_it_sleeps,  // arm: can_sleep before the store to `sleeping`
    ignores_credits,                      // write: no look at the room
    gives_room_back_silently,             // publish_head: without a look at `is_writer_waiting`
  };
  bug mistake = bug::none;
  static constexpr std::uint8_t messages = 5, ring_lines = 2;

  struct State {
    std::uint8_t tail, head;         // shared
    std::uint8_t sleeping[2];        // by owner: 0 the writer, 1 the reader
    std::uint8_t bell[2];            // strokes in the FIFO, 1 at most
    std::uint8_t is_writer_waiting;  // shared
    std::uint8_t written, taken;     // private positions of the two
    std::uint8_t at[2];              // program counters
    std::uint8_t is_idle[2];         // what can_sleep has found, while it arms
    std::uint8_t corrupted;
  };

  // Program counters. said: `sleeping` is set, or about to be; asking: the writer's word that it waits for room;
  // looking: the last check; asleep: in poll(2).
  enum place : std::uint8_t { work, said, asking, looking, asleep, waking, ringing, gave_back, late_word };

  std::string broken(const State& s) const { return s.corrupted ? "a line was overwritten before it was read" : ""; }
  bool is_end(const State& s) const { return s.taken == messages; }

  void moves(const State& s, std::vector<move<State>>& out) const {
    writer(s, out);
    reader(s, out);
  }

 private:
  using steps = std::vector<move<State>>;

  template <class Change>
  static void add(const State& s, steps& out, int who, const char* what, Change&& change) {
    State next = s;
    change(next);
    out.push_back({next, what, who});
  }

  /// The three steps of wake(): who stores first looks whether the other sleeps, takes the flag, rings.
  static void wake(const State& s, steps& out, int who, place then) {
    const int other = 1 - who;
    if (s.at[who] == waking)
      add(s, out, who, "wake: is it asleep?", [&](State& n) { n.at[who] = s.sleeping[other] ? ringing : then; });
    if (s.at[who] == ringing)
      add(s, out, who, "wake: rings the bell", [&](State& n) {
        if (n.sleeping[other]) n.bell[other] = 1;
        n.sleeping[other] = 0;
        n.at[who] = then;
      });
  }

  /// arm: says that it sleeps, says that it waits for room (the writer), looks, blocks; and the wake-up.
  template <class CanSleep>
  void sleep(const State& s, steps& out, int who, CanSleep&& can_sleep) const {
    const bool looks_early = mistake == bug::looks_before_it_says_that_it_sleeps;
    if (s.at[who] == said)
      add(s, out, who, looks_early ? "arm: looks" : "arm: says that it sleeps", [&](State& n) {
        looks_early ? void(n.is_idle[who] = can_sleep(s)) : void(n.sleeping[who] = 1);
        n.at[who] = after_word(who);
      });
    if (s.at[who] == looking)
      add(s, out, who, looks_early ? "arm: says that it sleeps" : "arm: looks", [&](State& n) {
        const bool may = looks_early ? s.is_idle[who] : can_sleep(s);
        n.is_idle[who] = 0;
        n.sleeping[who] = may;
        n.at[who] = !may ? work : who == 0 && mistake == bug::looks_before_it_says_that_it_waits ? late_word : asleep;
      });
    if (s.at[who] == asleep && s.bell[who])
      add(s, out, who, "wakes up", [&](State& n) {
        n.bell[who] = 0;
        n.sleeping[who] = 0;
        n.at[who] = work;
      });
  }

  place after_word(int who) const {
    const bool has_asked =
        mistake == bug::looks_before_it_says_that_it_waits || mistake == bug::says_that_it_waits_before_it_sleeps;
    return who == 0 && !has_asked ? asking : looking;
  }

  void writer(const State& s, steps& out) const {
    const bool has_room = mistake == bug::ignores_credits || s.written - s.head < ring_lines;
    const bool is_early = mistake == bug::publishes_after_waking;
    wake(s, out, 0, is_early ? gave_back : work);
    if (s.at[0] == gave_back)
      add(s, out, 0, "publishes the tail, late", [](State& n) { n.tail = n.written, n.at[0] = work; });
    if (s.at[0] == work && s.written < messages && has_room)
      add(s, out, 0, "writes a line and publishes the tail", [&](State& n) {
        if (n.written - n.taken >= ring_lines) n.corrupted = 1;
        ++n.written;
        if (!is_early) n.tail = n.written;
        n.at[0] = waking;
      });
    const bool asks_first = mistake == bug::says_that_it_waits_before_it_sleeps;
    if (s.at[0] == work && s.written < messages && !has_room)
      add(s, out, 0, "has no room", [&](State& n) { n.at[0] = asks_first ? asking : said; });
    if (s.at[0] == asking || s.at[0] == late_word)
      add(s, out, 0, "says that it waits for room", [&](State& n) {
        n.is_writer_waiting = 1;
        n.at[0] = s.at[0] == late_word ? asleep : asks_first ? said : looking;
      });
    sleep(s, out, 0, [](const State& now) { return now.written - now.head >= ring_lines; });
  }

  void reader(const State& s, steps& out) const {
    wake(s, out, 1, work);
    if (s.at[1] == work && s.taken < s.tail)
      add(s, out, 1, "takes a line and publishes the head", [](State& n) {
        ++n.taken;
        n.head = n.taken;
        n.at[1] = gave_back;
      });
    if (s.at[1] == gave_back)
      add(s, out, 1, "does the writer wait for room?", [&](State& n) {
        const bool tells = mistake != bug::gives_room_back_silently && n.is_writer_waiting;
        n.is_writer_waiting = 0;
        n.at[1] = tells ? waking : work;
      });
    if (s.at[1] == work && s.taken == s.tail && s.taken < messages)
      add(s, out, 1, "has nothing to read", [](State& n) { n.at[1] = said; });
    sleep(s, out, 1, [](const State& now) { return now.taken == now.tail; });
  }
};

}  // namespace hawser::models
