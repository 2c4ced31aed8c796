// The library's front door: ranks that know their hierarchy and run collectives on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/communicator/collectives.hpp>
#include <hawser/communicator/discovery_report.hpp>
#include <hawser/communicator/recovery.hpp>
#include <hawser/communicator/refinement.hpp>
#include <hawser/core/failure_kind.hpp>
#include <hawser/diagnosis/statistics.hpp>
#include <hawser/schedule/plan.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser {

namespace transport {
struct injected_fault;
}

namespace detail {
class communicator_state;
class collective_run;
class message_run;

/// Ends the use of a run, which is kept for calls to come or destroyed.
struct run_release {
  void operator()(collective_run* used) const noexcept;
};
using run_handle = std::unique_ptr<collective_run, run_release>;
}  // namespace detail

/// A collective or message in progress; of one thread at a time. Call `wait`, or `test` until it is true. A handle that
/// is destroyed before gives the call `abort_timeout` to complete; if it does not, or has failed, the whole job fails
/// with errc::timeout (or that failure), so that no transport touches the buffers any more. Errors are lost there.
class pending {
 public:
  pending() = default;
  explicit pending(detail::run_handle run) : run_(std::move(run)) {}
  explicit pending(std::shared_ptr<detail::message_run> message) : message_(std::move(message)) {}
  pending(pending&&) noexcept = default;
  pending& operator=(pending&& other) noexcept;
  ~pending();

  /// Moves what can be moved without waiting; true once the result is there. Throws as the blocking form does.
  bool test();
  /// Waits for the result. Throws as the blocking form does. Harmless when called again.
  void wait();

 private:
  detail::run_handle run_;
  std::shared_ptr<detail::message_run> message_;
};

/// A collective planned once and run many times on the same buffers. Runs start in the same order on all ranks. A run
/// under way when the last handle goes ends as that of a `pending`.
class persistent {
 public:
  explicit persistent(std::shared_ptr<detail::collective_run> run) : run_(std::move(run)) {}

  /// Starts one run; the one before must be complete (errc::invalid_argument). Throws what made the job unusable.
  void start();
  /// As those of `pending`; before the first start, errc::invalid_argument.
  bool test();
  void wait();
  /// What was decided for it.
  const schedule::plan& plan() const;

 private:
  std::shared_ptr<detail::collective_run> run_;
};

/// Forms of the collectives that return a `pending`.
class asynchronous : public collectives<asynchronous> {
 public:
  explicit asynchronous(std::shared_ptr<detail::communicator_state> state) : state_(std::move(state)) {}
  /// Starts any call of `collectives`; throws what it would before anything is sent.
  pending launch(detail::call made);

 private:
  friend class group;
  std::shared_ptr<detail::communicator_state> state_;
  bool is_waited_for_ = false;  // by a group: the progress thread is not needed
};

/// Forms of the collectives that return a `persistent` plan.
class persistent_forms : public collectives<persistent_forms> {
 public:
  explicit persistent_forms(std::shared_ptr<detail::communicator_state> state) : state_(std::move(state)) {}
  /// Plans any call of `collectives` and starts nothing; throws what it would before anything is sent.
  persistent launch(detail::call made);

 private:
  std::shared_ptr<detail::communicator_state> state_;
};

/// Why a job cannot be used any more: what calls throw, with how the failed rank failed.
struct failure_report {
  errc code = errc::internal;
  std::optional<hawser::rank> peer;  ///< the rank that failed, numbered as in the job
  failure_kind kind = failure_kind::unknown;
  std::string reason;
};

/// Ranks that run collectives together. Calls come from one thread at a time, in the same order on all ranks; several
/// communicators may be used from several threads. The destructor waits at most `abort_timeout` for the other ranks,
/// then no transport touches user memory any more.
class communicator : public collectives<communicator> {
 public:
  /// Collective: all ranks of the job call it with equal options. Exchanges host identities, opens the transports,
  /// places the ranks on the hierarchy and checks that all ranks hold the same one.
  /// Throws errc::timeout that names the missing ranks, errc::mismatch that names the ranks that differ,
  /// errc::invalid_argument where the topology does not fit the number of ranks, errc::parse for its text.
  explicit communicator(std::unique_ptr<bootstrap::bootstrap> job, communicator_options options = {});
  explicit communicator(std::shared_ptr<detail::communicator_state> state) : state_(std::move(state)) {}

  /// This rank's number here, from 0 to size() - 1.
  hawser::rank rank() const noexcept;
  int size() const noexcept;
  /// What plans are made for; the same on all ranks.
  const topology::hierarchy& hierarchy() const noexcept;
  /// What discovery found at the start of the job; empty where it did not run.
  const discovery_report& discovered() const noexcept;
  /// The back end that carries messages to a rank: "shared_memory", "tcp", "ucx", ...
  std::string_view transport_to(hawser::rank peer) const;

