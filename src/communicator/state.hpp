// One communicator's members, hierarchy and remembered plans.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <hawser/communicator/call.hpp>
#include <hawser/communicator/discovery_report.hpp>
#include <hawser/communicator/recovery.hpp>
#include <hawser/communicator/refinement.hpp>
#include <hawser/diagnosis/statistics.hpp>
#include <hawser/executor/operation.hpp>
#include <hawser/planner/planner.hpp>

#include "call_log.hpp"
#include "call_shapes.hpp"
#include "durations.hpp"
#include "job.hpp"
#include "kept_runs.hpp"
#include "switch_calls.hpp"

namespace hawser::detail {

/// Which of a communicator's last collectives are over, by order number modulo their number. Transports fold order
/// numbers into their tags, the MPI transport modulo 256, so no more of them may be under way at a time.
struct order_window {
  static constexpr std::size_t size = 256;

  order_window() {
    for (auto& each : is_over_) each.store(true, std::memory_order_relaxed);
  }
  std::atomic<bool>& is_over(std::uint16_t number) { return is_over_[number % size]; }

 private:
  std::array<std::atomic<bool>, size> is_over_;
};

/// What all ranks of a job plan for.
struct planned_machine {
  topology::hierarchy tree;
  std::shared_ptr<const cost::network> links;  ///< what a topology file says of them, beside the tree; or null
};

class communicator_state {
 public:
  /// The communicator of all ranks.
  explicit communicator_state(const std::shared_ptr<job>& owner);
  communicator_state(std::shared_ptr<job> owner, planned_machine machine);
  /// A part of it: `members[r]` is rank r's number in the job; `name` is for its `call_log`.
  communicator_state(std::shared_ptr<job> owner, const topology::hierarchy& tree, std::vector<rank> members, rank self,
                     std::uint16_t context, std::string name);
  communicator_state(const communicator_state&) = delete;
  communicator_state& operator=(const communicator_state&) = delete;
  ~communicator_state();

  /// Another one takes its place: no leave is taken when it goes.
  void retire() noexcept { is_retired_ = true; }
  /// Whether this one has been shrunk; and that it has.
  bool has_successor() const noexcept { return has_successor_; }
  void set_successor() noexcept { has_successor_ = true; }
  /// A name for an attempt to come to a communicator of other ranks; equal calls get equal names on all ranks.
  std::string name_successor() { return calls_.communicator() + "~" + std::to_string(successors_++); }

  /// The same for its device side, of which there may be one after the other.
  std::string name_device() { return calls_.communicator() + " " + std::to_string(devices_++); }

  job& owner() noexcept { return *owner_; }
  const std::shared_ptr<job>& shared_owner() const noexcept { return owner_; }
  rank self() const noexcept { return self_; }
  /// Decisions that come before the cost model, before the first plan is made.
  void pin(std::shared_ptr<const planner::decision_table> decisions) { planner_.pin(std::move(decisions)); }
  int size() const noexcept { return static_cast<int>(planner_.tree().size()); }
  const planner::planner& planner() const noexcept { return planner_; }
  /// The number in the job of a member, or of the aggregator that serves a switch.
  rank in_job(rank member) const {
    if (topology::is_switch(planner_.tree(), member))
      return aggregator_of(planner_.tree(), owner_->served_levels(), member);
    return members_.empty() ? member : members_[static_cast<std::size_t>(member.value)];
  }
  std::uint16_t context() const noexcept { return context_; }
  /// The next collective's order number, the same on all ranks. Drives until the collective before it that a folded tag
  /// could be taken for is over (errc::timeout). The caller sets `order_numbers().is_over` when its own is.
  std::uint16_t take_order_number();
  const std::shared_ptr<order_window>& order_numbers() const noexcept { return under_way_; }
  call_log& calls() noexcept { return calls_; }
  /// Its number in the rank's flight recorder, and that of its next collective there, from 1.
  std::uint16_t recorded_number() const noexcept { return recorded_number_; }
  std::uint64_t take_record_number() noexcept { return ++calls_recorded_; }
  std::uint64_t calls_recorded() const noexcept { return calls_recorded_; }
  /// How long they took, and what the ranks have made of that up to some call; for its caller's thread.
  durations& call_durations() noexcept { return durations_; }
  diagnosis::call_statistics& statistics() noexcept { return statistics_; }
  std::uint64_t calls_compared() const noexcept { return calls_compared_; }
  void set_calls_compared(std::uint64_t number) noexcept { calls_compared_ = number; }
  /// Of this communicator's own calls; for its caller's thread.
  kept_runs& runs() noexcept { return runs_; }
  /// What `communicator::refine` measures.
  call_shapes& shapes() noexcept { return shapes_; }
  bool tells_switches() const noexcept { return switches_ != nullptr; }
  /// Where this rank is the one that tells the switches' aggregators of calls: of one whose plan uses them.
  void tell_switches(const schedule::plan& made, const schedule::request& what, switch_call call);
  /// From now on, calls are planned for a machine with these links. Collective, as `adopt`.
  void degrade(std::vector<degraded_link> links);
  const std::vector<degraded_link>& degraded() const noexcept { return degraded_; }
  /// What this host says of this rank's link to others, where that is another thing than the last time.
  std::optional<degraded_link> news_of_links();
  /// From now on, calls of this shape are served so. Collective: on all ranks between the same two calls.
  void adopt(const refinement& found);

