// hawser simulate: how long a collective would take on a machine, flow by flow, healthy or not.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include <hawser/planner/planner.hpp>
#include <hawser/simulate/fabric_load.hpp>
#include <hawser/simulate/goal.hpp>
#include <hawser/simulate/simulate.hpp>
#include <hawser/topology/describe.hpp>

#include "describe.hpp"
#include "simulate_export.hpp"
#include "simulate_report.hpp"
#include "topology_option.hpp"
#include "verbs.hpp"
#include "workload.hpp"

namespace hawser::cli {
namespace {

constexpr std::size_t most_traced_steps = 1'000'000;
constexpr int most_trials = 10'000;
// Of very many classes: about ten seconds on a laptop, at a few per cent of error (docs/simulator.md).
constexpr double lags_per_call = 2'048;
constexpr std::int64_t most_coarse_steps = 1'000'000;

struct simulate_options {
  workload_options work;
  std::string topology;
  std::string bytes = "0";
  std::string algorithm;
  std::string form = "text";
  std::string ecmp;
  std::vector<std::string> faults;
  std::vector<std::string> background;
  std::string trace_file;
  std::string exported;
  std::string per_message;
  std::string reduction;
  std::int64_t segments = 0;
  int trials = 10;
  std::uint64_t seed = 1;
  bool is_full = false;
  bool is_exact = false;
};

int queue_pairs_of(const std::string& text) {
  if (text == "adaptive") return 0;
  int pairs = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), pairs);
  constexpr int most = 1024;
  if (status != std::errc{} || rest != text.data() + text.size() || pairs < 1 || pairs > most)
    fail(errc::parse, "cannot read --ecmp " + text, "it is no number of queue pairs from 1 to " + std::to_string(most),
         "use a number like 4, or adaptive");
  return pairs;
}

class simulating {
 public:
  explicit simulating(const simulate_options& options)
      : simulating(options, machine_of(options.topology, "simulate")) {}

  simulating(const simulate_options& options, machine_option machine)
      : options_(options), tree_(std::move(machine.tree)), exported_(parse_export(options.exported)) {
    asked_.work = parse(options.work);
    check_root(asked_.work, tree_.size());
    const std::int64_t count = checked_count_of(asked_.work, parse_bytes(options.bytes).value, tree_.size());
    const bool wants_all = options.algorithm == "all";
    what_ = request_of(asked_.work, count, wants_all ? "" : options.algorithm);
    read_conditions();
    describe_setting(count);
    planner::planner chooser(tree_, how_.host);
    know_links(chooser, std::move(machine.links));
    made_ = chooser.make_plan(what_);
    for (const schedule::candidate& each : made_.candidates)
      if (wants_all ? each.is_possible() : each.algorithm == made_.algorithm) chosen_.push_back(each);
    for (const schedule::candidate& each : chosen_)
      if (planner::is_prepared(each.algorithm)) prepared_[each.algorithm] = prepare(chooser, each.algorithm);
    asked_.has_links = how_.links && std::any_of(chosen_.begin(), chosen_.end(), [](const auto& each) {
                         return !algorithm::needs_switch(each.algorithm);
                       });
    check_files(wants_all);
  }

  int run() {
    const format form = parse_format(options_.form);
    std::vector<simulated> all;
    for (const schedule::candidate& each : chosen_) all.push_back(simulate_one(each, chosen_.size() > 1));
    if (!options_.trace_file.empty()) write_file(options_.trace_file, simulate::to_chrome_json(all.front().ran));
    write_export(exported_, tree_, what_, made_.algorithm, how_.host);
    std::fputs((form == format::json ? json_of(asked_, all).dump(2) + "\n" : text_of(asked_, all)).c_str(), stdout);
    const bool is_any_done =
        std::any_of(all.begin(), all.end(), [](const simulated& each) { return each.refused.empty(); });
    return is_any_done ? exit_success : exit_found_wrong;
  }

 private:
  /// Where nothing is asked of the hierarchy's links, those that a file tells are planned for and simulated.
  void know_links(planner::planner& chooser, std::shared_ptr<const cost::network> links) {
    if (how_.between || !how_.suffers.faults.empty() || !how_.suffers.background.empty()) return;
    if (!links || links->links.ranks() != tree_.size()) return;
    chooser.know(links);
    if (chooser.knows_links()) how_.links = std::move(links);
  }

  std::string prepare(const planner::planner& chooser, const std::string& algorithm) const {
    if (algorithm == made_.algorithm) return made_.prepared;
    schedule::request forced = what_;
    forced.algorithm = algorithm;
    return chooser.make_plan(forced).prepared;
  }

