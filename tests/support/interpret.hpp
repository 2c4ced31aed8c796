// Runs the schedules of all ranks on real data in one thread, in a random order that the dependences allow: an oracle
// that shares no code with the executor or the symbolic verifier. Sends wait for their receive, the strictest
// transport.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <hawser/schedule/program.hpp>

namespace hawser::test {

template <class T>
class interpreter {
 public:
  using combine = std::function<T(const T&, const T&)>;

  /// `count` elements per block; all memory starts out as `poison`.
  interpreter(std::vector<schedule::schedule> ranks, std::int64_t count, const T& poison, combine op)
      : count_(count), op_(std::move(op)) {
    for (schedule::schedule& each : ranks) {
      const auto size = [&](std::int64_t blocks) { return static_cast<std::size_t>(blocks * count); };
      ranks_.push_back({schedule::derive_dependences(std::move(each)), {}, {}, {}});
      participant& added = ranks_.back();
      const schedule::schedule& source = added.program.source;
      added.memory[0].assign(size(source.input_blocks), poison);
      added.memory[1].assign(size(source.output_blocks), poison);
      added.memory[2].assign(size(source.scratch_blocks), poison);
      added.waits = added.program.waits_for;
      added.chain.assign(source.steps.size(), 0);
    }
  }

  std::vector<T>& memory(std::size_t rank, schedule::buffer where) {
    return ranks_[rank].memory[static_cast<std::size_t>(where)];
  }

  /// Runs everything. Throws std::runtime_error that says which step is stuck or malformed.
  void run(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    open_lanes();
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      for (std::size_t i = 0; i < ranks_[r].waits.size(); ++i)
        if (ranks_[r].waits[i] == 0) became_ready(r, i);
    std::size_t done = 0, all = 0;
    for (const participant& each : ranks_) all += each.waits.size();
    while (!runnable_.empty()) {
      std::swap(runnable_[random() % runnable_.size()], runnable_.back());
      const action next = runnable_.back();
      runnable_.pop_back();
      done += execute(next);
    }
    if (done != all) throw std::runtime_error("stuck: " + std::to_string(all - done) + " steps cannot run");
  }

  /// Length of the longest chain of dependent messages, after a run.
  std::int64_t longest_chain() const {
    std::int64_t longest = 0;
    for (const participant& each : ranks_)
      for (std::int64_t length : each.chain) longest = std::max(longest, length);
    return longest;
  }

  std::int64_t elements_sent(std::size_t rank) const {
    const schedule::schedule& source = ranks_[rank].program.source;
    std::int64_t sent = 0;
    for (const schedule::step& each : source.steps)
      if (each.sends()) each_range(rank, each.source, [&](auto, auto begin, auto end) { sent += end - begin; });
    return sent;
  }
  std::size_t steps(std::size_t rank) const { return ranks_[rank].waits.size(); }

 private:
  struct participant {
    schedule::program program;
    std::vector<T> memory[3];
    std::vector<std::uint32_t> waits;
    std::vector<std::int64_t> chain;  // per step: dependent messages up to and including it
  };
  struct place {
    std::size_t rank, step;
  };
  /// The messages of one rank to another on one channel.
  struct lane {
    std::vector<place> sends, receives;
    std::size_t posted_sends = 0, posted_receives = 0, started = 0;
  };
  struct action {
    place local{};
    const lane* message = nullptr;  // else: message `index` of a lane
    std::size_t index = 0;
  };

  const schedule::step& step_at(place p) const { return ranks_[p.rank].program.source.steps[p.step]; }

  lane& lane_of(place p) {
    const schedule::step& s = step_at(p);
    const int self = static_cast<int>(p.rank), peer = s.peer.value;
    return lanes_[s.sends() ? std::tuple(self, peer, s.channel) : std::tuple(peer, self, s.channel)];
  }

  void open_lanes() {
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      for (std::size_t i = 0; i < ranks_[r].waits.size(); ++i) {
        const place here{r, i};
        if (step_at(here).sends()) lane_of(here).sends.push_back(here);
        if (step_at(here).receives()) lane_of(here).receives.push_back(here);
      }
    for (const auto& [key, each] : lanes_)
      if (each.sends.size() != each.receives.size())
        throw std::runtime_error("rank " + std::to_string(std::get<0>(key)) + " sends " +
                                 std::to_string(each.sends.size()) + " messages to rank " +
                                 std::to_string(std::get<1>(key)) + ", which receives " +
                                 std::to_string(each.receives.size()));
  }

