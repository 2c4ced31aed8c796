// What all communicators of one rank share: its way into the job, its event loop, its failure state.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/communicator/discovery_report.hpp>
#include <hawser/communicator/options.hpp>
#include <hawser/diagnosis/dump.hpp>
#include <hawser/diagnosis/recorder.hpp>
#include <hawser/executor/engine.hpp>
#include <hawser/executor/progress_thread.hpp>
#include <hawser/transport/faults.hpp>

#include "../bootstrap/members_door.hpp"
#include "contexts.hpp"
#include "dump_service.hpp"
#include "link_watch.hpp"

namespace hawser::detail {

/// For whom transports are opened: some processes of a job.
struct wiring {
  bootstrap::bootstrap& door;            ///< of those processes; for keys that no other opening uses
  const std::vector<int>& host_numbers;  ///< of each of them, as `job::host_numbers`
  std::string incarnation;               ///< as `endpoint_environment::incarnation`
};

class job {
 public:
  /// Collective: exchanges identities and opens the transports.
  job(std::unique_ptr<bootstrap::bootstrap> door, communicator_options options);
  /// The same for ranks that another job has come down, or grown, to.
  job(std::unique_ptr<bootstrap::members_door> door, communicator_options options);
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  ~job();

  rank self() const noexcept { return door_->self(); }
  /// All processes: the ranks, and after them the aggregators of switches.
  int size() const noexcept { return door_->size(); }
  int ranks() const noexcept { return size() - static_cast<int>(aggregated_.size()); }
  /// Per aggregator: the level whose units its switch joins; empty: the outermost.
  const std::vector<std::string>& aggregated_levels() const noexcept { return aggregated_; }
  /// Per level of the job's hierarchy, known from `agree_on_machine` on: whether its switches have aggregators.
  const std::vector<bool>& served_levels() const noexcept { return served_; }
  void set_served_levels(std::vector<bool> levels) { served_ = std::move(levels); }
  const communicator_options& options() const noexcept { return options_; }
  executor::engine& engine() noexcept { return *engine_; }
  bootstrap::bootstrap& door() noexcept { return *door_; }
  /// This job's place in the one that the process has joined.
  const bootstrap::members_door& place() const noexcept { return *door_; }
  /// The host name of each rank.
  const std::vector<std::string>& host_names() const noexcept { return host_names_; }
  /// Ranks with equal numbers are on one host.
  const std::vector<int>& host_numbers() const noexcept { return rank_host_numbers_; }

  /// The most members (numbered as in the job; empty: all) per core of a machine, at least 1. Ranks of several hosts
  /// that run under one kernel, as containers do, share its cores.
  double ranks_per_core(const std::vector<rank>& members) const;
  /// The names of the transports that serve ranks of one host and of different ones, the same on all ranks; empty:
  /// none. A pair whose shared memory did not open uses the other one all the same.
  std::string_view transport_inside_hosts() const;
  std::string_view transport_between_hosts() const;

  /// What rank 0 wants to be measured or has read (tuned.cpp), known to all ranks from `agree_on_machine` on.
  const std::string& tuning_offer() const noexcept { return tuning_offer_; }
  void set_tuning_offer(std::string offer) { tuning_offer_ = std::move(offer); }
  /// Figures that replace those of the options, for communicators made from now on.
  void set_host(cost::parameters host) { options_.host = std::move(host); }

  /// In place of the options' topology, before the hierarchy is agreed on.
  void set_topology(std::string topology) { options_.topology = std::move(topology); }

  /// What is left of this rank's share of its host's network ports, by what the host says of them now, from 0 to 1;
  /// nothing where it does not say, or the job has one host.
  std::optional<double> share_of_ports();

  discovery_report& report() noexcept { return report_; }
  const discovery_report& report() const noexcept { return report_; }

  /// Every rank publishes a text and receives those of all ranks, in rank order.
  std::vector<std::string> exchange(std::string_view what, const std::string& mine);

  /// Throws what made the job unusable, if anything has.
  void check() const;
  void abort(std::string_view reason);
  /// What made the job unusable; nothing while all is well.
  std::optional<transport::failure> failed() const;
  /// Ends everything on this rank, and, where it is not another rank's death that all learn of, on all ranks. Returns
  /// the root cause: a peer that a transport has lost may only have left because of a third one, which the failure
  /// detector names within a moment.
  transport::failure fail(const transport::failure& why);
  /// Waits a moment for what other ranks have to tell: what one sees fail here has often failed because of it.
  void wait_for_notice();