  void read_conditions() {
    for (const std::string& each : options_.faults) how_.suffers.faults.push_back(simulate::parse_fault(tree_, each));
    for (const std::string& each : options_.background) simulate::parse_background(tree_, each, how_.suffers);
    simulate::check_reachable(tree_, how_.suffers);
    if (!options_.per_message.empty()) how_.host.per_message = parse_seconds(options_.per_message);
    if (!options_.reduction.empty()) how_.host.reduction = parse_bandwidth(options_.reduction);
    if (!options_.ecmp.empty())
      how_.between = simulate::fabric{.queue_pairs = queue_pairs_of(options_.ecmp), .seed = options_.seed};
    how_.uses_classes = !options_.is_full;
    if (options_.trials < 1 || options_.trials > most_trials)
      fail(errc::invalid_argument, "cannot simulate " + std::to_string(options_.trials) + " trials", {},
           "use 1 to " + std::to_string(most_trials));
    if (options_.segments < 0 || options_.segments > cost::most_segments)
      fail(errc::invalid_argument, "cannot simulate " + std::to_string(options_.segments) + " segments", {},
           "use 1 to " + std::to_string(cost::most_segments));
  }

  void describe_setting(std::int64_t count) {
    asked_.bytes = bytes_of(asked_.work, count, tree_.size());
    asked_.ranks = tree_.size();
    asked_.hierarchy = topology::describe(tree_);
    asked_.fingerprint = topology::fingerprint_text(tree_);
    asked_.faults = options_.faults;
    asked_.background = options_.background;
    asked_.ecmp = options_.ecmp;
    asked_.seed = options_.seed;
    asked_.trials = options_.trials;
  }

  void check_files(bool wants_all) const {
    if (wants_all && (!options_.trace_file.empty() || !options_.exported.empty()))
      fail(errc::invalid_argument, "cannot write a trace or an export of all algorithms", "a file holds one",
           "choose one with --algorithm");
    if (exported_.format == export_format::none) return;
    simulate::check_exported(tree_);
    if (planner::is_prepared(made_.algorithm))
      fail(errc::unsupported, "cannot export " + made_.algorithm, "it is prepared for the links of a file",
           "choose another --algorithm");
  }

  bool is_hashed() const { return how_.between && how_.between->queue_pairs > 0; }

  /// Of several algorithms, one that cannot be simulated must not keep the others away.
  simulated simulate_one(const schedule::candidate& c, bool is_one_of_many) const {
    simulated made;
    made.algorithm = c.algorithm;
    made.predicted = c.predicted;
    made.segments = options_.segments > 0 ? options_.segments : c.segments;
    simulate::options how = how_;
    how.segments = made.segments;
    if (algorithm::needs_switch(c.algorithm)) how.links = nullptr;  // the file does not say where its switches reduce
    if (c.algorithm == planner::packed_trees_name) how.window = schedule::packed_window;
    if (const auto known = prepared_.find(c.algorithm); known != prepared_.end()) how.prepared = known->second;
    if (!options_.is_exact && !options_.is_full && !is_hashed()) {
      how.lag = c.predicted / lags_per_call;
      how.most_steps = options_.segments > 0 ? 0 : most_coarse_steps;
    }
    const std::size_t traced = options_.trace_file.empty() ? 0 : most_traced_steps;
    const auto begin = std::chrono::steady_clock::now();
    try {
      made.ran = simulate::simulate(tree_, what_, c.algorithm, how, traced);
      if (is_hashed()) repeat(how, made);
    } catch (const error& problem) {
      if (!is_one_of_many || problem.code() != errc::unsupported) throw;
      made.refused = problem.what();
    }
    made.took = std::chrono::steady_clock::now() - begin;
    return made;
  }

  void repeat(simulate::options how, simulated& made) const {
    std::vector<double> times{made.ran.time.count()};
    for (int trial = 1; trial < options_.trials; ++trial) {
      how.between->seed = options_.seed + static_cast<std::uint64_t>(trial);
      times.push_back(simulate::simulate(tree_, what_, made.algorithm, how).time.count());
    }
    made.trials = simulate::spread::of(times);
    how.between.reset();
    made.ideal = simulate::simulate(tree_, what_, made.algorithm, how).time;
  }

  const simulate_options& options_;
  topology::hierarchy tree_;
  export_target exported_;
  schedule::request what_;
  simulate::options how_;
  simulation_setting asked_;
  schedule::plan made_;
  std::vector<schedule::candidate> chosen_;
  std::map<std::string, std::string> prepared_;  // by algorithm: what a plan has of it
};

