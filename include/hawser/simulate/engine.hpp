// The simulation itself: runs the classes' steps as the executor does (dependences, lanes, a window of segments) over
// flows with max-min fair rates. Event by event; all that happens at one instant is one batch, whatever its order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <queue>
#include <tuple>
#include <vector>

#include <hawser/schedule/segments.hpp>
#include <hawser/simulate/message_lines.hpp>
#include <hawser/simulate/network.hpp>
#include <hawser/simulate/program.hpp>
#include <hawser/simulate/run_settings.hpp>
#include <hawser/simulate/trace.hpp>

namespace hawser::simulate {

/// Runs one program per class over one network, event by event.
class engine {
 public:
  engine(const programs& code, const network& links, const run_settings& settings, trace* record = nullptr)
      : code_(code), links_(links), settings_(settings), record_(record), rates_(links.capacities()) {
    settings_.segments = std::max<std::int64_t>(settings_.segments, 1);
    settings_.window = std::clamp<std::int64_t>(settings_.window, 1, settings_.segments);
    result_.link_bytes.assign(links.capacities().size(), 0.0);
    waiting_.resize(code.messages.size());
    for (std::size_t c = 0; c < code.classes.size(); ++c) hosts_.emplace_back();
  }

  /// Throws `asymmetry` where ranks of one class turn out not to be alike.
  run_result run() {
    for (std::size_t c = 0; c < hosts_.size(); ++c) {
      hosts_[c].slots.resize(static_cast<std::size_t>(settings_.window));
      if (code_.classes[c].blocks.empty()) continue;  // nothing to do
      hosts_[c].segments_left = settings_.segments;
      for (std::uint32_t s = 0; s < hosts_[c].slots.size(); ++s) begin_segment({static_cast<std::int32_t>(c), s, 0});
    }
    settle();
    while (!queue_.empty()) {
      now_ = std::max(now_, queue_.top().time);
      const double same = now_ * (1 + same_instant);
      while (!queue_.empty() && queue_.top().time <= same) {
        const event next = queue_.top();
        queue_.pop();
        handle(next);
      }
      settle();
      if (queue_.empty() || queue_.top().time > same) update_rates();
    }
    for (const host& each : hosts_)
      if (each.segments_left > 0)
        fail(errc::internal, "the simulated schedule does not end", "a step waits for a message that never comes");
    result_.time = seconds{finished_};
    return std::move(result_);
  }

 private:
  /// Moments this close (relative) are one: rounding must not tear apart what happens together.
  static constexpr double same_instant = 1e-10;

  struct step_ref {
    std::int32_t host;
    std::uint32_t slot, step;
  };
  struct slot {
    std::int64_t segment = 0;
    std::uint32_t steps_left = 0;
    std::vector<std::uint32_t> waits;
    std::vector<std::uint32_t> messages_left;  // per step; of its messages
    std::vector<double> begun;                 // per step: when it was issued
    std::vector<double> arrived;               // per step: when the first of its messages did
  };
  enum class work : std::uint8_t { post, receive, compute };
  struct host {
    std::vector<slot> slots;
    std::int64_t next_segment = 0, segments_left = 0;
    double posting_until = 0, receiving_until = -std::numeric_limits<double>::infinity(), computing_until = 0;
    std::vector<step_ref> batch[3];  // by `work`: what became ready at this instant
    bool is_listed = false;
  };
  struct batch {
    work kind;
    std::vector<step_ref> steps;
  };
  /// One end of a message that waits for the other.
  struct posted {
    std::int64_t segment;
    std::uint32_t slot;
    bool is_send;
  };
  struct delivery {
    std::uint32_t message;
    std::uint32_t from_slot, to_slot;
    std::uint32_t parts_left;
  };
  struct flow {
    std::vector<use> uses;
    double left = 0;  // bytes of each
    double rate = 0, since = 0;
    std::uint32_t version = 0;
    bool is_active = false;
    std::vector<std::uint32_t> deliveries;
  };
  enum class what : std::uint8_t { batch_done, flow_begins, flow_ends, rates_due };
  struct event {
    double time;
    what kind;
    std::uint32_t id, version;
    friend bool operator<(const event& a, const event& b) { return a.time > b.time; }  // earliest on top
  };
  struct start {
    std::tuple<std::int32_t, std::int32_t, int, double> key;  // classes, level, bytes
    std::uint32_t delivery;
    friend bool operator<(const start& a, const start& b) {
      return std::tie(a.key, a.delivery) < std::tie(b.key, b.delivery);
    }
  };

