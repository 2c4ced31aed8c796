// How ranks find each other: a key-value store that all ranks of a job share, and the board of failed ranks.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <hawser/bootstrap/agreement.hpp>
#include <hawser/bootstrap/failure_board.hpp>
#include <hawser/core/rank.hpp>

namespace hawser::bootstrap {

using milliseconds = std::chrono::milliseconds;

/// One rank's door to its job. Implementations: in-process, TCP store (alone or started through MPI).
/// Thread-safe. Keys are written once; writing a key twice with another value is an error.
class bootstrap {
 public:
  virtual ~bootstrap() = default;

  /// This rank, from 0 to size() - 1, and how many ranks the job has.
  virtual rank self() const noexcept = 0;
  virtual int size() const noexcept = 0;

  /// Publishes a value under a key for all ranks.
  virtual void put(std::string_view key, std::string_view value) = 0;
  /// Waits until some rank has published the key. A key that is there is returned whatever happened since; else throws
  /// errc::timeout that names the key, or errc::peer_failed or errc::aborted as soon as a failure is known.
  std::string get(std::string_view key, milliseconds timeout) { return get(key, timeout, failures()); }
  /// The same, ended by the failures on another board.
  virtual std::string get(std::string_view key, milliseconds timeout, const failure_board& heeded) = 0;
  /// Removes a key (a finished exchange), so that a long job's store does not grow.
  virtual void erase(std::string_view key) = 0;

  /// Failed ranks and aborts, as they become known; shared with every communicator of this rank.
  virtual failure_board& failures() noexcept = 0;
  /// Tells every rank that the job is aborted, with a reason; returns at once.
  void abort(std::string_view reason) { abort({}, reason); }
  /// The same of a communicator's job that came out of this one (`failure_notice::scope`).
  virtual void abort(std::string_view scope, std::string_view reason) = 0;

  /// Collective over the living members: waits until each of them has asked or is known not to come. All that get an
  /// answer get the same one. Failures do not end it, nor that of the arbiter where another one can take its place.
  /// Throws errc::io where there is none left, errc::peer_failed where this rank has been given up by the others.
  virtual agreement agree(const question& asked) = 0;
  /// A newcomer (`self()` is not below `size()`): waits until an agreement admits it. Throws errc::timeout, errc::io;
  /// errc::invalid_argument on a rank that was there from the start.
  virtual admission_notice await_admission(milliseconds timeout) = 0;

  /// This rank has lost its connection to a peer, which may live all the same: where somebody can testify that it does,
  /// every rank gets a notice of `failure_kind::cut_link`, unless the job that the connection was of (`scope`, as
  /// `abort` has it) is aborted meanwhile. Returns at once; nothing where nobody can testify.
  virtual void report_lost(std::string_view /*scope*/, rank /*peer*/, std::string_view /*reason*/) {}

  /// Numeric address of this process on the network that reaches the job's store, on which its own transports should
  /// listen; empty where there is no network.
  virtual std::string local_address() const { return {}; }

  /// Where newcomers find the job's store now, "host:port"; empty where there is none to be found.
  virtual std::string store_address() const { return {}; }

  /// The job's secret that hawser's own transports prove to each other; never printed.
  virtual const std::string& secret() const noexcept = 0;
  /// Leaves the job in good order, so that the other ranks do not take it for dead; without it the destructor counts as
  /// this rank's death. A second call does nothing.
  virtual void leave() = 0;
};

}  // namespace hawser::bootstrap
