// See workload.hpp.
#include "workload.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include <hawser/core/units.hpp>

namespace hawser::cli {

using schedule::collective;

namespace {

std::int64_t blocks_of(collective what, std::int64_t ranks) {
  return std::max(schedule::input_blocks(what, ranks), schedule::output_blocks(what, ranks));
}

}  // namespace

void workload_options::add_to(CLI::App& app, bool has_in_place, bool has_name) {
  std::string names;
  for (const schedule::collective each : schedule::all_collectives)
    names.append(names.empty() ? "" : ", ").append(to_string(each));
  if (has_name) app.add_option("collective", collective, "One of " + names)->required()->type_name("COLLECTIVE");
  app.add_option("--type", type, "Element type: float32, bfloat16, int64, ... (docs/types.md)")
      ->capture_default_str()
      ->type_name("TYPE");
  app.add_option("--op", op, "Operator of a reduction: sum, prod, min, max, avg, ... (docs/types.md)")
      ->capture_default_str()
      ->type_name("OP");
  app.add_option("--mode", mode,
                 "How reproducible a reduction is: fast, run_to_run, canonical or order_invariant (docs/modes.md)")
      ->capture_default_str()
      ->type_name("MODE");
  app.add_option("--root", root, "Root of broadcast, reduce, gather and scatter")
      ->capture_default_str()
      ->type_name("RANK");
  if (has_in_place) app.add_flag("--in-place", in_place, "Output and input share memory");
  if (has_in_place)
    app.add_flag("--host-memory", in_host_memory, "Buffers that the other ranks of the host read directly");
}

workload parse(const workload_options& options) {
  workload work;
  work.what = schedule::parse_collective(options.collective);
  work.type = parse_data_type(options.type);
  work.op = parse_reduce_kind(options.op);
  work.mode = schedule::parse_mode(options.mode);
  work.root = options.root;
  work.in_place = options.in_place;
  work.in_host_memory = options.in_host_memory;
  if (options.root < 0)
    fail(errc::invalid_argument, "the root " + std::to_string(options.root) + " is not a rank", "ranks begin at 0");
  if (!schedule::reduces(work.what)) return work;
  if (const auto reason = legality(work.type, work.op))
    fail(errc::unsupported, "the operator " + options.op + " is not defined on " + options.type, *reason,
         "see docs/types.md");
  return work;
}

void check_root(const workload& work, std::int64_t ranks) {
  if (schedule::has_root(work.what) && work.root.value >= ranks)
    fail(errc::invalid_argument, "the root " + to_string(work.root) + " is not a rank",
         "there are " + std::to_string(ranks) + " ranks", "choose one from 0 to " + std::to_string(ranks - 1));
}

std::int64_t count_of(const workload& work, std::uint64_t bytes, std::int64_t ranks) {
  if (work.what == collective::barrier) return 0;
  return static_cast<std::int64_t>(bytes / size_of(work.type) /
                                   static_cast<std::uint64_t>(blocks_of(work.what, ranks)));
}

std::int64_t checked_count_of(const workload& work, std::uint64_t bytes, std::int64_t ranks) {
  const std::int64_t count = count_of(work, bytes, ranks);
  if (count > 0 || bytes == 0 || work.what == collective::barrier) return count;
  const std::int64_t blocks = blocks_of(work.what, ranks);
  fail(errc::invalid_argument,
       to_string(hawser::bytes{bytes}) + " are too few for " + std::string(to_string(work.what)),
       blocks == 1 ? "they hold no element of " + std::string(to_string(work.type))
                   : "they hold no element of " + std::string(to_string(work.type)) + " for each of " +
                         std::to_string(ranks) + " ranks",
       "use at least " + to_string(hawser::bytes{static_cast<std::uint64_t>(bytes_of(work, 1, ranks))}));
}

std::int64_t bytes_of(const workload& work, std::int64_t count, std::int64_t ranks) {
  return count * static_cast<std::int64_t>(size_of(work.type)) * blocks_of(work.what, ranks);
}

schedule::request request_of(const workload& work, std::int64_t count, const std::string& algorithm) {
  schedule::request what;
  what.what = work.what;
  what.count = count;
  what.type = schedule::reduces(work.what) ? accumulation_type(work.type) : work.type;
  if (work.what == collective::barrier) what.type = data_type::uint8;
  what.element_bytes = size_of(what.type);
  what.op = work.op;
  what.reproducibility = work.mode;
  if (what.needs_integer_sums()) {
    what.type = work.type;
    what.element_bytes = schedule::integer_sum_bytes;
  }
  what.root = schedule::has_root(work.what) ? work.root : rank(0);
  what.in_place = work.in_place || work.what == collective::broadcast;
  what.has_ragged_blocks = work.what == collective::all_to_all_v;
  what.are_counts_agreed = work.what != collective::all_to_all_v;
  what.algorithm = algorithm;
  return what;
}

std::int64_t ragged_count(std::int64_t mean, rank from, rank to) {
  return mean + (mean / 4) * ((from.value + to.value) % 3 - 1);
}

double bus_factor(collective what, std::int64_t ranks) {
  const double n = static_cast<double>(ranks);
  switch (what) {
    case collective::all_reduce: return 2 * (n - 1) / n;
    case collective::reduce_scatter:
    case collective::all_gather:
    case collective::all_to_all:
    case collective::all_to_all_v:
    case collective::gather:
    case collective::scatter: return (n - 1) / n;
    default: return 1;
  }
}

}  // namespace hawser::cli