  /// What was injected into this rank's messages.
  const transport::fault_log& injected() const noexcept { return *injected_; }

  diagnosis::recorder& recorder() noexcept { return recorder_; }
  /// What the recorder holds, as JSON, and why it is written; `blamed`: the rank whose failure that was.
  std::string dump_text(std::string_view reason, std::optional<std::int32_t> blamed) const;
  /// Writes it to the folder of the options, where there is one; of failures only at the first.
  void dump_at_failure(const transport::failure& why) noexcept;
  void dump_at_notice() noexcept;
  void dump_at_signal(int number) noexcept;

  context_pool& contexts() noexcept { return contexts_; }
  /// Collective over the processes of `where`: the job's transports once more, driven by who asks for them; those of
  /// hawser::runtime where the job's cannot be opened again. Throws as the constructor.
  std::unique_ptr<transport::router> open_transports_beside(const wiring& where) const;
  /// Sees to it that the progress thread drives what is unattended; false where the options or a transport that can
  /// only be polled leave that to the caller.
  bool drive_in_background();
  /// Keeps what a transport may still touch until the transports have been shut down.
  void keep_until_shutdown(std::shared_ptr<void> left);

 private:
  void identify_hosts();
  void watch_links();
  void note_part(const std::string& part, int participant);
  transport::failure named(transport::failure why) const;
  /// A transport that may be opened, and whether all hosts have what it is good at.
  struct known_line {
    const transport::factory* line;
    bool suits_all;
  };
  std::vector<known_line> own_lines() const;
  std::unique_ptr<transport::router> open_transports() const;
  std::unique_ptr<transport::router> open_transports(const wiring& where, const std::vector<known_line>& all) const;
  transport::endpoint_environment environment_for(const wiring& where) const;
  std::vector<const transport::factory*> lines_by_reach(const std::vector<known_line>& of, std::string& refused) const;
  void prepare_faults();
  transport::any_transport decorated(transport::any_transport endpoint) const;
  const transport::factory* network_line(const std::vector<known_line>& lines, std::string& refused) const;
  void take_notices();
  static void on_notice(void* self);
  void say_goodbye() noexcept;
  void start_dumps();
  diagnosis::dump make_dump(std::string_view reason, std::optional<std::int32_t> blamed) const;
  void write_file(const std::string& folder, std::string_view ending, const std::string& text) const;
  void write_trace() const noexcept;
  void write_dump(std::string_view reason, std::optional<std::int32_t> blamed) const noexcept;

  std::unique_ptr<bootstrap::members_door> door_;
  communicator_options options_;
  std::vector<std::string> host_names_;
  std::vector<int> host_numbers_;       // of all processes
  std::vector<int> rank_host_numbers_;  // of the ranks alone
  std::vector<std::string> aggregated_;
  std::vector<bool> served_;
  std::vector<int> machine_numbers_;  // ranks with equal numbers run under one kernel
  std::vector<int> core_counts_;      // of each rank's machine
  std::vector<bool> suits_all_;       // per line of the transport registry
  transport::fault_plan faults_;
  std::shared_ptr<transport::fault_log> injected_ = std::make_shared<transport::fault_log>();
  discovery_report report_;
  std::optional<link_watch> ports_;  // of a job on several hosts
  std::string tuning_offer_;
  diagnosis::recorder recorder_;
  std::unique_ptr<executor::engine> engine_;
  std::uint64_t seen_notices_ = 0;
  mutable std::mutex mutex_;
  std::optional<transport::failure> failed_;
  std::atomic<bool> has_failed_{false};  // beside it, for those who only ask
  std::atomic<bool> has_notice_{false};
  context_pool contexts_;
  std::mutex helper_mutex_;
  std::shared_ptr<executor::progress_thread> helper_;
  std::vector<std::shared_ptr<void>> left_;  // under helper_mutex_
  std::mutex dump_mutex_;
  bool has_dumped_ = false;              // at a failure; under dump_mutex_
  std::shared_ptr<dump_service> dumps_;  // null: no folder for them
};

/// A failure as the exception that it becomes.
error to_error(const transport::failure& why, std::string_view doing);

}  // namespace hawser::detail
