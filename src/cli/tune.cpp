// hawser tune: measures links and hosts under any launcher, writes a tuning file, and finds racks that nobody told of.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include <hawser/communicator/tune.hpp>

#include "describe.hpp"
#include "job.hpp"
#include "spawn.hpp"
#include "tune_device.hpp"
#include "tune_report.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

struct tune_options {
  job_options job;
  std::string output;
  std::string time = "5s";
  bool infers = false;
  int local = 0;
  bool on_device = false;
  int gpu = 0;
  std::string form = "text";
};

/// The name of each host, in the order of their first ranks, as ranks say their own.
std::vector<std::string> host_names(communicator& members) {
  constexpr std::size_t longest = 64;
  std::vector<std::uint8_t> all(longest * static_cast<std::size_t>(members.size()), 0);
  std::string own = describe_host().substr(0, longest - 1);
  own = own.substr(0, own.find(','));
  own.resize(longest, '\0');
  members.all_gather(std::span(reinterpret_cast<const std::uint8_t*>(own.data()), longest), all);
  std::vector<std::string> names;
  for (int r = 0; r < members.size(); ++r) {
    const std::string name(reinterpret_cast<const char*>(&all[longest * static_cast<std::size_t>(r)]));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

/// All ranks measure; the communicator is gone when this returns, so that a failure to write harms none of them.
tune_report measure(const tune_options& options, const bootstrap::launch& from, communicator_options told,
                    bool& is_first) {
  told.tuning.clear();  // what is to be measured must not depend on what was
  told.infer_racks = false;
  if (options.infers && told.topology.empty()) told.topology = "hosts";
  communicator members(join_job(from, told), told);
  is_first = members.rank() == rank(0);
  tune_report report{.output = options.output, .overrides = overrides(options.job, from)};
  const tune::effort how{.seconds = parse_seconds(options.time).count()};
  if (!options.infers) {
    report.measured = calibrate(members, how);
    return report;
  }
  report.racks = infer_racks(members);
  report.hosts = host_names(members);
  report.hosts.resize(report.racks->rack_of_host.size());  // ranks of one host in different containers
  report.measured = calibrate(members, hierarchy_of(members, *report.racks, false), how);
  return report;
}

int run(const tune_options& options, const context& process) {
  if (options.on_device) return tune_device(options.gpu);
  const bootstrap::launch from = bootstrap::read_launch();
  const format form = parse_format(options.form);
  const communicator_options told = communicator_options_of(options.job, from);
  (void)parse_seconds(options.time);
  if (options.local != 0 && !process.is_worker) {
    if (from.has_ranks())
      fail(errc::invalid_argument, "--local is given, but " + from.launcher_name + " has started this process",
           "either starts the ranks, not both", "leave out --local");
    return run_local({options.local, process.arguments, told.peer_timeout, {}, told.has_tls});
  }
  bool is_first = false;
  const tune_report report = measure(options, from, told, is_first);
  if (!is_first) return exit_success;
  if (!report.output.empty()) tune::write_tuning(report.output, report.measured);
  std::fputs((form == format::json ? to_json(report) : to_text(report)).c_str(), stdout);
  const bool is_unsure = report.racks && report.racks->confidence < tune::least_confidence;
  return is_unsure ? exit_found_wrong : exit_success;
}

}  // namespace

verb add_tune(CLI::App& program, const context& process) {
  auto options = std::make_shared<tune_options>();
  CLI::App* const app = program.add_subcommand(
      "tune", "Measure links and hosts, for a tuning file (under mpirun, torchrun, or --local N)");
  app->add_option("--output", options->output, "The tuning file, replaced as a whole; default: none is written")
      ->type_name("FILE");
  app->add_flag("--infer", options->infers, "Find the racks by measuring, and tune the hierarchy that they make");
  app->add_option("--time", options->time, "Measure for about so long")->capture_default_str()->type_name("TIME");
  app->add_option("--local", options->local, "Start N processes on this host")->type_name("N");
  CLI::Option* const on_device = app->add_flag(
      "--device", options->on_device, "Instead, measure how kernels are best launched on a GPU of this process");
  app->add_option("--gpu", options->gpu, "Which one")->capture_default_str()->type_name("N")->needs(on_device);
  options->job.add_to(*app);
  app->add_option("--format", options->form, "text or json (docs/schema/tune-1.json)")
      ->capture_default_str()
      ->type_name("FORMAT");
  return {app, [options, process] { return run(*options, process); }};
}

}  // namespace hawser::cli