  /// The decision for a request, remembered.
  std::shared_ptr<const schedule::plan> plan_for(const schedule::request& what);
  /// This rank's steps of a plan with their dependences, peers numbered as in the job; remembered.
  std::shared_ptr<const executor::compiled_program> program_for(const schedule::plan& made,
                                                                const schedule::request& what);

 private:
  using program_key = std::tuple<schedule::collective, std::string, std::int32_t, bool, bool, bool>;
  using plan_key = std::tuple<schedule::collective, std::int64_t, data_type, std::size_t, reduce_kind, std::int32_t,
                              bool, bool, bool, schedule::mode, std::string>;
  static plan_key key_of(const schedule::request& what);
  void dismiss_switches();

  std::shared_ptr<job> owner_;
  std::vector<rank> members_;  // empty: members are numbered as in the job
  rank self_;
  std::uint16_t context_ = 0;
  bool is_retired_ = false;
  std::uint16_t order_number_ = 0;
  int successors_ = 0;
  int devices_ = 0;
  bool has_successor_ = false;
  std::shared_ptr<order_window> under_way_ = std::make_shared<order_window>();
  planner::planner planner_;
  std::shared_ptr<const cost::network> links_;  // what a topology file says of them; null: none does
  call_log calls_;
  std::uint16_t recorded_number_ = 0;
  std::uint64_t calls_recorded_ = 0, calls_compared_ = 0;
  durations durations_;
  diagnosis::call_statistics statistics_;
  std::map<program_key, std::shared_ptr<const executor::compiled_program>> programs_;
  std::map<plan_key, std::shared_ptr<const schedule::plan>> plans_;
  std::map<plan_key, std::shared_ptr<const schedule::plan>> refined_;  // never forgotten: on all ranks alike
  std::vector<degraded_link> degraded_;
  double told_share_ = 1;  // of this rank's link, as its host has told it last
  call_shapes shapes_;
  kept_runs runs_;
  std::shared_ptr<switch_announcer> switches_;  // null: there are none, or another rank tells them
};

/// The number of the level that a report means; none where there is no such.
std::optional<int> level_of(const topology::hierarchy& tree, const degraded_link& link);
/// The network of a hierarchy, but for what these links, each of a rank and a level, have lost.
cost::network degraded_network(const topology::hierarchy& tree, const std::vector<degraded_link>& links);

/// The communicator of all ranks, with the racks and the figures that rank 0's options ask for.
std::shared_ptr<communicator_state> make_world(std::shared_ptr<job> owner);

/// The hierarchy of the whole job, from the options' topology and the hosts, and its links where a file tells them;
/// checked to be the same on all ranks. Hands rank 0's `tuning_offer` to all.
planned_machine agree_on_machine(job& owner);

/// The decision file of the options, if there is one. Collective: throws errc::mismatch that names the ranks where
/// files differ, errc::mismatch where it is for another hierarchy and must not be; errc::io and errc::parse as it is
/// read.
std::shared_ptr<const planner::decision_table> agree_on_decisions(job& owner, const topology::hierarchy& tree);
/// On rank 0: what the options say about tuning, with the content of the file; elsewhere empty. An unreadable file is
/// part of it, so that all ranks fail alike.
std::string make_tuning_offer(job& owner);

/// Figures for host memory and for Ethernet between hosts where nothing is known: the class of one core's copy rate and
/// of a 100 Gb/s NIC through the kernel. A probe or a topology replaces them.
inline constexpr topology::link memory_link{bandwidth{8e9}, seconds{0.5e-6}, topology::provenance::assumed};
inline constexpr topology::link network_link{bandwidth{10e9}, seconds{15e-6}, topology::provenance::assumed};

/// Collective: one rank per host discovers it, the pieces are merged, and the job's ranks are placed on their hosts.
/// Nothing where the sources do not tell how the hosts are joined; `report` says why.
std::optional<topology::hierarchy> discover_hierarchy(job& owner, discovery_report& report);

}  // namespace hawser::detail
