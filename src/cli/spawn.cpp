// See spawn.hpp.
#include "spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/error.hpp>

#include "verbs.hpp"

namespace hawser::cli {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds grace{2};   // beyond the peer time-out, to end by itself once another rank has failed
constexpr std::chrono::seconds linger{1};  // for the last farewells to the store

[[noreturn]] void fail_errno(const std::string& problem) {
  fail(errc::io, problem, std::strerror(errno));
}

/// Variables that the ranks must not inherit: they would contradict those that are set here.
constexpr std::string_view replaced[] = {"RANK=",         "WORLD_SIZE=",         "LOCAL_RANK=",
                                         "MASTER_ADDR=",  "MASTER_PORT=",        "TORCHELASTIC_USE_AGENT_STORE=",
                                         "HAWSER_STORE=", "HAWSER_SECRET_FILE=", "HAWSER_SECRET="};

struct worker {
  pid_t process = -1;
  int messages = -1;    // read end of its stderr; -1 once closed
  std::string partial;  // a line that is not complete
  bool has_ended = false;
  int status = 0;
};

/// Texts for execve, made before fork: between fork and exec nothing may allocate.
class texts {
 public:
  explicit texts(std::vector<std::string> list) : list_(std::move(list)) {
    for (std::string& each : list_) pointers_.push_back(each.data());
    pointers_.push_back(nullptr);
  }
  char* const* data() const { return pointers_.data(); }

 private:
  std::vector<std::string> list_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(int r, const local_job& job, int port, const std::string& secret) {
  std::vector<std::string> list;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view text(*each);
    if (std::none_of(std::begin(replaced), std::end(replaced), [&](auto name) { return text.starts_with(name); }))
      list.emplace_back(text);
  }
  list.push_back("RANK=" + std::to_string(r));
  list.push_back("LOCAL_RANK=" + std::to_string(r));
  list.push_back("WORLD_SIZE=" + std::to_string(job.ranks));
  list.push_back("HAWSER_STORE=127.0.0.1:" + std::to_string(port));
  list.push_back("HAWSER_SECRET=" + secret);
  return list;
}

/// Holds SIGCHLD back from this thread and those it starts, and makes it readable.
class child_signal {
 public:
  child_signal() {
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &only, &before_);
    descriptor_ = signalfd(-1, &only, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor_ < 0) fail_errno("cannot watch for the end of processes");
  }
  child_signal(const child_signal&) = delete;
  child_signal& operator=(const child_signal&) = delete;
  ~child_signal() {
    close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  int descriptor() const noexcept { return descriptor_; }
  const sigset_t& before() const noexcept { return before_; }
  void clear() const {
    signalfd_siginfo ignored;
    while (read(descriptor_, &ignored, sizeof ignored) > 0) {
    }
  }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

/// The started processes; those that are left when it goes are killed.
class local_ranks {
 public:
  local_ranks(const local_job& job, const child_signal& ended) : job_(job), ended_(ended) {
    if (isatty(STDERR_FILENO) != 0) terminal_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, worker_terminal + 1);
    no_input_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  local_ranks(const local_ranks&) = delete;
  local_ranks& operator=(const local_ranks&) = delete;
  ~local_ranks() {
    kill_all();
    for (worker& each : workers_) {
      if (!each.has_ended) waitpid(each.process, nullptr, 0);
      if (each.messages >= 0) close(each.messages);
    }
    if (terminal_ >= 0) close(terminal_);
    close(no_input_);
  }

  void start(int port, const std::string& secret);
  int wait();

 private:
  pid_t start_one(int r, int messages, int port, const std::string& secret);
  void wait_for_event();
  void take_messages(std::size_t r);
  void say(std::size_t r, const std::string& line);
  void reap();
  void ended(std::size_t r);
  bool is_any_left() const {
    return std::any_of(workers_.begin(), workers_.end(),
                       [](const worker& each) { return !each.has_ended || each.messages >= 0; });
  }
  void kill_all() {
    for (const worker& each : workers_)
      if (!each.has_ended) kill(each.process, SIGKILL);
  }

  const local_job& job_;
  const child_signal& ended_;
  std::vector<worker> workers_;
  std::set<std::string> said_;
  int terminal_ = -1;
  int no_input_ = -1;
  int code_ = exit_success;  // of the rank that failed first
  clock::time_point deadline_ = clock::time_point::max();
};

pid_t local_ranks::start_one(int r, int messages, int port, const std::string& secret) {
  const bool has_terminal = r == 0 && terminal_ >= 0;
  std::vector<std::string> arguments{"hawser", worker_verb, has_terminal ? std::to_string(worker_terminal) : "-1"};
  arguments.insert(arguments.end(), job_.arguments.begin(), job_.arguments.end());
  const texts argument_list(std::move(arguments)), environment(environment_of(r, job_, port, secret));
  const pid_t parent = getpid();
  const pid_t process = fork();
  if (process != 0) return process;
  // Only what is async-signal-safe from here on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(exit_found_wrong);  // the parent died before the line above
  pthread_sigmask(SIG_SETMASK, &ended_.before(), nullptr);
  dup2(no_input_, STDIN_FILENO);
  dup2(messages, STDERR_FILENO);
  if (has_terminal) dup2(terminal_, worker_terminal);
  execve("/proc/self/exe", argument_list.data(), environment.data());
  _exit(exit_found_wrong);
}

void local_ranks::start(int port, const std::string& secret) {
  for (int r = 0; r < job_.ranks; ++r) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail_errno("cannot open a pipe to rank " + std::to_string(r));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const pid_t process = start_one(r, ends[1], port, secret);
    const int reason = errno;
    close(ends[1]);
    if (process < 0) {
      close(ends[0]);
      errno = reason;
      fail_errno("cannot start rank " + std::to_string(r));
    }
    worker started;
    started.process = process;
    started.messages = ends[0];
    workers_.push_back(std::move(started));
  }
}

void local_ranks::say(std::size_t r, const std::string& line) {
  constexpr std::string_view own_prefix = "hawser: ";
  const std::string text = line.starts_with(own_prefix) ? line.substr(own_prefix.size()) : line;
  if (!text.empty() && said_.insert(text).second) std::fprintf(stderr, "hawser: rank %zu: %s\n", r, text.c_str());
}

void local_ranks::take_messages(std::size_t r) {
  worker& from = workers_[r];
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t got = read(from.messages, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) break;
    from.partial.append(buffer.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = from.partial.find('\n')) != std::string::npos; from.partial.erase(0, end + 1))
      say(r, from.partial.substr(0, end));
  }
  say(r, from.partial);
  close(from.messages);
  from.messages = -1;
}