  /// What would be decided for a call with these elements per block, on every rank alike. Throws errc::unsupported and
  /// errc::not_found as the call would.
  schedule::plan plan_for(const schedule::request& what) const;

  /// Asynchronous forms: `comm.async().all_reduce(...)` returns a `pending`. `communicator_options::progress` says who
  /// drives it; over MPI it is always the caller. At most 256 collectives of one communicator are under way at a time;
  /// starting another one first drives the oldest to its end (errc::timeout).
  asynchronous async() const { return asynchronous(state_); }
  /// Persistent forms: `comm.persistent().all_reduce(...)` plans once and returns a `persistent`.
  persistent_forms persistent() const { return persistent_forms(state_); }

  /// Point to point: messages between two ranks with one label arrive in order. The blocking forms return when the data
  /// may be touched again; a message may be empty. Throw errc::invalid_argument (a null pointer to some elements, a
  /// rank out of range or this one), errc::mismatch (sizes that differ), errc::peer_failed, errc::aborted,
  /// errc::timeout.
  template <element_range In>
  void send(const In& data, hawser::rank to, std::uint16_t label = 0) {
    post_send(std::as_bytes(std::span(data)), to, label, detail::attendance::caller).wait();
  }
  /// The data's size is exactly what the sender sends.
  template <element_range Out>
  void receive(Out&& data, hawser::rank from, std::uint16_t label = 0) {
    post_receive(std::as_writable_bytes(std::span(data)), from, label, detail::attendance::caller).wait();
  }
  /// As `send`, but returns at once; the data may be touched again after the wait.
  template <element_range In>
  pending send_async(const In& data, hawser::rank to, std::uint16_t label = 0) {
    return post_send(std::as_bytes(std::span(data)), to, label, detail::attendance::background);
  }
  /// As `receive`, but returns at once; the data is there after the wait.
  template <element_range Out>
  pending receive_async(Out&& data, hawser::rank from, std::uint16_t label = 0) {
    return post_receive(std::as_writable_bytes(std::span(data)), from, label, detail::attendance::background);
  }

  /// Collective: ranks with the same color form a new communicator, ordered by key, then by rank. Its hierarchy is the
  /// part of this one that they sit on. A negative color: this rank joins none and gets null. Several threads may split
  /// different communicators at a time. Throws errc::resource, on all ranks, when 128 communicators are alive on one of
  /// them, and as all_gather does. (MPI_Comm_split)
  std::unique_ptr<communicator> split(int color, int key);

  /// Collective: measures the shapes of calls that were made here so far with other algorithms and segments, and lets
  /// the calls to come have what is faster, on all ranks alike. Takes calls in mode fast alone, of those only such as
  /// the cost model has chosen for: none whose algorithm or segments the caller or a decision file has set, no ragged
  /// ones and none with a user's operator or type. Persistent calls that exist keep their plans; communicators split
  /// off later begin anew. For a job that has warmed up: no other call may be under way. Returns what was measured.
  /// Throws errc::invalid_argument for options that leave nothing to measure, errc::mismatch where the ranks have made
  /// different calls, std::bad_alloc, and as all_reduce does.
  std::vector<refinement> refine(const refinement_options& options = {});

  /// What made the job unusable on this rank, as far as it has learnt; nothing while all is well. From any thread.
  std::optional<failure_report> failure() const;

  /// Collective: each rank says what it has learnt of links, or nothing; all calls to come are planned for what is
  /// left, on all ranks alike, with this communicator and its connections. Later reports of a link replace earlier
  /// ones, and a link of which all is left is forgotten. What `refine` has found is too; persistent calls that exist
  /// keep their plans, and so do communicators that were split off. No other call may be under way. Returns all links
  /// that are degraded now. Throws errc::invalid_argument, on all ranks alike, for ranks and levels that do not exist,
  /// and shares outside 0 to 1; and as all_gather does.
  std::vector<degraded_link> report_degraded(const std::vector<degraded_link>& seen);
  /// Collective: as `report_degraded`, of what the hosts say in /sys of their network ports (state, rate, losses of
  /// carrier), each compared with what its host said when the job began (docs/recovery.md): a port that is down or
  /// slower costs its ranks their share, one that is as it was gives it back. `seen`, what the application knows beside
  /// that, counts where both speak of one link. Throws as `report_degraded`.
  std::vector<degraded_link> check_links(const std::vector<degraded_link>& seen = {});

