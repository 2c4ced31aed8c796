// The program hawser: finds the verb, and turns every failure into a message and an exit code.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <hawser/core/error.hpp>

#include "job.hpp"
#include "spawn.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

#ifdef HAWSER_HAS_UCX
constexpr const char* ucx_note = " ucx";
#else
constexpr const char* ucx_note = "";
#endif
#ifdef HAWSER_HAS_MPI
constexpr const char* mpi_note = " mpi";
#else
constexpr const char* mpi_note = "";
#endif
#ifdef HAWSER_HAS_CUDA
constexpr const char* cuda_note = " cuda";
#else
constexpr const char* cuda_note = "";
#endif

int say(const std::string& message, int code) {
  std::fflush(stdout);
  std::fprintf(stderr, "hawser: %s\n", message.c_str());
  return code;
}

/// Failures of the job are findings, failures of what the user gave are bad usage.
int exit_code_of(errc code) {
  switch (code) {
    case errc::invalid_argument:
    case errc::parse:
    case errc::unsupported:
    case errc::not_found:
    case errc::io:
    case errc::authentication: return exit_bad_usage;
    default: return exit_found_wrong;
  }
}

int report_usage(const CLI::App& program, const std::vector<verb>& verbs, const CLI::ParseError& problem) {
  const CLI::App* asked = &program;
  for (const verb& each : verbs)
    if (each.app->parsed()) asked = each.app;
  const std::string help = asked == &program ? "hawser --help" : "hawser " + asked->get_name() + " --help";
  if (dynamic_cast<const CLI::CallForHelp*>(&problem) != nullptr) {
    std::printf("%s", (asked == &program ? program.help() : asked->help("hawser")).c_str());
    return exit_success;
  }
  if (dynamic_cast<const CLI::CallForVersion*>(&problem) != nullptr) {
    std::printf("%s\n", problem.what());
    return exit_success;
  }
  return say(describe("cannot understand the command line", problem.what(), "see " + help), exit_bad_usage);
}

/// `hawser worker DESCRIPTOR VERB ...` is how `spawn.cpp` starts a rank; DESCRIPTOR is a terminal or -1.
context read_context(std::vector<std::string> arguments) {
  context process;
  if (arguments.size() > 1 && arguments[0] == worker_verb) {
    process.is_worker = true;
    process.progress_descriptor = arguments[1] == "-1" ? -1 : worker_terminal;
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  } else if (isatty(STDERR_FILENO) != 0) {
    process.progress_descriptor = STDERR_FILENO;
  }
  process.arguments = std::move(arguments);
  return process;
}

int dispatch(const context& process) {
  CLI::App program("Plans, proves, runs and measures collective communication on a hierarchy of machines.", "hawser");
  program.set_version_flag(
      "--version", std::string("hawser " HAWSER_VERSION "\ncomponents: runtime") + ucx_note + mpi_note + cuda_note);
  program.require_subcommand(0, 1);  // an unknown verb is then told by its name
  program.footer(
      "Exit code: 0 success, 1 something wrong was found, 2 bad usage or unreadable input.\n"
      "Documentation: docs/cli.md");
  const std::vector<verb> verbs{
      add_topo(program, process),     add_doctor(program, process), add_place(program, process),
      add_plan(program, process),     add_diff(program, process),   add_verify(program, process),
      add_simulate(program, process), add_run(program, process),    add_bench(program, process),
      add_tune(program, process),     add_trace(program, process),  add_aggregate(program, process)};
  try {
    program.parse(std::vector<std::string>(process.arguments.rbegin(), process.arguments.rend()));  // last one first
  } catch (const CLI::ParseError& problem) {
    return report_usage(program, verbs, problem);
  }
  for (const verb& each : verbs)
    if (each.app->parsed()) return each.run();
  return say(
      "no verb is given; use topo, doctor, place, plan, diff, verify, simulate, run, bench, tune, trace or aggregate, "
      "see "
      "hawser --help",
      exit_bad_usage);
}

/// What was printed must have arrived: a full disk is a failure.
int finish(int code) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return say("cannot write the output (the disk is full or the pipe is closed)", exit_found_wrong);
  return code;
}

int run(const context& process) {
  try {
    return finish(dispatch(process));
  } catch (const error& problem) {
    return say(problem.what(), exit_code_of(problem.code()));
  } catch (const std::bad_alloc&) {
    return say("out of memory; use smaller sizes or fewer ranks", exit_found_wrong);
  } catch (const std::exception& problem) {
    return say(std::string("unexpected failure: ") + problem.what(), exit_found_wrong);
  }
}

}  // namespace
}  // namespace hawser::cli

int main(int count, char** values) {
  const int code = hawser::cli::run(hawser::cli::read_context({values + 1, values + count}));
  hawser::cli::leave_launcher(code);
  return code;
}
