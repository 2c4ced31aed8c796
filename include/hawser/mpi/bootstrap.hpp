// How the ranks of an MPI job find each other: rank 0 starts hawser's store, MPI tells the others where.
#pragma once

#include <mpi.h>

#include <chrono>
#include <memory>
#include <string>

#include <hawser/bootstrap/bootstrap.hpp>

namespace hawser::mpi {

/// As those of `bootstrap::store_bootstrap`; MPI knows the rest.
struct bootstrap_options {
  /// Name or address of rank 0's interface for the store; empty: the first address that every rank can reach.
  std::string interface;
  bootstrap::milliseconds peer_timeout{10'000};
  bootstrap::milliseconds connect_timeout{60'000};
  bool has_tls = false;  ///< of the store's connections
};

/// Collective over the communicator, whose ranks become hawser's. MPI only carries the store's address and a fresh
/// secret; heartbeats and failure notices are the store's, so a death is found without MPI's help. For the survivors to
/// go on, mpirun must not end them: `--enable-recovery` with Open MPI, `-disable-auto-cleanup` with MPICH, whose
/// launcher all the same kills the ranks on the host of a rank that died by a signal (docs/transports.md, MPI).
/// Throws errc::io where rank 0 has no address that all ranks reach, and what `bootstrap::store_bootstrap` throws.
std::unique_ptr<bootstrap::bootstrap> mpi_bootstrap(MPI_Comm communicator, const bootstrap_options& options = {});

}  // namespace hawser::mpi
