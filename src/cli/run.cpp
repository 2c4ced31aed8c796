// hawser run: starts local ranks, runs one planned collective on real data, and checks the result.
#include <cstdio>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include <hawser/communicator/in_process.hpp>
#include <hawser/discovery/load.hpp>
#include <hawser/planner/planner.hpp>

#include "decisions_option.hpp"
#include "describe.hpp"
#include "job.hpp"
#include "run_recovery.hpp"
#include "run_report.hpp"
#include "spawn.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

struct run_options {
  workload_options work;
  job_options job;
  int racks = 0;
  int ranks_per_rack = 0;
  std::string bytes = "1MiB";
  std::string algorithm;
  bool explains = false;
  int iterations = 0;
  std::string form = "text";
  std::optional<int> victim;
  bool shrinks = false;
};

/// The topology that the options describe; it decides the number of ranks.
std::string topology_of(const run_options& options, const bootstrap::launch& from) {
  const bool has_racks = options.racks != 0 || options.ranks_per_rack != 0;
  if (has_racks && !options.job.topology.empty())
    fail(errc::invalid_argument, "--topology and --racks are both given", "they say the same thing",
         "drop one of them");
  if (!has_racks) {
    std::string given = options.job.topology.empty() ? from.topology : options.job.topology;
    if (!given.empty()) return given;
    fail(errc::invalid_argument, "the number of ranks is not given", {},
         "add --racks 2 --ranks-per-rack 4, or --topology \"rack:2 gpu:4\"");
  }
  if (options.racks < 1 || options.ranks_per_rack < 1)
    fail(errc::invalid_argument,
         std::to_string(options.racks) + " racks of " + std::to_string(options.ranks_per_rack) + " ranks are no job",
         "both numbers must be at least 1", "add --racks 2 --ranks-per-rack 4");
  // Every link of racks that are emulated on one host is its memory: the figures that the communicator assumes for it.
  constexpr std::string_view memory = "@8GB/s,0.5us";
  return "rack:" + std::to_string(options.racks).append(memory) +
         " gpu:" + std::to_string(options.ranks_per_rack).append(memory);
}

/// Everything that can be said before ranks are started, so that a mistake is told once and at once.
struct checked_run {
  explicit checked_run(const run_options& options)
      : from(bootstrap::read_launch()), work(parse(options.work)), form(parse_format(options.form)) {
    job = options.job;
    job.topology = topology_of(options, from);
    const topology::hierarchy tree = discovery::load(job.topology).tree;
    if (tree.size() > most_local_ranks)
      fail(errc::invalid_argument, "cannot start " + std::to_string(tree.size()) + " ranks on this host",
           "at most " + std::to_string(most_local_ranks) + " are possible",
           "use hawser plan for machines of that size");
    ranks = static_cast<int>(tree.size());
    check_root(work, ranks);
    if (options.iterations < 0)
      fail(errc::invalid_argument, "--iters " + std::to_string(options.iterations) + " is negative", {},
           "leave it out to fill half a second");
    check_loss(options);
    count = checked_count_of(work, parse_bytes(options.bytes).value, ranks);
    (void)planner::planner(tree).make_plan(request_of(work, count, options.algorithm));
  }

  void check_loss(const run_options& options) const {
    if (!options.victim) {
      if (options.shrinks)
        fail(errc::invalid_argument, "--shrink without --kill", "no rank would be lost", "add --kill RANK");
      return;
    }
    if (*options.victim < 0 || *options.victim >= ranks || ranks < 2)
      fail(errc::invalid_argument, "cannot kill rank " + std::to_string(*options.victim),
           "the job has ranks 0 to " + std::to_string(ranks - 1) + ", and one must be left", "choose another");
    if (options.job.transport == "in_process")
      fail(errc::unsupported, "--kill with --transport in_process", "its ranks are threads of one process",
           "leave --transport out");
  }

  bootstrap::launch from;
  workload work;
  format form;
  job_options job;
  int ranks = 1;
  std::int64_t count = 0;
};

