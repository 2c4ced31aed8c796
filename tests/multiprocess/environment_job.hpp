// Starts the ranks of a job as forked processes that find each other by environment variables and a store of this
// process.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>

namespace hawser::test {

namespace detail {

inline void set_variables(int rank, int size, int port, const std::string& secret) {
  const auto set = [](const char* name, const std::string& value) { setenv(name, value.c_str(), 1); };
  set("RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(size));
  set("HAWSER_STORE", "127.0.0.1:" + std::to_string(port));
  set("HAWSER_SECRET", secret);
}

/// The child's side: it waits for the store's port, since it is forked before the store's thread exists.
[[noreturn]] inline void run_rank(int rank, int size, int port_in, const std::string& secret,
                                  const std::function<int(int)>& body) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int port = 0;
  if (read(port_in, &port, sizeof port) != sizeof port) _exit(3);
  set_variables(rank, size, port, secret);
  const int code = body(rank);
  std::fflush(nullptr);
  _exit(code > 255 ? 255 : code);
}

}  // namespace detail

/// Runs `body(rank)` in `size` processes; their exit codes, -1 for one that was killed.
inline std::vector<int> run_with_environment(int size, const std::function<int(int)>& body) {
  const std::string secret = bootstrap::make_secret();
  int port_pipe[2];
  if (pipe(port_pipe) != 0) throw error(errc::resource, "pipe failed");
  std::vector<pid_t> ranks;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t child = fork();
    if (child == 0) detail::run_rank(rank, size, port_pipe[0], secret, body);
    ranks.push_back(child);
  }
  bootstrap::store_server_options options;
  options.size = size;
  options.secret = secret;
  bootstrap::store_server server(options);
  const int port = server.port();
  for (int rank = 0; rank < size; ++rank)
    if (write(port_pipe[1], &port, sizeof port) != sizeof port) throw error(errc::io, "the ranks are gone");
  std::vector<int> codes;
  for (const pid_t each : ranks) {
    int status = 0;
    waitpid(each, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  close(port_pipe[0]);
  close(port_pipe[1]);
  server.close(bootstrap::milliseconds(1'000));
  return codes;
}

}  // namespace hawser::test
