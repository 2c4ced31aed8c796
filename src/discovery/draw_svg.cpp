// Runs Graphviz's program dot: no shell, bounded time, bounded output.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hawser/core/error.hpp>
#include <hawser/discovery/draw.hpp>

#include "text.hpp"

extern char** environ;

namespace hawser::discovery {

namespace {

constexpr std::size_t max_svg_bytes = std::size_t{64} << 20;

class descriptor {
 public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() { close(); }
  int number() const noexcept { return number_; }
  void close() noexcept {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

[[noreturn]] void fail_errno(std::string_view what, int number = errno) {
  fail(errc::io, what, std::strerror(number));
}

// Only absolute folders: what lies in the working directory is not to be run.
std::optional<std::string> find_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  for (const std::string_view folder : split(path ? path : "", ':')) {
    if (!folder.starts_with('/')) continue;
    std::string program = std::string(folder) + "/" + std::string(name);
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

// A process that is ended and waited for at the latest when this goes out of scope.
class child {
 public:
  child(const std::string& program, int input, int output, int errors) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    std::string name = "dot", format = "-Tsvg";
    char* arguments[] = {name.data(), format.data(), nullptr};
    const int failure = posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) fail_errno("cannot run \"" + program + "\"", failure);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) continue;
    process_ = 0;
    return status;
  }

 private:
  pid_t process_ = 0;
};

// The input is a file in memory: a pipe that nobody reads any more would end this process.
void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_errno("cannot hand the drawing to Graphviz");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(file, 0, SEEK_SET);
}

std::string read_until(int pipe, std::chrono::steady_clock::time_point end) {
  std::string text;
  for (char part[65536];;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) fail(errc::timeout, "Graphviz did not finish the drawing in time");
    pollfd wanted{pipe, POLLIN, 0};
    if (poll(&wanted, 1, static_cast<int>(std::min<std::int64_t>(left, 1000))) <= 0) continue;
    const ssize_t got = ::read(pipe, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno("cannot read the drawing from Graphviz");
    if (got == 0) return text;
    text.append(part, static_cast<std::size_t>(got));
    if (text.size() > max_svg_bytes) fail(errc::io, "Graphviz wrote more than 64 MiB");
  }
}

std::string first_error(int file) {
  char text[400];
  lseek(file, 0, SEEK_SET);
  const ssize_t got = ::read(file, text, sizeof text);
  return got <= 0 ? "" : ": " + shortened(trimmed(std::string_view(text, static_cast<std::size_t>(got))));
}

}  // namespace

std::string to_svg(const topology::graph& machine, const draw_options& options, seconds limit) {
  const auto program = find_program("dot");
  if (!program)
    fail(errc::unsupported, "cannot draw as SVG", "the program \"dot\" of Graphviz is not in PATH",
         "install the package graphviz, or use the format dot");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::min(limit, seconds{3600}));
  const descriptor input(memfd_create("hawser-drawing", MFD_CLOEXEC)), errors(memfd_create("errors", MFD_CLOEXEC));
  if (input.number() < 0 || errors.number() < 0) fail_errno("cannot make a file in memory");
  write_all(input.number(), to_dot(machine, options));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail_errno("cannot open a pipe to Graphviz");
  const descriptor from(ends[0]);
  descriptor to(ends[1]);
  child graphviz(*program, input.number(), to.number(), errors.number());
  to.close();
  std::string svg = read_until(from.number(), end);
  const int status = graphviz.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail(errc::io, "Graphviz could not make the drawing", "dot failed" + first_error(errors.number()));
  return svg;
}

}  // namespace hawser::discovery
