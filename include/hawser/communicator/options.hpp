// How a communicator is made, and what one call may ask for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/data_type.hpp>
#include <hawser/cost/parameters.hpp>
#include <hawser/schedule/request.hpp>
#include <hawser/transport/endpoint.hpp>

namespace hawser {

using milliseconds = std::chrono::milliseconds;

/// Who drives asynchronous calls while their caller computes.
enum class progress : std::uint8_t {
  thread,  ///< one thread for all communicators of the process, started at the first asynchronous call
  caller,  ///< nobody: they move while any call on the same job waits or tests
};

/// How a communicator is made. Times are in milliseconds.
struct communicator_options {
  /// The levels above the ranks: a synthetic string, "preset:...", a file (docs/topology.md), "auto" for what discovery
  /// finds on all hosts together, or "hosts" where only the hosts are to be told apart. Empty: "auto" for ranks on
  /// several hosts, "hosts" on one.
  std::string topology;
  /// A decision file (docs/choosing.md), the same on all ranks: it comes before the cost model. Empty: none.
  std::string decisions;
  /// Whether a decision file for another hierarchy is an error; if not it is ignored, as every plan then notes.
  bool must_decisions_fit = true;
  /// Measured figures for the cost model (docs/tuning.md): a tuning file of rank 0, "probe" to measure for less than
  /// 200 ms now, or empty. A file that is for another hierarchy is not used, which `discovered()` says.
  std::string tuning;
  /// Where no source tells how hosts stand in racks: find out by measuring. Unsure results are not used.
  bool infer_racks = false;
  /// Where discovery keeps what it found, to start faster the next time; empty: nowhere.
  std::string cache_directory;
  /// The back ends to use, best first within one reach. Empty: those of `default_transports()`.
  transport::registry transports;
  /// After this long without a sign of life another rank counts as failed.
  milliseconds peer_timeout{10'000};
  /// Bound of one blocking call or wait.
  milliseconds operation_timeout{30 * 60'000};
  /// Bound of closing down: afterwards no transport touches user memory.
  milliseconds abort_timeout{1'000};
  /// Bound of creation: all ranks must arrive within it.
  milliseconds rendezvous_timeout{60'000};
  /// Where a transport can only be polled (MPI), asynchronous calls are driven by the caller whatever this says.
  hawser::progress progress{hawser::progress::thread};
  /// Refuse transports that cannot prove the job's secret on every connection (UCX, MPI).
  bool require_auth = false;
  /// How reproducible reductions are at least, those of communicators that are split off too (docs/modes.md).
  schedule::mode reproducibility = schedule::mode::fast;
  /// Figures of the cost model for this host.
  cost::parameters host{};
  /// Validation mode: before data moves, the ranks compare what they call, and where they differ each call throws
  /// errc::mismatch on every rank, which says who differs in what (docs/reliability.md). Costs an all_gather of 128
  /// bytes per rank and call. The same on all ranks.
  bool validate = false;
  /// A folder into which every rank writes what its flight recorder holds as soon as it learns of a time-out, a failed
  /// rank or an abort (docs/reliability.md); made where it is missing. Use one per job. Empty: none.
  std::string dump_directory;
  /// A signal at which the ranks of this process write that, too; 0: none. A handler that the program has installed is
  /// never replaced.
  int dump_signal = 0;
  /// A folder into which every rank writes its last calls and steps at the end of the job, as trace events for
  /// Perfetto: rank-N.trace.json. Empty: none.
  std::string trace_directory;
  /// Set by `serve_switch` (communicator/aggregator.hpp): this process is no rank but an aggregator.
  std::optional<std::string> aggregates;
  /// Network interface (name or address) for hawser's own TCP.
  std::string interface;
  /// A CRC32C after each message, over whatever transport, that turns corruption into errc::corrupted
  /// (transport/checksums.hpp). The same on all ranks.
  bool has_checksums = false;
  /// TLS 1.3 on every connection of hawser's own TCP, by a key that is made from the job's secret (docs/security.md);
  /// transports between hosts that cannot are refused. The same on all ranks. The store has its own option
  /// (`bootstrap::store_options::has_tls`); HAWSER_TLS sets both.
  bool has_tls = false;
  /// Where /sys is, for `communicator::check_links`; tests have another one.
  std::string system_root = "/";
  /// Faults that are injected into every transport, to see what a program makes of them (docs/faults.md):
  /// "corrupt:0.01,seed:7". Empty: none.
  std::string faults;
};

/// The options that a launcher's environment gives (HAWSER_TOPOLOGY, HAWSER_DECISIONS, HAWSER_TUNING,
/// HAWSER_PEER_TIMEOUT, HAWSER_CACHE_DIR, HAWSER_VALIDATE, HAWSER_DUMP_DIR, HAWSER_DUMP_SIGNAL,
/// HAWSER_TRACE, HAWSER_CHECKSUMS, HAWSER_TLS, HAWSER_FAULTS).
inline communicator_options options_of(const bootstrap::launch& from) {
  communicator_options told;
  told.topology = from.topology;
  told.decisions = from.decisions;
  told.must_decisions_fit = false;  // set for a whole cluster, jobs of all shapes meet it
  told.tuning = from.tuning;
  told.cache_directory = from.cache_directory;
  told.validate = from.validate;
  told.dump_directory = from.dump_directory;
  told.dump_signal = from.dump_signal;
  told.trace_directory = from.trace_directory;
  if (from.peer_timeout) told.peer_timeout = *from.peer_timeout;
  told.has_checksums = from.has_checksums;
  told.has_tls = from.has_tls;
  told.faults = from.faults;
  return told;
}

/// Wishes for one call. Equal on all ranks.
struct call_options {
  std::string algorithm{};  ///< forced algorithm (docs/algorithms.md); empty: the planner chooses
  /// How reproducible the result must be; the communicator's option, where that asks for more.
  schedule::mode reproducibility = schedule::mode::fast;
  /// Type in which partial sums are kept and sent. Default: the type's own (docs/types.md). With a user's operator or
  /// type, and in mode order_invariant, it is errc::unsupported; calls that do not reduce have no partial sums, and no
  /// use for it.
  std::optional<data_type> accumulation = std::nullopt;
  std::int64_t segments = 0;  ///< forced number of segments; 0: the planner chooses
  /// Where ranks know only their own counts (all_to_all_v): the typical bytes per block that the choice is made for.
  std::int64_t typical_block_bytes = 16 * 1024;
  /// Bound of this call, in place of `communicator_options::operation_timeout`; counted from the wait or the first
  /// test.
  std::optional<milliseconds> timeout = std::nullopt;
};

}  // namespace hawser
