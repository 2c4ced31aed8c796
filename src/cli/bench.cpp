// hawser bench: measures a collective over a range of sizes, under any launcher or on local processes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "bench_report.hpp"
#include "communicator/turns.hpp"
#include "job.hpp"
#include "spawn.hpp"
#include "verbs.hpp"
#include "workspace.hpp"

namespace hawser::cli {
namespace {

using hawser::detail::contender, hawser::detail::sum_over_ranks;

struct bench_options {
  workload_options work;
  job_options job;
  std::string least = "1KiB";
  std::string most = "64MiB";
  double factor = 4;
  std::vector<std::string> algorithms;
  std::string in_turn;
  std::string refine;
  int iterations = 0;
  int warmup = 2;
  bool checks = false;
  bool rewrites = false;
  bool has_samples = false;
  int local = 0;
  std::string form = "text";
};

/// Everything that can be said before the job begins.
struct checked_bench {
  explicit checked_bench(const bench_options& options)
      : from(bootstrap::read_launch()),
        work(parse(options.work)),
        form(parse_format(options.form, true)),
        told(communicator_options_of(options.job, from)),
        turn_time(options.in_turn.empty() ? seconds{} : parse_seconds(options.in_turn)),
        refine_time(options.refine.empty() ? seconds{} : parse_seconds(options.refine)) {
    const std::uint64_t least = parse_bytes(options.least).value, most = parse_bytes(options.most).value;
    if (least > most)
      fail(errc::invalid_argument, "--min " + options.least + " is larger than --max " + options.most, {},
           "exchange them");
    if (!(options.factor > 1) || !std::isfinite(options.factor))
      fail(errc::invalid_argument, formatted("--factor %g is not possible", options.factor),
           "each size is that many times the one before", "use a number above 1");
    if (options.iterations < 0 || options.warmup < 0)
      fail(errc::invalid_argument, "a number of iterations is negative", {}, "use --iters and --warmup of at least 0");
    check_algorithms(options);
    if (work.what == schedule::collective::barrier) {
      sizes = {0};
      return;
    }
    for (std::uint64_t size = least; size <= most; size = next(size, options.factor)) sizes.push_back(size);
  }

  void check_algorithms(const bench_options& options) const {
    const auto& names = options.algorithms;
    if (!options.in_turn.empty() && !(turn_time.count() > 0))
      fail(errc::invalid_argument, "--in-turn " + options.in_turn + " leaves no time", {}, "use a time like 2s");
    if (!options.in_turn.empty() && names.empty())
      fail(errc::invalid_argument, "--in-turn has nothing to compare", "no --algorithm is given",
           "add --algorithm all, or --algorithm NAME for each");
    if (!options.refine.empty() && !(refine_time.count() > 0))
      fail(errc::invalid_argument, "--refine " + options.refine + " leaves no time", {}, "use a time like 200ms");
    if (!options.refine.empty() && !names.empty() && options.in_turn.empty())
      fail(errc::invalid_argument, "--refine has nothing to choose", "--algorithm forces the choice",
           "leave out one of them, or let them take turns (--in-turn)");
    if (names.size() > 1 && std::find(names.begin(), names.end(), "all") != names.end())
      fail(errc::invalid_argument, "--algorithm all leaves no others to name", {}, "name some, or write all alone");
  }

  static std::uint64_t next(std::uint64_t size, double factor) {
    return std::max(size + 1, static_cast<std::uint64_t>(std::llround(static_cast<double>(size) * factor)));
  }

  bootstrap::launch from;
  workload work;
  format form;
  communicator_options told;
  seconds turn_time;    ///< 0: not in turn
  seconds refine_time;  ///< 0: the choice stays what it is
  std::vector<std::uint64_t> sizes;
};

/// One rank's measurements.
class benchmark {
 public:
  benchmark(communicator& members, const bench_options& options, const checked_bench& checked, const context& process)
      : members_(members),
        options_(options),
        work_(checked.work),
        turn_time_(checked.turn_time),
        refine_time_(checked.refine_time),
        is_printing_(members.rank() == rank(0)),
        shown_(is_printing_ && checked.form != format::text ? process.progress_descriptor : -1),
        most_count_(count_of(work_, checked.sizes.back(), members.size())),
        buffers_(work_, members.size(), members.rank(), most_count_) {
    check_root(work_, members.size());
  }

