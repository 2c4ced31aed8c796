// Starts the ranks of a job as processes of this host, and waits for them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hawser::cli {

/// The hidden verb of a started rank: `hawser worker DESCRIPTOR VERB ...`.
inline constexpr const char* worker_verb = "worker";
/// Where rank 0 finds the terminal of the process that started it, if there is one.
inline constexpr int worker_terminal = 3;
/// Processes on one host beyond this are refused.
inline constexpr int most_local_ranks = 512;

struct local_job {
  int ranks = 1;
  std::vector<std::string> arguments;  ///< of every rank, the verb first
  std::chrono::milliseconds peer_timeout{10'000};
  std::optional<int> expendable{};  ///< a rank whose violent end is no failure of the job
  bool has_tls = false;             ///< of the store
};

/// Runs the store server here, starts this program `ranks` times with the launcher's variables set, passes on what
/// the ranks say on stderr (each line once, with the rank that said it first), and waits for them. No rank survives
/// this process. Once a rank has failed the others have the peer time-out and two seconds to end by themselves.
/// Returns the exit code: 0, or 1 where a rank failed, was killed or found something wrong, or 2 where all failures
/// were bad usage. Throws errc::io, errc::invalid_argument (number of ranks).
int run_local(const local_job& job);

}  // namespace hawser::cli
