// Starts the ranks of a job as forked processes that meet at a TCP store of this process, and collects what they say.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/communicator.hpp>

namespace hawser::test {

/// How one rank's process ended.
struct rank_end {
  bool was_killed = false;
  int exit_code = -1;
  std::string said;  ///< what its body returned, or its exception's message
};

/// What one rank does: it joins the job through its door and returns what it has to say.
using rank_body = std::function<std::string(std::unique_ptr<bootstrap::bootstrap> door)>;

/// A forked rank, and its parent's ends of the pipes to it.
struct child {
  pid_t id;
  int port_out;
  int text_in;
};

/// In the child: waits for the store's port, runs `body`, and writes what it says.
[[noreturn]] inline void run_rank(bootstrap::store_options options, int port_in, int text_out, const rank_body& body) {
  if (read(port_in, &options.port, sizeof options.port) != sizeof options.port) _exit(3);
  int code = 0;
  std::string said;
  try {
    said = body(std::make_unique<bootstrap::store_bootstrap>(options));
  } catch (const std::exception& failed) {
    said = failed.what();
    code = 1;
  }
  if (write(text_out, said.data(), said.size()) < 0) code = 4;
  std::fflush(nullptr);
  _exit(code);
}

inline std::vector<child> fork_ranks(const bootstrap::store_options& options, const rank_body& body) {
  std::vector<child> children;
  for (int self = 0; self < options.size; ++self) {
    int port[2], text[2];
    if (pipe(port) != 0 || pipe(text) != 0) throw error(errc::resource, "pipe failed");
    const pid_t id = fork();
    if (id == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const child& each : children) close(each.port_out), close(each.text_in);
      close(port[1]);
      close(text[0]);
      bootstrap::store_options own = options;
      own.self = self;
      run_rank(own, port[0], text[1], body);
    }
    close(port[0]);
    close(text[1]);
    children.push_back({id, port[1], text[0]});
  }
  return children;
}

/// Reads what the rank says until it ends.
inline rank_end wait_for(const child& rank) {
  rank_end end;
  char piece[4096];
  for (ssize_t got = 0; (got = read(rank.text_in, piece, sizeof piece)) > 0;)
    end.said.append(piece, static_cast<std::size_t>(got));
  int status = 0;
  waitpid(rank.id, &status, 0);
  end.was_killed = WIFSIGNALED(status);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  close(rank.port_out);
  close(rank.text_in);
  return end;
}

/// Runs `body(door)` in `size` processes. Ranks are forked before the store's thread exists and wait for its port.
inline std::vector<rank_end> run_job(int size, bootstrap::milliseconds peer_timeout, const rank_body& body) {
  bootstrap::store_options options;
  options.size = size;
  options.secret = bootstrap::make_secret();
  options.server_rank.reset();
  options.peer_timeout = peer_timeout;
  const std::vector<child> children = fork_ranks(options, body);
  bootstrap::store_server_options served;
  served.size = size;
  served.secret = options.secret;
  served.peer_timeout = peer_timeout;
  bootstrap::store_server server(served);
  const int number = server.port();
  for (const child& each : children)
    if (write(each.port_out, &number, sizeof number) != sizeof number) throw error(errc::io, "a rank is gone");
  std::vector<rank_end> ends;
  for (const child& each : children) ends.push_back(wait_for(each));
  server.close(bootstrap::milliseconds(1'000));
  return ends;
}

}  // namespace hawser::test
