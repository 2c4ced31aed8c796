// hawser aggregate: reduces for a switch, as one of the last processes of a job.
#include <memory>

#include <CLI/CLI.hpp>

#include <hawser/communicator/aggregator.hpp>

#include "job.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

struct aggregate_options {
  std::string level;
  job_options job;
};

int run(const aggregate_options& options) {
  const bootstrap::launch from = bootstrap::read_launch();
  const communicator_options told = communicator_options_of(options.job, from);
  serve_switch(join_job(from, told), told, options.level);
  return exit_success;
}

}  // namespace

verb add_aggregate(CLI::App& program, const context&) {
  auto options = std::make_shared<aggregate_options>();
  CLI::App* const app = program.add_subcommand(
      "aggregate", "Reduce for a switch of a job (start it as the job's last process, with the ranks' options)");
  app->add_option("--level", options->level,
                  "The switch is the one that joins the units of this level; default: the outermost with several")
      ->type_name("NAME");
  options->job.add_to(*app);
  return {app, [options] { return run(*options); }};
}

}  // namespace hawser::cli
