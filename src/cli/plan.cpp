// hawser plan: what would be chosen on a machine, what it would cost, and what one rank would do.
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include <hawser/algorithm/prepared.hpp>
#include <hawser/planner/explain.hpp>
#include <hawser/planner/turning_points.hpp>

#include "decisions_option.hpp"
#include "describe.hpp"
#include "plan_map.hpp"
#include "plan_report.hpp"
#include "topology_option.hpp"
#include "tuning_option.hpp"
#include "verbs.hpp"
#include "workload.hpp"

namespace hawser::cli {
namespace {

struct plan_options {
  workload_options work;
  std::vector<std::string> collectives;
  std::string decisions;
  map_options map;
  bool draws_map = false;
  std::string topology;
  std::string tuning;
  std::string bytes = "0";
  std::string algorithm;
  std::string form = "text";
  bool explains = false;
  int self = -1;
  bool lists_steps = false;
  bool measures = false;
};

/// The decision without the list of candidates.
std::string summary(const schedule::plan& made) {
  const std::string all = planner::explain(made, 0);
  const std::size_t end = all.find("  ... and ");  // where candidates are listed
  std::int64_t possible = 0;
  for (const schedule::candidate& each : made.candidates) possible += each.is_possible() ? 1 : 0;
  return all.substr(0, end) + "candidates  " + std::to_string(possible) + " possible, " +
         std::to_string(static_cast<std::int64_t>(made.candidates.size()) - possible) +
         " rejected; --explain lists them\n";
}

const std::string& the_one_of(const std::vector<std::string>& collectives) {
  if (collectives.empty())
    fail(errc::invalid_argument, "a collective is required", {}, "name one, or add --map for a table of all");
  if (collectives.size() > 1)
    fail(errc::invalid_argument, "only one collective can be planned", "\"" + collectives[1] + "\" is one too many",
         "add --map for a table of several");
  return collectives.front();
}

class planning {
 public:
  explicit planning(const plan_options& options)
      : options_(options),
        work_(parse(options.work)),
        machine_(machine_of(options.topology, "plan for")),
        tuned_(tuned_of(options.tuning, machine_.tree)),
        tree_(tuned_.tree) {
    check_root(work_, tree_.size());
    check_rank();
    const std::int64_t count = checked_count_of(work_, parse_bytes(options.bytes).value, tree_.size());
    what_ = request_of(work_, count, wants_all() ? "" : options.algorithm);
  }

  int run() {
    const format form = parse_format(options_.form);
    planner::planner chooser(tree_, tuned_.host, decisions_of(options_.decisions, tree_));
    if (machine_.links && machine_.links->links.ranks() == tree_.size()) chooser.know(machine_.links);
    const auto begin = std::chrono::steady_clock::now();
    const schedule::plan made = options_.explains ? make_explained_plan(chooser, what_) : chooser.make_plan(what_);
    const seconds took(std::chrono::steady_clock::now() - begin);
    std::vector<preparation> prepared;
    if (options_.measures) prepared = prepare_all(made);
    if (form == format::json)
      print_json(made, prepared);
    else
      print_text(made, prepared, took);
    return exit_success;
  }

 private:
  bool wants_all() const { return options_.algorithm == "all"; }

  void check_rank() const {
    const bool is_given = options_.self != -1;
    if (!is_given && (options_.lists_steps || options_.measures))
      fail(errc::invalid_argument, "no rank is given", "--steps and --stats are about one rank's schedule",
           "add --rank 0");
    if (is_given && (options_.self < 0 || options_.self >= tree_.size()))
      fail(errc::invalid_argument, "there is no rank " + std::to_string(options_.self),
           "the topology has " + std::to_string(tree_.size()) + " ranks",
           "choose one from 0 to " + std::to_string(tree_.size() - 1));
  }

  std::vector<preparation> prepare_all(const schedule::plan& made) const {
    std::vector<preparation> all;
    for (const schedule::candidate& each : made.candidates)
      if (each.is_possible() && each.algorithm != planner::packed_trees_name &&
          each.algorithm != planner::multi_rail_name && (wants_all() || each.algorithm == made.algorithm))
        all.push_back(prepare(tree_, what_, each.algorithm, options_.self));
    if (all.empty() && made.prepared.empty())
      all.push_back(prepare(tree_, what_, made.algorithm, options_.self));  // forced though slow
    return all;
  }