  /// The number of wrong elements.
  std::int64_t run(const checked_bench& checked) {
    (void)algorithms_for(most_count_);  // an unknown algorithm is told before the table begins
    const auto uses = transports_in_use(members_);
    std::unique_ptr<bench_table> table;
    if (is_printing_) table = std::make_unique<bench_table>(checked.form, setting_of(checked, uses));
    std::int64_t wrong = 0;
    for (const std::uint64_t size : checked.sizes) {
      const std::int64_t count = count_of(work_, size, members_.size());
      if (refine_time_.count() > 0) refine(count);
      if (turn_time_.count() > 0) {
        wrong += measure_in_turn(count, table.get());
        continue;
      }
      for (const schedule::candidate& each : algorithms_for(count)) {
        shown_.show("hawser bench: " + to_string(bytes{size}) + " " + each.algorithm);
        const bench_row row = measure_one(count, each);
        wrong += row.wrong.value_or(0);
        shown_.clear();
        if (table) table->add(row);
      }
    }
    if (table) table->finish();
    return wrong;
  }

 private:
  /// A call of this size makes its shape known.
  void refine(std::int64_t count) {
    shown_.show("hawser bench: " +
                to_string(bytes{static_cast<std::uint64_t>(bytes_of(work_, count, members_.size()))}) + " refining");
    buffers_.fill(count);
    members_.launch(buffers_.call_for(count, ""));
    members_.refine({.budget = refine_time_});
    shown_.clear();
  }

  bench_setting setting_of(const checked_bench& checked, const std::vector<transport_use>& uses) const {
    const schedule::plan plan = members_.plan_for(request_of(work_, most_count_));
    return {.work = work_,
            .ranks = members_.size(),
            .hierarchy = plan.hierarchy,
            .fingerprint = plan.fingerprint,
            .host = describe_host(),
            .launcher = options_.local > 0 ? "hawser" : checked.from.launcher_name,
            .transports = uses,
            .overrides = all_overrides(checked),
            .rewrites = options_.rewrites,
            .is_in_turn = turn_time_.count() > 0,
            .has_samples = options_.has_samples};
  }

  std::vector<std::string> all_overrides(const checked_bench& checked) const {
    std::vector<std::string> all = overrides(options_.job, checked.from);
    if (!options_.refine.empty())
      all.push_back("choices are measured before each size (--refine " + options_.refine + ")");
    return all;
  }

  /// The chosen one, the forced ones, or all that are possible.
  std::vector<schedule::candidate> algorithms_for(std::int64_t count) const {
    const bool wants_all = options_.algorithms == std::vector<std::string>{"all"};
    std::vector<std::string> names = options_.algorithms;
    if (names.empty() || wants_all) names = {""};
    std::vector<schedule::candidate> list;
    for (const std::string& name : names) {
      const schedule::plan plan = members_.plan_for(request_of(work_, count, name));
      for (const schedule::candidate& each : plan.candidates)
        if (wants_all ? each.is_possible() : each.algorithm == plan.algorithm) list.push_back(each);
      // A decision file or refinement may say another number of segments than the model.
      if (!wants_all && !list.empty()) list.back().segments = plan.segments;
    }
    return list;
  }

  /// The choice comes first, named or not: the others are held against it.
  std::vector<schedule::candidate> choice_and_rivals(std::int64_t count) const {
    const schedule::plan plan = members_.plan_for(request_of(work_, count));
    std::vector<schedule::candidate> list;
    for (const schedule::candidate& each : plan.candidates)
      if (each.algorithm == plan.algorithm) list = {each}, list.back().segments = plan.segments;
    for (const schedule::candidate& each : algorithms_for(count))
      if (each.algorithm != plan.algorithm) list.push_back(each);
    return list;
  }

  /// The number of wrong elements.
  std::int64_t measure_in_turn(std::int64_t count, bench_table* table) {
    const auto size = static_cast<std::uint64_t>(bytes_of(work_, count, members_.size()));
    shown_.show("hawser bench: " + to_string(bytes{size}) + " in turn");
    std::vector<bench_row> rows;
    for (const schedule::candidate& each : choice_and_rivals(count)) {
      rows.emplace_back().count = count;
      rows.back().algorithm = each.algorithm;
      rows.back().segments = each.segments;
      rows.back().predicted = each.predicted;
    }
    std::vector<contender> all;
    all.reserve(rows.size());
    for (bench_row& row : rows) all.push_back(contender_for(row));
    hawser::detail::turn_rules rules{.budget = turn_time_, .most_rounds = options_.iterations};
    if (options_.rewrites) rules.before = [&] { buffers_.rewrite(count); };
    const auto times = hawser::detail::measure_in_turns(members_, rules, all);
    shown_.clear();
    std::int64_t wrong = 0;
    std::vector<bench_row> left_out;
    rows.front().is_chosen = true;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      wrong += rows[i].wrong.value_or(0);
      if (times[i]) rows[i].time = *times[i];
      if (!times[i]) left_out.push_back(rows[i]);
      if (table && times[i]) table->add(rows[i]);
    }
    if (table) table->leave_out(left_out);
    return wrong;
  }

