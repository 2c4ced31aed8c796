// How this process joins its job, whatever started it, and with which transports.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/communicator.hpp>

namespace CLI {
class App;
}

namespace hawser::cli {

/// Options of `run` and `bench` that concern the whole job.
struct job_options {
  std::string transport = "auto";
  std::string topology;  ///< empty: HAWSER_TOPOLOGY, else what the host names tell
  std::string decisions;
  std::string tuning;  ///< empty: HAWSER_TUNING, else none
  bool infer_racks = false;
  std::string peer_timeout;  ///< empty: HAWSER_PEER_TIMEOUT, else 10 s
  bool require_auth = false;
  bool has_checksums = false;
  bool has_tls = false;
  std::string faults;  ///< empty: HAWSER_FAULTS, else none

  void add_to(CLI::App& app);
};

/// The names that --transport takes in this build.
std::vector<std::string> transport_names();

/// The back ends of a --transport name. Throws errc::not_found for an unknown one, errc::unsupported for one that
/// this build lacks.
transport::registry transports_of(const std::string& name);

/// What the communicator is told: the command line before the environment.
communicator_options communicator_options_of(const job_options& options, const bootstrap::launch& from);

/// Settings that come from the environment and are in effect, "NAME=value" each.
std::vector<std::string> overrides(const job_options& options, const bootstrap::launch& from);

/// Joins over the TCP store where the launcher tells of one, else through MPI where mpirun started this process.
/// Throws errc::invalid_argument where nothing started it, and what the bootstraps throw.
std::unique_ptr<bootstrap::bootstrap> join_job(const bootstrap::launch& from, const communicator_options& options);

/// Ends MPI where `join_job` began it. After a failure the other ranks may never come to MPI_Finalize: then this does
/// not return but ends the process with the code.
void leave_launcher(int code);

}  // namespace hawser::cli