  /// Collective among the ranks that live, after an error that names a rank, or an abort: ends this communicator,
  /// agrees on who survives and gives them a new one; all communicators of this one's job end. Its hierarchy is the
  /// part of this one that they sit on, and all is planned and opened anew, so that no late message of the old one can
  /// be taken for one of the new. Ranks that die meanwhile are left out too; whoever gets a communicator gets the same
  /// as all others. Calls that are pending here end with an error first; this object can only be destroyed afterwards,
  /// which waits for nobody. Over MPI the new one uses TCP. Throws errc::peer_failed where the survivors are no
  /// majority of the ranks that may be alive (half of them, with the lowest, are one) or where this rank has been given
  /// up by the others, errc::timeout that names ranks that have not called it, errc::io where the store is lost and has
  /// no successor, errc::invalid_argument after it has succeeded, and what opening transports throws, on all alike.
  shrunk_communicator shrink(const recovery_options& options = {});

  /// Collective: waits until so many newcomers have come (`join`), and gives old and new ranks a communicator, the old
  /// ones first and in their order. This one stays as it is. Figures for the cost model begin anew. Throws
  /// errc::timeout where ranks have not called it or newcomers have not come in time, errc::peer_failed where a rank
  /// has failed meanwhile, errc::invalid_argument, what made the job unusable, and what opening a job throws, on all
  /// alike.
  std::unique_ptr<communicator> grow(int newcomers, const recovery_options& options = {});
  /// A newcomer's part in a `grow`, for a process that was started later or anew: its door has joined as rank -1
  /// (`bootstrap::store_options::self`). Options as those of the old ranks. Throws errc::timeout where it is not
  /// admitted in time, and as `grow`.
  static std::unique_ptr<communicator> join(std::unique_ptr<bootstrap::bootstrap> newcomer,
                                            communicator_options told = {}, const recovery_options& options = {});
  /// Where newcomers find the job's store now, "host:port": it moves when its process dies. Empty in a job of threads.
  std::string store_address() const;

  /// From any thread: every pending and later call of every rank of the job fails with errc::aborted and this reason.
  void abort(std::string_view reason);

  /// The faults that were injected into this rank's messages (transport/faults.hpp), oldest first; none where
  /// `communicator_options::faults` asks for none. From any thread.
  std::vector<transport::injected_fault> injected_faults() const;

  /// Collective: who keeps the others waiting, from how long each of the last calls took on each rank, added to what
  /// earlier calls of this told. Looks back at most 1,024 calls; costs an all_gather of 4 KiB per rank. Throws as
  /// all_gather does. `diagnosis::to_json` and `to_prometheus` export it.
  diagnosis::call_statistics statistics();
  /// Writes what this rank's flight recorder holds, the last calls and steps of all of its communicators, as JSON
  /// `hawser.dump/1`; `hawser doctor hang` reads a folder of them. From any thread, whatever other threads wait for.
  /// The form with a path, whose file should end in ".dump.json", throws errc::io; both errc::unsupported where hawser
  /// was built without nlohmann-json.
  void dump(std::ostream& to, std::string_view reason = "asked for by the program") const;
  void dump(const std::string& path, std::string_view reason = "asked for by the program") const;

  /// Runs any call of `collectives` to its end.
  void launch(detail::call made);
  std::shared_ptr<detail::communicator_state> state() const noexcept { return state_; }

 private:
  friend class group;
  pending post_send(std::span<const std::byte> data, hawser::rank to, std::uint16_t label,
                    detail::attendance driven_by);
  pending post_receive(std::span<std::byte> data, hawser::rank from, std::uint16_t label, detail::attendance driven_by);

  std::shared_ptr<detail::communicator_state> state_;
};

/// Several calls that start together and complete together, in any order, as ncclGroupStart and ncclGroupEnd. Each
/// starts at once and throws as its blocking form does; `wait` drives them all.
class group : public collectives<group> {
 public:
  explicit group(communicator& members) : members_(members) {}
  /// Starts any call of `collectives`, or a message as `communicator::send` and `receive` say; `wait` ends them.
  void launch(detail::call made) {
    asynchronous forms = members_.async();
    forms.is_waited_for_ = true;
    started_.push_back(forms.launch(std::move(made)));
  }
  /// See `launch`.
  template <element_range In>
  void send(const In& data, rank to, std::uint16_t label = 0) {
    started_.push_back(members_.post_send(std::as_bytes(std::span(data)), to, label, detail::attendance::caller));
  }
  /// See `launch`.
  template <element_range Out>
  void receive(Out&& data, rank from, std::uint16_t label = 0) {
    started_.push_back(
        members_.post_receive(std::as_writable_bytes(std::span(data)), from, label, detail::attendance::caller));
  }
  /// Waits for all of them. Throws the first error, after all have ended.
  void wait();

 private:
  communicator& members_;
  std::vector<pending> started_;
};

/// The back ends that hawser::runtime has: shared memory inside a host, its own TCP between hosts.
transport::registry default_transports();

}  // namespace hawser