/// `hawser simulate rail_shift|random_permutation`: no collective, but what hashing leaves of a fabric's throughput.
int run_pattern(const simulate_options& options, simulate::pattern traffic) {
  const topology::hierarchy tree = topology_of(options.topology, "simulate");
  const format form = parse_format(options.form);
  if (options.ecmp.empty() || tree.depth() != 2 || !tree.at(1).units.is_uniform())
    fail(errc::invalid_argument, std::string(to_string(traffic)) + " needs a fabric of leaves with equally many hosts",
         "it measures collisions between two tiers", "write --topology \"leaf:16 host:16\" --ecmp 4");
  if (options.trials < 1 || options.trials > most_trials)
    fail(errc::invalid_argument, "cannot simulate " + std::to_string(options.trials) + " trials", {},
         "use 1 to " + std::to_string(most_trials));
  const int pairs = queue_pairs_of(options.ecmp);
  std::vector<double> means, slowest;
  for (int trial = 0; trial < options.trials; ++trial) {
    simulate::fabric_load load{simulate::adaptive_share, simulate::adaptive_share};
    if (pairs > 0)
      load = simulate::load_fabric(tree.at(0).units.total(), tree.at(1).units.size(0), traffic, pairs,
                                   options.seed + static_cast<std::uint64_t>(trial));
    means.push_back(load.mean);
    slowest.push_back(load.slowest);
  }
  const auto mean = simulate::spread::of(means), least = simulate::spread::of(slowest);
  const auto seed = static_cast<unsigned long long>(options.seed);
  if (form == format::json) {
    const auto spread = [](const simulate::spread& s) {
      return nlohmann::ordered_json{{"mean", s.mean}, {"deviation", s.deviation}, {"least", s.least}, {"most", s.most}};
    };
    const nlohmann::ordered_json out{{"schema", simulate_schema},  {"pattern", to_string(traffic)},
                                     {"hosts", tree.size()},       {"ecmp", options.ecmp},
                                     {"seed", options.seed},       {"trials", options.trials},
                                     {"throughput", spread(mean)}, {"slowest_host", spread(least)}};
    std::printf("%s\n", out.dump(2).c_str());
    return exit_success;
  }
  std::printf(
      "%s over %lld hosts, %s %s, %d trials from seed %llu\n"
      "throughput    %.3f of the line rate, standard deviation %.3f, %.3f to %.3f\n"
      "slowest host  %.3f of the line rate, standard deviation %.3f, %.3f to %.3f\n",
      std::string(to_string(traffic)).c_str(), static_cast<long long>(tree.size()), options.ecmp.c_str(),
      pairs > 0 ? "queue pairs" : "routing", options.trials, seed, mean.mean, mean.deviation, mean.least, mean.most,
      least.mean, least.deviation, least.least, least.most);
  return exit_success;
}

int run(const simulate_options& options) {
  for (const simulate::pattern each : {simulate::pattern::rail_shift, simulate::pattern::random_permutation})
    if (options.work.collective == to_string(each)) return run_pattern(options, each);
  return simulating(options).run();
}

void add_machine_options(CLI::App& app, simulate_options& options) {
  app.add_option("--topology", options.topology,
                 "Synthetic string, preset:NAME or file (docs/topology.md); default: HAWSER_TOPOLOGY")
      ->type_name("TOPOLOGY");
  app.add_option("--fail", options.faults,
                 "A link: LEVEL:UNIT is removed, LEVEL:UNIT=FRACTION keeps that much, e.g. rack:3=7/8; repeatable")
      ->type_name("LINK")
      ->allow_extra_args(false);
  app.add_option("--background", options.background,
                 "Fraction of every link (0.3) or of a level's links (rack=0.3) that others take; repeatable")
      ->type_name("LOAD")
      ->allow_extra_args(false);
  app.add_option("--ecmp", options.ecmp,
                 "Two-tier fabric between the outermost units: queue pairs per message, each hashed; or adaptive")
      ->type_name("QPS");
  app.add_option("--trials", options.trials, "Draws of the hashes")->capture_default_str()->type_name("N");
  app.add_option("--seed", options.seed, "Of the first draw")->capture_default_str()->type_name("SEED");
  app.add_option("--per-message", options.per_message, "A rank's own work per message, e.g. 0.5us")->type_name("TIME");
  app.add_option("--reduction", options.reduction, "Speed of reducing and copying, e.g. 10GB/s")
      ->type_name("BANDWIDTH");
}

}  // namespace

verb add_simulate(CLI::App& program, const context&) {
  auto options = std::make_shared<simulate_options>();
  CLI::App* const app =
      program.add_subcommand("simulate", "Simulate a collective flow by flow on a machine, healthy or not");
  options->work.add_to(*app, false);
  add_machine_options(*app, *options);
  app->add_option("--bytes", options->bytes, "Size as nccl-tests counts it (docs/cli.md), e.g. 64MiB")
      ->capture_default_str()
      ->type_name("SIZE");
  app->add_option("--algorithm", options->algorithm, "Default: the planner's choice; all: every possible one")
      ->type_name("NAME");
  app->add_option("--segments", options->segments, "Default: as many as the cost model chose")->type_name("N");
  app->add_flag("--full", options->is_full, "Simulate every rank by itself, without classes");
  app->add_flag("--exact", options->is_exact,
                "Neither fewer segments nor lagging rates where very many classes differ: may take minutes");
  app->add_option("--trace", options->trace_file, "Write the steps as Chrome's trace JSON (Perfetto reads it)")
      ->type_name("FILE");
  app->add_option("--export", options->exported,
                  "goal:FILE writes the schedules for LogGOPSim, chakra:FILE as Chakra traces FILE.0.et, ..., up to "
                  "1024 ranks")
      ->type_name("FORMAT:FILE");
  app->add_option("--format", options->form, "text or json (docs/schema/simulate-1.json)")
      ->capture_default_str()
      ->type_name("FORMAT");
  return {app, [options] { return run(*options); }};
}

}  // namespace hawser::cli