  schedule::schedule steps_of(const schedule::plan& made) const {
    return algorithm::generate_planned(tree_, what_, made.algorithm, made.prepared, options_.self);
  }

  void print_text(const schedule::plan& made, const std::vector<preparation>& prepared, seconds took) const {
    std::fputs((options_.explains ? planner::explain(made) : summary(made)).c_str(), stdout);
    if (options_.measures)
      std::printf("planned in %s (every candidate, once per request)\n%s", to_string(took).c_str(),
                  describe(prepared, options_.self).c_str());
    if (options_.lists_steps) std::fputs(describe_steps(steps_of(made)).c_str(), stdout);
  }

  void print_json(const schedule::plan& made, const std::vector<preparation>& prepared) const {
    nlohmann::ordered_json out = to_json(made, work_);
    out["rank"] = options_.self < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(options_.self);
    out["stats"] = nullptr;
    if (options_.measures) {
      out["stats"] = nlohmann::ordered_json::array();
      for (const preparation& each : prepared) out["stats"].push_back(to_json(each));
    }
    out["steps"] = nullptr;
    if (options_.lists_steps) out["steps"] = to_json(steps_of(made));
    std::printf("%s\n", out.dump(2).c_str());
  }

  const plan_options& options_;
  workload work_;
  machine_option machine_;
  tune::tuned tuned_;
  const topology::hierarchy& tree_;
  schedule::request what_;
};

}  // namespace

verb add_plan(CLI::App& program, const context&) {
  auto options = std::make_shared<plan_options>();
  CLI::App* const app =
      program.add_subcommand("plan", "Choose an algorithm for a collective on a machine, and say why");
  app->add_option("collective", options->collectives, "The collective; with --map any number of them, default: all")
      ->type_name("COLLECTIVE");
  options->work.add_to(*app, true, false);
  app->add_flag("--map", options->draws_map, "The decision over sizes; --format json writes a decision file");
  options->map.add_to(*app);
  add_decisions_option(*app, options->decisions);
  app->add_option("--topology", options->topology,
                  "Synthetic string, preset:NAME or file (docs/topology.md); default: HAWSER_TOPOLOGY")
      ->type_name("TOPOLOGY");
  app->add_option("--tuning", options->tuning,
                  "Tuning file for that topology, of hawser tune; default: HAWSER_TUNING where it fits")
      ->type_name("FILE");
  app->add_option("--bytes", options->bytes,
                  "Size as nccl-tests counts it: the vector of all_reduce, reduce and broadcast; the blocks of all "
                  "ranks together of the others; e.g. 64MiB")
      ->capture_default_str()
      ->type_name("SIZE");
  app->add_option("--algorithm", options->algorithm, "Force one (docs/algorithms.md); all: no choice, --stats of all")
      ->type_name("NAME");
  app->add_flag("--explain", options->explains, "List every candidate with its cost, or why it was rejected");
  app->add_option("--rank", options->self, "The rank that --steps and --stats are about")->type_name("RANK");
  app->add_flag("--steps", options->lists_steps, "Print that rank's steps");
  app->add_flag("--stats", options->measures, "Measure time and memory of preparing that rank's schedule");
  app->add_option("--format", options->form, "text or json (docs/schema/plan-1.json); with --map also svg")
      ->capture_default_str()
      ->type_name("FORMAT");
  return {app, [options] {
            options->map.measures = options->measures;
            if (options->draws_map && schedule::parse_mode(options->work.mode) != schedule::mode::fast)
              fail(errc::invalid_argument, "--map draws mode fast only", "decision files hold for all modes",
                   "leave --mode out, or plan one size");
            if (options->draws_map)
              return print_map(options->map, options->collectives, options->topology, options->decisions,
                               options->form);
            options->work.collective = the_one_of(options->collectives);
            return planning(*options).run();
          }};
}

}  // namespace hawser::cli