  const class_program& program_of(const step_ref& at) const { return code_.classes[static_cast<std::size_t>(at.host)]; }
  host& host_of(const step_ref& at) { return hosts_[static_cast<std::size_t>(at.host)]; }
  slot& slot_of(const step_ref& at) { return host_of(at).slots[at.slot]; }
  double bytes_of(const step_ref& at, double blocks) {
    return blocks * settings_.block_bytes * schedule::segmentation(settings_.segments).share(slot_of(at).segment);
  }

  void begin_segment(step_ref at) {
    host& self = host_of(at);
    slot& home = slot_of(at);
    const class_program& program = program_of(at);
    home.segment = self.next_segment++;
    home.waits = program.waits_for_start;
    home.steps_left = static_cast<std::uint32_t>(home.waits.size());
    home.messages_left.assign(home.waits.size(), 0);
    home.begun.assign(home.waits.size(), 0.0);
    home.arrived.assign(home.waits.size(), -1.0);
    for (at.step = 0; at.step < home.waits.size(); ++at.step) {
      home.messages_left[at.step] = static_cast<std::uint32_t>(program.messages[at.step].size());
      if (home.waits[at.step] == 0) ready_.push_back(at);
    }
  }

  /// Issues what is ready until nothing more is, then turns this instant's work into batches and flows.
  void settle() {
    while (!ready_.empty()) {
      issuing_.swap(ready_);
      for (const step_ref& each : issuing_) issue(each);
      issuing_.clear();
    }
    for (std::int32_t h : listed_) close_batches(h);
    listed_.clear();
    begin_flows();
  }

  void issue(const step_ref& at) {
    const class_program& program = program_of(at);
    const schedule::step& s = program.code.source.steps[at.step];
    slot_of(at).begun[at.step] = now_;
    if (!s.sends() && !s.receives()) return enlist(work::compute, at);
    if (const std::uint32_t next = program.next_on_lane[at.step]; next != class_program::none)
      release({at.host, at.slot, next});
    if (bytes_of(at, program.blocks[at.step]) <= 0 && !settings_.sends_empty_messages) return completed(at);
    if (s.sends()) return enlist(work::post, at);
    post(at, false);
  }

  void enlist(work kind, const step_ref& at) {
    host& self = host_of(at);
    self.batch[static_cast<int>(kind)].push_back(at);
    if (!self.is_listed) listed_.push_back(at.host);
    self.is_listed = true;
  }

  void close_batches(std::int32_t h) {
    host& self = hosts_[static_cast<std::size_t>(h)];
    self.is_listed = false;
    for (work kind : {work::post, work::receive, work::compute}) {
      std::vector<step_ref>& steps = self.batch[static_cast<int>(kind)];
      // The engine goes from step to step, the oldest segment first; within a segment there is no order among equals.
      std::stable_sort(steps.begin(), steps.end(), [this](const step_ref& a, const step_ref& b) {
        return slot_of(a).segment < slot_of(b).segment;
      });
      for (auto begin = steps.begin(); begin != steps.end();) {
        const std::int64_t segment = slot_of(*begin).segment;
        const auto end =
            std::find_if(begin, steps.end(), [&](const step_ref& at) { return slot_of(at).segment != segment; });
        close_batch(self, kind, {begin, end});
        begin = end;
      }
      steps.clear();
    }
  }

  void close_batch(host& self, work kind, std::vector<step_ref> steps) {
    const bool is_switch = program_of(steps.front()).is_switch;
    const double each = is_switch ? 0 : settings_.host.per_message.count();
    const double count = static_cast<double>(steps.size());
    double done = now_;
    if (kind == work::post) {
      done = self.posting_until = std::max(now_, self.posting_until) + count * each;
    } else if (kind == work::receive) {  // the first one's work overlaps with its way
      done = self.receiving_until = std::max(now_ + (count - 1) * each, self.receiving_until + count * each);
    } else {
      double amount = 0;
      for (const step_ref& at : steps) amount += bytes_of(at, program_of(at).blocks[at.step]);
      done = self.computing_until =
          std::max(now_, self.computing_until) + (is_switch ? 0 : amount / settings_.host.reduction.bytes_per_second);
    }
    queue_.push({done, what::batch_done, take(batches_, free_batches_), 0});
    batches_[last_taken_] = {kind, std::move(steps)};
  }

