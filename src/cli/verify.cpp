// hawser verify: proves the schedules of every registered algorithm on a machine, or says what is wrong with them.
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/planner/planner.hpp>

#include "describe.hpp"
#include "proof.hpp"
#include "topology_option.hpp"
#include "verbs.hpp"

namespace hawser::cli {
namespace {

struct verify_options {
  std::string collective;
  std::string algorithm = "all";
  std::string topology;
  std::string root;
  bool in_place = false;
  std::uint64_t seed = 1;
  std::string form = "text";
};

class verification {
 public:
  verification(const verify_options& options, const context& process)
      : options_(options), tree_(topology_of(options.topology, "verify on")), shown_(process.progress_descriptor) {
    scope_.only_in_place = options.in_place;
    scope_.is_sampled = tree_.size() > most_exact_ranks;
    scope_.seed = options.seed;
    scope_.set_roots(options.root, tree_.size());
    list_proofs();
  }

  int run() {
    const format form = parse_format(options_.form);
    prove_all(form == format::text);
    shown_.clear();
    std::int64_t not_right = 0;
    for (const proof& each : proofs_) not_right += each.is_proven() ? 0 : 1;
    if (form == format::json)
      print_json();
    else
      std::printf("%zu algorithms on %s ranks: %s; %s\n", proofs_.size(), std::to_string(tree_.size()).c_str(),
                  not_right == 0 ? "all ok" : (std::to_string(not_right) + " not ok").c_str(),
                  scope_.describe(tree_.size()).c_str());
    return not_right == 0 ? exit_success : exit_found_wrong;
  }

 private:
  void list_proofs() {
    const bool wants_all = options_.algorithm == "all";
    std::string reason;
    for (const schedule::collective what : schedule::all_collectives) {
      if (!options_.collective.empty() && schedule::parse_collective(options_.collective) != what) continue;
      if (wants_all) {
        for (const std::string& name : algorithm::algorithm_names(tree_, what))
          if (!scope_.is_sampled || algorithm::steps_bound(tree_, what, name) <= planner::most_steps)
            proofs_.emplace_back(what, name);
        continue;
      }
      try {  // an algorithm that is not listed may still be generated; its name decides
        check_algorithm(tree_, what, options_.algorithm);
        proofs_.emplace_back(what, options_.algorithm);
      } catch (const error& unknown) {
        if (!options_.collective.empty()) throw;
        reason = unknown.what();
      }
    }
    if (proofs_.empty())
      fail(errc::not_found, "no collective has an algorithm \"" + options_.algorithm + "\" on this topology", reason,
           "use --algorithm all, or name the collective");
  }

  /// Threads take the next proof in turn; lines are printed in order, as soon as those before are done.
  void prove_all(bool prints) {
    std::atomic<std::size_t> next{0};
    std::vector<bool> is_done(proofs_.size(), false);
    std::size_t printed = 0;
    std::mutex mutex;
    const auto work = [&] {
      for (std::size_t i; (i = next++) < proofs_.size();) {
        proofs_[i].prove(tree_, scope_);
        const std::lock_guard lock(mutex);
        is_done[i] = true;
        for (; printed < proofs_.size() && is_done[printed]; ++printed)
          if (prints) print_line(proofs_[printed]);
        if (printed < proofs_.size())
          shown_.show(formatted("%zu of %zu: %s", printed, proofs_.size(), proofs_[printed].name().c_str()));
      }
    };
    std::vector<std::jthread> threads;
    const std::size_t wanted = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), proofs_.size());
    for (std::size_t t = 1; t < wanted; ++t) threads.emplace_back(work);
    work();
  }

  void print_line(const proof& each) {
    shown_.clear();
    std::fputs(each.describe().c_str(), stdout);
    std::fflush(stdout);
  }

  void print_json() const {
    nlohmann::ordered_json out{{"schema", "hawser.verify/1"}, {"ranks", tree_.size()}};
    out["scope"] = scope_.describe(tree_.size());
    out["algorithms"] = nlohmann::ordered_json::array();
    for (const proof& each : proofs_) out["algorithms"].push_back(each.to_json());
    std::printf("%s\n", out.dump(2).c_str());
  }

  const verify_options& options_;
  topology::hierarchy tree_;
  progress shown_;
  proof_scope scope_;
  std::vector<proof> proofs_;
};

}  // namespace

verb add_verify(CLI::App& program, const context& process) {
  auto options = std::make_shared<verify_options>();
  CLI::App* const app = program.add_subcommand("verify", "Prove the schedules of the algorithms on a machine");
  app->add_option("collective", options->collective, "All collectives if none is named")->type_name("COLLECTIVE");
  app->add_option("--algorithm", options->algorithm, "A name (docs/algorithms.md), or all")
      ->capture_default_str()
      ->type_name("NAME");
  app->add_option("--topology", options->topology,
                  "Synthetic string, preset:NAME or file (docs/topology.md); default: HAWSER_TOPOLOGY")
      ->type_name("TOPOLOGY");
  app->add_option("--root", options->root, "all, or one rank; default: all up to 32 ranks, else four of them")
      ->type_name("RANK");
  app->add_flag("--in-place", options->in_place, "Only calls in place; default: both kinds");
  app->add_option("--seed", options->seed, "Of the samples, where there are too many ranks for the exact verifier")
      ->capture_default_str()
      ->type_name("N");
  app->add_option("--format", options->form, "text or json")->capture_default_str()->type_name("FORMAT");
  return {app, [options, process] { return verification(*options, process).run(); }};
}

}  // namespace hawser::cli