/// One rank's part of a job of `members`; the exit code is the same on all ranks. `recovery`: what came before, if a
/// rank was lost.
int run_rank(communicator& members, const run_options& options, const checked_run& checked, const workload& work,
             const std::optional<recovery_report>& recovery) {
  const std::string algorithm = recovery ? std::string() : options.algorithm;  // planned anew for what is left
  workspace buffers(work, members.size(), members.rank(), checked.count);
  const hawser::detail::call call = buffers.call_for(checked.count, algorithm);
  run_result result{.work = work, .count = checked.count};
  result.recovery = recovery;
  result.plan = members.plan_for(request_of(work, checked.count, algorithm));
  buffers.fill(checked.count);
  members.launch(call);
  result.wrong = hawser::detail::sum_over_ranks(members, buffers.count_wrong(checked.count));
  result.time =
      hawser::detail::measure(members, {.warmup = 1, .iterations = options.iterations}, [&] { members.launch(call); });
  result.transports = transports_in_use(members);
  result.overrides = overrides(checked.job, checked.from);
  if (members.rank() == rank(0)) print(result, checked.form, options.explains);
  return result.wrong == 0 ? exit_success : exit_found_wrong;
}

int run_process(communicator& members, const run_options& options, const checked_run& checked) {
  if (!options.victim) return run_rank(members, options, checked, checked.work, {});
  const recovered left =
      lose_rank(members, checked.work, checked.count, options.algorithm, rank(*options.victim), options.shrinks);
  return run_rank(*left.members, options, checked, left.work, left.report);
}

int run_threads(const run_options& options, const checked_run& checked) {
  job_options as_told = checked.job;
  as_told.transport = "auto";  // replaced by the in-process transport
  const communicator_options told = communicator_options_of(as_told, checked.from);
  int code = exit_success;
  run_in_process(checked.ranks, told, [&](communicator& members) {
    const int own = run_rank(members, options, checked, checked.work, {});
    if (members.rank() == rank(0)) code = own;
  });
  return code;
}

int run(const run_options& options, const context& process) {
  const checked_run checked(options);
  if (!process.is_worker)  // a mistake in the file is told once
    (void)decisions_of(options.job.decisions, discovery::load(checked.job.topology).tree);
  if (options.job.transport == "in_process") return run_threads(options, checked);
  if (options.job.transport == "mpi")
    fail(errc::unsupported, "hawser run cannot use the transport mpi", "it starts the ranks without MPI",
         "use mpirun ... hawser bench --transport mpi");
  const communicator_options told = communicator_options_of(checked.job, checked.from);
  if (!process.is_worker)
    return run_local({checked.ranks, process.arguments, told.peer_timeout,
                      options.shrinks ? options.victim : std::nullopt, told.has_tls});
  communicator members(join_job(checked.from, told), told);
  return run_process(members, options, checked);
}

}  // namespace

verb add_run(CLI::App& program, const context& process) {
  auto options = std::make_shared<run_options>();
  CLI::App* const app =
      program.add_subcommand("run", "Run a collective between processes of this host, and check the result");
  options->work.add_to(*app, true);
  app->add_option("--racks", options->racks, "Number of racks to divide the ranks into")->type_name("R");
  app->add_option("--ranks-per-rack", options->ranks_per_rack, "Ranks in each rack")->type_name("G");
  app->add_option("--bytes", options->bytes,
                  "Size as nccl-tests counts it: the vector of all_reduce, reduce and broadcast; the blocks of all "
                  "ranks together of the others")
      ->capture_default_str()
      ->type_name("SIZE");
  app->add_option("--algorithm", options->algorithm, "Force one (docs/algorithms.md)")->type_name("NAME");
  app->add_flag("--explain", options->explains, "List every candidate with its cost, or why it was rejected");
  app->add_option("--iters", options->iterations, "Measured iterations; default: as many as fill half a second")
      ->type_name("N");
  app->add_option("--kill", options->victim, "Kill this rank's process in the middle of a call")->type_name("RANK");
  app->add_flag("--shrink", options->shrinks, "With --kill: the others shrink, plan again, and check the result");
  options->job.add_to(*app);
  app->add_option("--format", options->form, "text or json")->capture_default_str()->type_name("FORMAT");
  return {app, [options, process] { return run(*options, process); }};
}

}  // namespace hawser::cli