  template <class T>
  std::uint32_t take(std::vector<T>& pool, std::vector<std::uint32_t>& free) {
    if (free.empty()) {
      pool.emplace_back();
      return last_taken_ = static_cast<std::uint32_t>(pool.size() - 1);
    }
    last_taken_ = free.back();
    free.pop_back();
    return last_taken_;
  }

  void handle(const event& e) {
    ++result_.events;
    if (e.kind == what::batch_done) {
      const batch done = std::move(batches_[e.id]);
      free_batches_.push_back(e.id);
      for (const step_ref& at : done.steps) {
        if (done.kind == work::post)
          post(at, true);
        else if (done.kind == work::receive && is_reduction(at))
          enlist(work::compute, at);
        else
          completed(at);
      }
    } else if (e.kind == what::flow_begins) {
      if (settings_.keeps_order && !lines_.is_next(pair_of(e.id), e.id)) return;
      if (flows_[e.id].left <= 0) return end_flow(e.id);
      flows_[e.id].rate = 0;
      flows_[e.id].since = now_;
      flows_[e.id].is_active = true;
      rates_.add(e.id, flows_[e.id].uses);
      if (settings_.lag.count() > 0) begun_.push_back(e.id);
    } else if (e.kind == what::rates_due) {
      is_due_ = true;
    } else if (e.version == flows_[e.id].version) {
      end_flow(e.id);
    }
  }

  bool is_reduction(const step_ref& at) const {
    return program_of(at).code.source.steps[at.step].kind == schedule::step_kind::recv_reduce;
  }

  /// One end is there; a message starts when both are.
  void post(const step_ref& at, bool is_send) {
    const std::int64_t segment = slot_of(at).segment;
    for (std::uint32_t number : program_of(at).messages[at.step]) {
      auto& waiting = waiting_[number];
      const auto other = std::find_if(waiting.begin(), waiting.end(), [&](const posted& each) {
        return each.segment == segment && each.is_send != is_send;
      });
      if (other == waiting.end()) {
        waiting.push_back({segment, at.slot, is_send});
        continue;
      }
      const message& m = code_.messages[number];
      const std::uint32_t id = take(deliveries_, free_deliveries_);
      deliveries_[id] = {number, is_send ? at.slot : other->slot, is_send ? other->slot : at.slot, 0};
      waiting.erase(other);
      starting_.push_back({{m.from, m.to, m.level, bytes_of(at, m.blocks)}, id});
    }
  }

  /// Equal messages between the same classes are one flow of many.
  void begin_flows() {
    std::sort(starting_.begin(), starting_.end());
    for (std::size_t i = 0; i < starting_.size();) {
      std::size_t end = i + 1;
      while (!links_.is_hashed() && !settings_.keeps_order && end < starting_.size() &&
             starting_[end].key == starting_[i].key)
        ++end;
      double flows = 0;
      for (std::size_t k = i; k < end; ++k) flows += message_of(starting_[k]).flows;
      const message& m = message_of(starting_[i]);
      const auto parts = links_.route(m, flows);
      for (const network::part& part : parts) {
        flow& made = flows_[take(flows_, free_flows_)];
        made.uses = part.uses;
        made.left = std::get<double>(starting_[i].key) * part.share;
        made.deliveries.clear();
        for (std::size_t k = i; k < end; ++k) made.deliveries.push_back(starting_[k].delivery);
        for (const use& each : part.uses) result_.link_bytes[each.link] += each.weight * made.left;
        queue_.push({now_ + links_.latency(m.level).count(), what::flow_begins, last_taken_, 0});
      }
      for (std::size_t k = i; k < end; ++k)
        deliveries_[starting_[k].delivery].parts_left = static_cast<std::uint32_t>(parts.size());
      i = end;
    }
    starting_.clear();
  }
  const message& message_of(const start& each) const { return code_.messages[deliveries_[each.delivery].message]; }