  void became_ready(std::size_t rank, std::size_t step) {
    const place here{rank, step};
    const schedule::step& s = step_at(here);
    if (!s.sends() && !s.receives()) return runnable_.push_back({here});
    lane& messages = lane_of(here);
    post(messages.sends, messages.posted_sends);
    post(messages.receives, messages.posted_receives);
    for (; messages.started < std::min(messages.posted_sends, messages.posted_receives); ++messages.started)
      runnable_.push_back({{}, &messages, messages.started});
  }
  /// Messages are posted in program order.
  void post(const std::vector<place>& ends, std::size_t& posted) const {
    while (posted < ends.size() && ranks_[ends[posted].rank].waits[ends[posted].step] == 0) ++posted;
  }

  std::size_t execute(const action& what) {
    if (what.message == nullptr) {
      const schedule::step& s = step_at(what.local);
      std::vector<T> values = read(what.local.rank, s.source);
      if (s.kind == schedule::step_kind::reduce) reduce(values, read(what.local.rank, s.other), s.incoming);
      write(what.local.rank, s.target, values);
      complete(what.local);
      return 1;
    }
    const place from = what.message->sends[what.index], to = what.message->receives[what.index];
    std::vector<T> values = read(from.rank, step_at(from).source);
    const schedule::step& s = step_at(to);
    if (s.kind == schedule::step_kind::recv_reduce) {
      std::vector<T> own = read(to.rank, s.source);
      reduce(own, values, s.incoming);
      values = std::move(own);
    }
    write(to.rank, s.target, values);
    std::int64_t& chain = ranks_[to.rank].chain[to.step];
    chain = std::max(chain, ranks_[from.rank].chain[from.step] + 1);
    complete(from);
    complete(to);
    return 2;
  }

  void complete(place done) {
    participant& owner = ranks_[done.rank];
    for (std::uint32_t next : owner.program.dependents_of(done.step)) {
      owner.chain[next] = std::max(owner.chain[next], owner.chain[done.step]);
      if (--owner.waits[next] == 0) became_ready(done.rank, next);
    }
  }

  void reduce(std::vector<T>& values, const std::vector<T>& other, schedule::side incoming) const {
    if (values.size() != other.size()) throw std::runtime_error("operands of a reduction differ in size");
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = incoming == schedule::side::right ? op_(values[i], other[i]) : op_(other[i], values[i]);
  }

  /// Calls f(buffer, begin, end) in elements.
  template <class F>
  void each_range(std::size_t rank, schedule::operand o, F&& f) const {
    for (const schedule::region& r : ranks_[rank].program.source.at(o))
      for (std::uint32_t k = 0; k < r.count; ++k)
        f(static_cast<std::size_t>(r.where), r.at(k).begin.of(count_), r.at(k).end.of(count_));
  }
  std::vector<T> read(std::size_t rank, schedule::operand from) const {
    std::vector<T> values;
    each_range(rank, from, [&](std::size_t where, std::int64_t begin, std::int64_t end) {
      const std::vector<T>& memory = ranks_[rank].memory[where];
      check(end, memory);
      values.insert(values.end(), memory.begin() + begin, memory.begin() + end);
    });
    return values;
  }
  void write(std::size_t rank, schedule::operand to, const std::vector<T>& values) {
    auto next = values.begin();
    each_range(rank, to, [&](std::size_t where, std::int64_t begin, std::int64_t end) {
      std::vector<T>& memory = ranks_[rank].memory[where];
      check(end, memory);
      if (values.end() - next < end - begin) throw std::runtime_error("a target is larger than what arrives");
      std::copy_n(next, end - begin, memory.begin() + begin);
      next += end - begin;
    });
    if (next != values.end()) throw std::runtime_error("a target is smaller than what arrives");
  }
  static void check(std::int64_t end, const std::vector<T>& memory) {
    if (end > static_cast<std::int64_t>(memory.size())) throw std::runtime_error("a step leaves its buffer");
  }

  std::int64_t count_;
  combine op_;
  std::vector<participant> ranks_;
  std::map<std::tuple<int, int, std::uint16_t>, lane> lanes_;
  std::vector<action> runnable_;
};

}  // namespace hawser::test
