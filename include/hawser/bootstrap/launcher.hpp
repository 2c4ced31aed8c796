// What the launcher (torchrun, mpirun, srun, hawser itself) tells a process: the one place that reads the environment.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <hawser/bootstrap/store.hpp>

namespace hawser::bootstrap {

/// Everything that hawser reads from the environment. Plain data.
struct launch {
  std::string launcher_name;  ///< "torchrun", "Open MPI", "PMIx", "Hydra", "Slurm", or "" when started alone
  std::optional<int> rank;    ///< set together with size
  std::optional<int> size;
  std::optional<int> local_rank;             ///< order number on this host
  std::string master_address;                ///< host of the store; "" where the launcher does not say
  int master_port = 0;                       ///< port of the store; 0 where the launcher does not say
  bool is_store_external = false;            ///< HAWSER_STORE names a store that the launcher runs; rank 0 starts none
  std::string secret;                        ///< HAWSER_SECRET_FILE or HAWSER_SECRET; never print it
  bool allow_empty_secret = false;           ///< HAWSER_ALLOW_NO_SECRET=1
  std::optional<milliseconds> peer_timeout;  ///< HAWSER_PEER_TIMEOUT, "10s", "500ms"; a bare number is seconds
  std::string topology;                      ///< HAWSER_TOPOLOGY: a synthetic string or a file
  std::string decisions;                     ///< HAWSER_DECISIONS: a decision file
  std::string tuning;                        ///< HAWSER_TUNING: a file
  std::string cache_directory;               ///< HAWSER_CACHE_DIR, else XDG_CACHE_HOME/hawser, else HOME/.cache/hawser
  bool validate = false;                     ///< HAWSER_VALIDATE=1: ranks compare their calls before data moves
  std::string dump_directory;                ///< HAWSER_DUMP_DIR: where ranks leave their dumps; "" for nowhere
  std::string trace_directory;               ///< HAWSER_TRACE: where ranks leave their traces; "" for nowhere
  int dump_signal = 0;                       ///< HAWSER_DUMP_SIGNAL; SIGUSR2 where only HAWSER_DUMP_DIR is set; 0: none
  bool has_checksums = false;                ///< HAWSER_CHECKSUMS=1
  bool has_tls = false;                      ///< HAWSER_TLS: on or off
  std::string faults;                        ///< HAWSER_FAULTS: docs/faults.md
  std::string nccl_library;                  ///< HAWSER_NCCL_LIBRARY: NCCL's file; "" for libnccl.so.2

  bool has_ranks() const noexcept { return rank.has_value(); }
  /// Enough is known to join a job over the TCP store.
  bool has_store() const noexcept { return has_ranks() && !master_address.empty() && master_port != 0; }
};

/// The value of an environment variable; none where it is not set.
using variable_lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads the environment through a lookup, so that tests need no setenv. Throws errc::parse (a value that does not
/// parse), errc::invalid_argument (values that contradict each other), errc::authentication (a secret file that others
/// may read), errc::io (a secret file that cannot be read).
launch read_launch(const variable_lookup& variable);
/// The same from this process's environment.
launch read_launch();

/// Joins the job over the TCP store: rank 0 starts the server unless the launcher runs one, then every rank connects
/// and waits until all have. Throws as `store_server`, `store_bootstrap` and `rendezvous` do, and
/// errc::invalid_argument when `has_store()` is false, naming the variables that are missing.
std::unique_ptr<store_bootstrap> join_store(const launch& from, milliseconds connect_timeout = milliseconds{60'000});

/// A fresh random secret of 32 hexadecimal digits, for launchers that start a job.
std::string make_secret();

}  // namespace hawser::bootstrap
