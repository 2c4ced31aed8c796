// Starts the ranks of a job whose store lives in rank 0's process, as torchrun's ranks do; any of them may be killed.
#pragma once

#include <multiprocess/local_job.hpp>

#include <hawser/bootstrap/store.hpp>

namespace hawser::test {

/// What one rank does, and what it says. Newcomers are told the address of the store, and join by themselves.
using elastic_body =
    std::function<std::string(bootstrap::store_options options, std::unique_ptr<bootstrap::bootstrap>)>;

/// In the child: rank 0 opens the store and says where; the others wait to be told.
[[noreturn]] inline void run_elastic_rank(bootstrap::store_options options, int port_in, int port_out, int text_out,
                                          const elastic_body& body) {
  int code = 0;
  std::string said;
  try {
    std::unique_ptr<bootstrap::store_server> server;
    if (options.self == rank(0)) {
      bootstrap::store_server_options served;
      served.size = options.size;
      served.secret = options.secret;
      served.peer_timeout = options.peer_timeout;
      server = std::make_unique<bootstrap::store_server>(served);
      options.port = server->port();
      if (write(port_out, &options.port, sizeof options.port) != sizeof options.port) _exit(3);
    } else if (read(port_in, &options.port, sizeof options.port) != sizeof options.port) {
      _exit(3);
    }
    std::unique_ptr<bootstrap::store_bootstrap> door;
    if (options.self.value < options.size) {
      door = std::make_unique<bootstrap::store_bootstrap>(options, std::move(server));
      door->rendezvous(bootstrap::milliseconds(60'000));
    }
    said = body(options, std::move(door));
  } catch (const std::exception& failed) {
    said = failed.what();
    code = 1;
  }
  if (write(text_out, said.data(), said.size()) < 0) code = 4;
  std::fflush(nullptr);
  _exit(code);
}

/// Runs `size` ranks and `newcomers` processes more, which get no door. `is_stopped` ones are killed in the end.
inline std::vector<rank_end> run_elastic(
    int size, bootstrap::milliseconds peer_timeout, const elastic_body& body, int newcomers = 0,
    const std::function<bool(int)>& is_stopped = [](int) { return false; }) {
  bootstrap::store_options options;
  options.size = size;
  options.secret = bootstrap::make_secret();
  options.peer_timeout = peer_timeout;
  int told[2];
  if (pipe(told) != 0) throw error(errc::resource, "pipe failed");
  std::vector<child> children;
  for (int self = 0; self < size + newcomers; ++self) {
    int port[2], text[2];
    if (pipe(port) != 0 || pipe(text) != 0) throw error(errc::resource, "pipe failed");
    const pid_t id = fork();
    if (id == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const child& each : children) close(each.port_out), close(each.text_in);
      close(port[1]);
      close(text[0]);
      close(told[0]);
      options.self = self;
      run_elastic_rank(options, port[0], told[1], text[1], body);
    }
    close(port[0]);
    close(text[1]);
    children.push_back({id, port[1], text[0]});
  }
  close(told[1]);
  int number = 0;
  if (read(told[0], &number, sizeof number) != sizeof number) throw error(errc::io, "rank 0 has opened no store");
  close(told[0]);
  for (const child& each : children)
    if (write(each.port_out, &number, sizeof number) != sizeof number) throw error(errc::io, "a rank is gone");
  std::vector<rank_end> ends(children.size());
  for (const bool stopped : {false, true})
    for (std::size_t r = 0; r < children.size(); ++r) {
      if (is_stopped(static_cast<int>(r)) != stopped) continue;
      if (stopped) kill(children[r].id, SIGKILL);
      ends[r] = wait_for(children[r]);
    }
  return ends;
}

}  // namespace hawser::test