  hawser::detail::call call_for(const bench_row& row) const {
    hawser::detail::call made = buffers_.call_for(row.count, row.algorithm);
    made.options.segments = row.segments;
    return made;
  }

  contender contender_for(bench_row& row) {
    const std::int64_t count = row.count;
    contender made{.once = [this, call = call_for(row)] { members_.launch(call); }};
    made.prepare = [this, count] { buffers_.fill(count); };
    if (options_.checks)
      made.inspect = [this, count, &row] { row.wrong = sum_over_ranks(members_, buffers_.count_wrong(count)); };
    return made;
  }

  bench_row measure_one(std::int64_t count, const schedule::candidate& which) {
    bench_row row;
    row.count = count;
    row.algorithm = which.algorithm;
    row.segments = which.segments;
    const hawser::detail::call call = call_for(row);
    row.predicted = which.predicted;
    if (options_.checks) {
      buffers_.fill(count);
      members_.launch(call);
      row.wrong = sum_over_ranks(members_, buffers_.count_wrong(count));
    }
    buffers_.fill(count);
    hawser::detail::repetition how{.warmup = options_.warmup, .iterations = options_.iterations};
    if (options_.rewrites) how.before = [&] { buffers_.rewrite(count); };
    row.time = hawser::detail::measure(members_, how, [&] { members_.launch(call); });
    // With a new input before each, the last measured result is to be right as well, in place too.
    if (options_.checks && options_.rewrites) *row.wrong += sum_over_ranks(members_, buffers_.count_wrong(count));
    return row;
  }

  communicator& members_;
  const bench_options& options_;
  workload work_;
  seconds turn_time_;
  seconds refine_time_;
  bool is_printing_;
  progress shown_;
  std::int64_t most_count_;
  workspace buffers_;
};

int run(const bench_options& options, const context& process) {
  const checked_bench checked(options);
  if (options.local != 0 && !process.is_worker) {
    if (checked.from.has_ranks())
      fail(errc::invalid_argument, "--local is given, but " + checked.from.launcher_name + " has started this process",
           "either starts the ranks, not both", "leave out --local");
    check_root(checked.work, options.local);
    return run_local({options.local, process.arguments, checked.told.peer_timeout, {}, checked.told.has_tls});
  }
  communicator members(join_job(checked.from, checked.told), checked.told);
  benchmark measurements(members, options, checked, process);
  return measurements.run(checked) == 0 ? exit_success : exit_found_wrong;
}

}  // namespace

verb add_bench(CLI::App& program, const context& process) {
  auto options = std::make_shared<bench_options>();
  CLI::App* const app = program.add_subcommand("bench", "Measure a collective (under mpirun, torchrun, or --local N)");
  options->work.add_to(*app, true);
  app->add_option("--min", options->least,
                  "Smallest size, as nccl-tests counts it: the vector of all_reduce, reduce and broadcast; the blocks "
                  "of all ranks together of the others")
      ->capture_default_str()
      ->type_name("SIZE");
  app->add_option("--max", options->most, "Largest size")->capture_default_str()->type_name("SIZE");
  app->add_option("--factor", options->factor, "Each size is that many times the one before")
      ->capture_default_str()
      ->type_name("F");
  app->add_option("--algorithm", options->algorithms,
                  "Force one (docs/algorithms.md); repeatable; all: every possible one")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option(
         "--in-turn", options->in_turn,
         "At each size the choice and those of --algorithm take turns, one call each, for so long in all; what "
         "is hopeless is given up")
      ->type_name("TIME");
  app->add_option("--refine", options->refine,
                  "Before each size, let the communicator measure other algorithms and segments for so long, and keep "
                  "what is faster (docs/choosing.md)")
      ->type_name("TIME");
  app->add_option("--iters", options->iterations, "Iterations per size; default: as many as fill half a second")
      ->type_name("N");
  app->add_option("--warmup", options->warmup, "Iterations before that do not count")
      ->capture_default_str()
      ->type_name("N");
  app->add_flag("--check", options->checks, "Check the data in a pass of its own");
  app->add_flag("--rewrite", options->rewrites, "Write the input anew before each iteration, outside the time");
  app->add_flag("--samples", options->has_samples, "List the time of each iteration (JSON only)");
  app->add_option("--local", options->local, "Start N processes on this host")->type_name("N");
  options->job.add_to(*app);
  app->add_option("--format", options->form, "text, csv or json")->capture_default_str()->type_name("FORMAT");
  return {app, [options, process] { return run(*options, process); }};
}

}  // namespace hawser::cli
