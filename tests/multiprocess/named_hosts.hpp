// Emulated hosts: a process that has its own UTS namespace and host name is another host to hawser.
#pragma once

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace hawser::test {

/// Gives this process a host name of its own; false where that is not permitted.
inline bool become_host(const std::string& name) {
  return unshare(CLONE_NEWUTS) == 0 && sethostname(name.data(), name.size()) == 0;
}

/// Whether `become_host` would work, tried in a child.
inline bool may_name_hosts() {
  const pid_t child = fork();
  if (child == 0) _exit(become_host("probe") ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

inline constexpr const char* why_hosts_cannot_be_named = "only root may give a process a host name of its own";

}  // namespace hawser::test
