// What every verb of the program shares: its form, what it is told of the process, exit codes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hawser::cli {

/// The program's exit codes; scripts branch on them.
inline constexpr int exit_success = 0;
inline constexpr int exit_found_wrong = 1;  ///< a violation, a wrong result, a difference, a rank that failed
inline constexpr int exit_bad_usage = 2;    ///< bad arguments or unreadable input

/// What `main` knows of this process.
struct context {
  bool is_worker = false;              ///< one rank of a job that this program started itself
  int progress_descriptor = -1;        ///< a terminal for progress; -1: none
  std::vector<std::string> arguments;  ///< of the verb, its name first
};

/// A verb: its part of the command line, and what it does once that is parsed; returns the exit code.
struct verb {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

verb add_topo(CLI::App& program, const context& process);
verb add_doctor(CLI::App& program, const context& process);
verb add_place(CLI::App& program, const context& process);
verb add_plan(CLI::App& program, const context& process);
verb add_diff(CLI::App& program, const context& process);
verb add_verify(CLI::App& program, const context& process);
verb add_simulate(CLI::App& program, const context& process);
verb add_run(CLI::App& program, const context& process);
verb add_bench(CLI::App& program, const context& process);
verb add_tune(CLI::App& program, const context& process);
verb add_trace(CLI::App& program, const context& process);
verb add_aggregate(CLI::App& program, const context& process);

}  // namespace hawser::cli