void local_ranks::ended(std::size_t r) {
  const int status = workers_[r].status;
  const bool is_killed = WIFSIGNALED(status);
  const int code = is_killed ? exit_found_wrong : WEXITSTATUS(status);
  if (workers_[r].messages >= 0) take_messages(r);
  if (is_killed)
    std::fprintf(stderr, "hawser: rank %zu was killed by signal %d (%s)\n", r, WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
  if (is_killed && job_.expendable && static_cast<std::size_t>(*job_.expendable) == r) return;
  if (code == exit_success || code_ != exit_success) return;
  code_ = code == exit_bad_usage ? exit_bad_usage : exit_found_wrong;
  deadline_ = clock::now() + job_.peer_timeout + grace;
}

void local_ranks::reap() {
  ended_.clear();
  for (std::size_t r = 0; r < workers_.size(); ++r) {
    worker& each = workers_[r];
    if (each.has_ended || waitpid(each.process, &each.status, WNOHANG) != each.process) continue;
    each.has_ended = true;
    ended(r);
    // What a process of its own still holds open is not waited for.
    if (each.messages >= 0) close(each.messages);
    each.messages = -1;
  }
}

void local_ranks::wait_for_event() {
  std::vector<pollfd> watched{{ended_.descriptor(), POLLIN, 0}};
  for (const worker& each : workers_) watched.push_back({each.messages, POLLIN, 0});  // poll skips -1
  int timeout = -1;
  if (deadline_ != clock::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now());
    timeout = static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }
  const int ready = poll(watched.data(), watched.size(), timeout);
  if (ready == 0) {
    std::fprintf(stderr, "hawser: the other ranks did not end by themselves; they are killed\n");
    deadline_ = clock::time_point::max();
    kill_all();
  }
  for (std::size_t r = 0; r < workers_.size() && ready > 0; ++r)
    if (workers_[r].messages >= 0 && watched[r + 1].revents != 0) take_messages(r);
}

int local_ranks::wait() {
  while (is_any_left()) {
    wait_for_event();
    reap();
  }
  return code_;
}

}  // namespace

int run_local(const local_job& job) {
  if (job.ranks < 1 || job.ranks > most_local_ranks)
    fail(errc::invalid_argument, "cannot start " + std::to_string(job.ranks) + " ranks on this host",
         "1 to " + std::to_string(most_local_ranks) + " are possible");
  std::fflush(nullptr);
  const child_signal child_ended;
  bootstrap::store_server_options options;
  options.size = job.ranks;
  options.secret = bootstrap::make_secret();
  options.peer_timeout = job.peer_timeout;
  options.has_tls = job.has_tls;
  bootstrap::store_server store(options);
  local_ranks ranks(job, child_ended);
  ranks.start(store.port(), options.secret);
  const int code = ranks.wait();
  store.close(linger);
  return code;
}

}  // namespace hawser::cli
