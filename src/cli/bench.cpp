// hawser bench: measures a collective over a range of sizes, under any launcher or on local processes.
#include <cmath>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "bench_report.hpp"
#include "job.hpp"
#include "spawn.hpp"
#include "verbs.hpp"
#include "workspace.hpp"

namespace hawser::cli {
namespace {

struct bench_options {
  workload_options work;
  job_options job;
  std::string least = "1KiB";
  std::string most = "64MiB";
  double factor = 4;
  std::string algorithm;
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
        told(communicator_options_of(options.job, from)) {
    const std::uint64_t least = parse_bytes(options.least).value, most = parse_bytes(options.most).value;
    if (least > most)
      fail(errc::invalid_argument, "--min " + options.least + " is larger than --max " + options.most, {},
           "exchange them");
    if (!(options.factor > 1) || !std::isfinite(options.factor))
      fail(errc::invalid_argument, formatted("--factor %g is not possible", options.factor),
           "each size is that many times the one before", "use a number above 1");
    if (options.iterations < 0 || options.warmup < 0)
      fail(errc::invalid_argument, "a number of iterations is negative", {}, "use --iters and --warmup of at least 0");
    if (work.what == schedule::collective::barrier) {
      sizes = {0};
      return;
    }
    for (std::uint64_t size = least; size <= most; size = next(size, options.factor)) sizes.push_back(size);
  }

  static std::uint64_t next(std::uint64_t size, double factor) {
    return std::max(size + 1, static_cast<std::uint64_t>(std::llround(static_cast<double>(size) * factor)));
  }

  bootstrap::launch from;
  workload work;
  format form;
  communicator_options told;
  std::vector<std::uint64_t> sizes;
};

/// One rank's measurements.
class benchmark {
 public:
  benchmark(communicator& members, const bench_options& options, const checked_bench& checked, const context& process)
      : members_(members),
        options_(options),
        work_(checked.work),
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
  bench_setting setting_of(const checked_bench& checked, const std::vector<transport_use>& uses) const {
    const schedule::plan plan = members_.plan_for(request_of(work_, most_count_));
    return {.work = work_,
            .ranks = members_.size(),
            .hierarchy = plan.hierarchy,
            .fingerprint = plan.fingerprint,
            .host = describe_host(),
            .launcher = options_.local > 0 ? "hawser" : checked.from.launcher_name,
            .transports = uses,
            .overrides = overrides(options_.job, checked.from),
            .rewrites = options_.rewrites,
            .has_samples = options_.has_samples};
  }

  /// The chosen one, the forced one, or all that are possible.
  std::vector<schedule::candidate> algorithms_for(std::int64_t count) const {
    const bool wants_all = options_.algorithm == "all";
    const schedule::plan plan = members_.plan_for(request_of(work_, count, wants_all ? "" : options_.algorithm));
    std::vector<schedule::candidate> list;
    for (const schedule::candidate& each : plan.candidates)
      if (wants_all ? each.is_possible() : each.algorithm == plan.algorithm) list.push_back(each);
    return list;
  }

  bench_row measure_one(std::int64_t count, const schedule::candidate& which) {
    const hawser::detail::call call = buffers_.call_for(count, which.algorithm);
    bench_row row;
    row.count = count;
    row.algorithm = which.algorithm;
    row.predicted = which.predicted;
    if (options_.checks) {
      buffers_.fill(count);
      members_.launch(call);
      row.wrong = sum_over_ranks(members_, buffers_.count_wrong(count));
    }
    buffers_.fill(count);
    repetition how{.warmup = options_.warmup, .iterations = options_.iterations};
    if (options_.rewrites) how.before = [&] { buffers_.rewrite(count); };
    row.time = measure(members_, how, [&] { members_.launch(call); });
    // With a new input before each, the last measured result is to be right as well, in place too.
    if (options_.checks && options_.rewrites) *row.wrong += sum_over_ranks(members_, buffers_.count_wrong(count));
    return row;
  }

  communicator& members_;
  const bench_options& options_;
  workload work_;
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
    return run_local({options.local, process.arguments, checked.told.peer_timeout});
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
  app->add_option("--algorithm", options->algorithm, "Force one (docs/algorithms.md); all: every possible one")
      ->type_name("NAME");
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