  message_lines::pair pair_of(std::uint32_t id) const {
    const message& m = code_.messages[deliveries_[flows_[id].deliveries.front()].message];
    return {m.from, m.to};
  }

  /// At the end of an instant: fair rates, or even shares for new flows until the rates are due.
  void update_rates() {
    if (settings_.lag.count() <= 0 || is_due_) {
      if (rates_.is_changed()) share_links();
      begun_.clear();
      is_due_ = is_awaited_ = false;
      return;
    }
    for (const std::uint32_t id : begun_)
      if (flows_[id].is_active && flows_[id].rate <= 0) set_rate(id, rates_.even_share(id));
    begun_.clear();
    if (!rates_.is_changed() || std::exchange(is_awaited_, true)) return;
    queue_.push({now_ + settings_.lag.count(), what::rates_due, 0, 0});
  }

  void share_links() {
    ++result_.solves;
    rates_.solve([this](std::uint32_t id) { set_rate(id, rates_.rate(id)); });
  }

  void set_rate(std::uint32_t id, double rate) {
    flow& each = flows_[id];
    each.left -= each.rate * (now_ - each.since);
    each.since = now_;
    each.rate = rate;
    if (!(each.rate > 0)) fail(errc::unsupported, "a message crosses a link without bandwidth", "the link was removed");
    queue_.push({now_ + std::max(each.left, 0.0) / each.rate, what::flow_ends, id, ++each.version});
  }

  void end_flow(std::uint32_t id) {
    flow& done = flows_[id];
    if (done.is_active) rates_.remove(id);
    done.is_active = false;
    ++done.version;
    if (settings_.keeps_order)
      if (const auto next = lines_.advance(pair_of(id))) queue_.push({now_, what::flow_begins, *next, 0});
    for (std::uint32_t d : done.deliveries) {
      delivery& each = deliveries_[d];
      if (--each.parts_left > 0) continue;
      const message& m = code_.messages[each.message];
      arrive({m.from, each.from_slot, m.send}, m.level, true);
      arrive({m.to, each.to_slot, m.receive}, m.level, false);
      free_deliveries_.push_back(d);
    }
    free_flows_.push_back(id);
  }

  /// One of a step's messages is through. Those of a class's one step must be so together.
  void arrive(const step_ref& at, int level, bool is_send) {
    slot& home = slot_of(at);
    double& first = home.arrived[at.step];
    if (first < 0) first = now_;
    if (now_ - first > 4 * same_instant * now_) throw asymmetry{level};
    if (--home.messages_left[at.step] > 0) return;
    if (is_send) return completed(at);
    enlist(work::receive, at);
  }

  void release(const step_ref& at) {
    if (--slot_of(at).waits[at.step] == 0) ready_.push_back(at);
  }

  void completed(const step_ref& at) {
    slot& home = slot_of(at);
    if (record_ != nullptr)
      record_->add({at.host, at.step, home.segment, at.slot, seconds{home.begun[at.step]}, seconds{now_}});
    for (std::uint32_t dependent : program_of(at).code.dependents_of(at.step)) release({at.host, at.slot, dependent});
    if (--home.steps_left > 0) return;
    host& self = host_of(at);
    --self.segments_left;
    finished_ = std::max(finished_, now_);
    if (self.next_segment < settings_.segments) begin_segment(at);
  }

  const programs& code_;
  const network& links_;
  run_settings settings_;
  trace* record_;
  max_min rates_;
  run_result result_;
  double now_ = 0, finished_ = 0;
  bool is_due_ = false, is_awaited_ = false;  // fair rates, where they are not made at every instant
  std::uint32_t last_taken_ = 0;
  std::priority_queue<event> queue_;
  std::vector<host> hosts_;
  std::vector<std::int32_t> listed_;
  std::vector<step_ref> ready_, issuing_;
  std::vector<std::vector<posted>> waiting_;  // per message
  std::vector<batch> batches_;
  std::vector<delivery> deliveries_;
  std::vector<flow> flows_;
  std::vector<std::uint32_t> free_batches_, free_deliveries_, free_flows_;
  std::vector<std::uint32_t> begun_;  // flows without a rate so far
  std::vector<start> starting_;
  message_lines lines_;
};

}  // namespace hawser::simulate
