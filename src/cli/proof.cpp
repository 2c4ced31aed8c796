// See proof.hpp.
#include "proof.hpp"

#include <charconv>
#include <chrono>

#include <hawser/algorithm/canonical.hpp>
#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/planner/planner.hpp>
#include <hawser/schedule/verify_sampled.hpp>
#include <hawser/schedule/verify_stages.hpp>

#include "describe.hpp"

namespace hawser::cli {

using schedule::collective;
using schedule::request;

namespace {

constexpr std::int64_t most_ranks_for_all_roots = 32;
constexpr std::size_t most_violations = 4;
constexpr std::int64_t generated_programs = 1024;  // per sampled call

constexpr bool has_ragged_form(collective what) {
  return what == collective::reduce_scatter || what == collective::all_gather || what == collective::scatter ||
         what == collective::gather || what == collective::all_to_all_v;
}

std::string describe_variant(const request& call) {
  std::string text;
  const auto add = [&](bool is_there, const std::string& part) {
    if (is_there) text += (text.empty() ? "" : ", ") + part;
  };
  add(schedule::has_root(call.what), "root " + to_string(call.root));
  add(call.in_place, "in place");
  add(call.has_ragged_blocks, "ragged blocks");
  add(!call.is_commutative, "in rank order");
  add(call.needs_canonical_sums(), "canonical");
  return text;
}

}  // namespace

void check_algorithm(const topology::hierarchy& tree, collective what, const std::string& algorithm) {
  request call;
  call.what = what;
  // One rank alone copies, whatever the name says; a second one makes the name count.
  static const topology::hierarchy pair({{"gpu", topology::child_counts::uniform(1, 2), {}}});
  const bool is_flat_alone = tree.size() == 1 && !algorithm::parse_name(algorithm).is_hierarchical;
  (void)algorithm::generate(is_flat_alone ? pair : tree, call, algorithm, 0);
}

void proof_scope::set_roots(const std::string& text, std::int64_t ranks) {
  std::int64_t stride = 1;
  if (!text.empty() && text != "all") {
    std::int32_t root = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), root);
    if (status != std::errc{} || end != text.data() + text.size())
      fail(errc::parse, "cannot read the root \"" + text + "\"", "it is no whole number", "use all, or a rank");
    if (root < 0 || root >= ranks)
      fail(errc::invalid_argument, "the root " + text + " is not a rank",
           "there are " + std::to_string(ranks) + " ranks", "choose one from 0 to " + std::to_string(ranks - 1));
    roots = {root};
    return;
  }
  if (text.empty() && ranks > most_ranks_for_all_roots) stride = (ranks + 2) / 3;
  for (std::int64_t r = 0; r < ranks; r += stride) roots.emplace_back(static_cast<std::int32_t>(r));
  if (roots.back() != rank(static_cast<std::int32_t>(ranks - 1)))
    roots.emplace_back(static_cast<std::int32_t>(ranks - 1));
}

std::string proof_scope::describe(std::int64_t ranks) const {
  if (is_sampled)
    return "too many ranks for the exact verifier: sampled ranks, messages and points of the output (seed " +
           std::to_string(seed) + "), which is evidence and not proof; algorithms of more than " +
           std::to_string(planner::most_steps) + " steps left out";
  std::string text = only_in_place ? "in place" : "in place and not";
  text += ", equal and ragged blocks, ";
  if (static_cast<std::int64_t>(roots.size()) == ranks) return text + "every root";
  text += "roots";
  for (const rank each : roots) text += " " + to_string(each);
  return text;
}

std::string proof::name() const {
  return std::string(to_string(what_)) + " " + algorithm_;
}

void proof::check(const topology::hierarchy& tree, const request& call, const proof_scope& scope) {
  if (!is_proven()) return;
  ++variants_;
  if (scope.is_sampled) return sample(tree, call, scope);
  const auto program_of = [&](rank r) {
    return schedule::derive_dependences(algorithm::generate(tree, call, algorithm_, r));
  };
  const std::int64_t switches = topology::reducing_switches(tree).count();
  const auto found = schedule::verify(call, tree.size(), program_of,
                                      {.check_order = !call.is_commutative,
                                       .check_canonical = call.needs_canonical_sums(),
                                       .switches = switches,
                                       .max_violations = most_violations});
  for (const schedule::violation& each : found) violations_.push_back(to_string(each));
  if (found.empty())
    if (const auto in_stages = schedule::verify_stages(tree.size() + switches, program_of))
      violations_.push_back("in stages, as streams run it: " + to_string(*in_stages));
  if (!violations_.empty()) variant_ = describe_variant(call);
}

void proof::sample(const topology::hierarchy& tree, const request& call, const proof_scope& scope) {
  schedule::sample_options options;
  options.seed = scope.seed;
  options.switches = topology::reducing_switches(tree).count();
  options.generated_programs = generated_programs;
  options.max_violations = most_violations;
  const schedule::sample_report report = schedule::verify_sampled(
      call, tree.size(),
      [&](rank r) { return schedule::derive_dependences(algorithm::generate(tree, call, algorithm_, r)); }, options);
  sampled_ranks_ += report.checked_ranks;
  sampled_messages_ += report.matched_messages;
  traced_points_ += report.traced_points;
  unfinished_traces_ += report.unfinished_traces;
  for (const schedule::violation& each : report.found) violations_.push_back(to_string(each));
  if (!report.found.empty()) variant_ = describe_variant(call);
}

void proof::check_variants(const topology::hierarchy& tree, const proof_scope& scope) {
  request call;
  call.what = what_;
  if (scope.is_sampled) {
    call.root = scope.roots.front();
    call.in_place = scope.only_in_place;
    call.has_ragged_blocks = what_ == collective::all_to_all_v;
    return check(tree, call, scope);
  }
  // Where ranks are in order, the schedule is the same whether the operator commutes or not: the stricter check covers
  // both.
  const bool keeps_order = reduces(what_) && algorithm::keeps_order(tree, what_, algorithm_);
  for (const rank root : has_root(what_) ? scope.roots : std::vector<rank>{0})
    for (const bool in_place : {false, true})
      for (const bool is_ragged : {false, true}) {
        if (scope.only_in_place && !in_place) continue;
        if (what_ == collective::all_to_all_v ? !is_ragged : is_ragged && !has_ragged_form(what_)) continue;
        call.root = root;
        call.in_place = in_place;
        call.has_ragged_blocks = is_ragged;
        call.is_commutative = !keeps_order;
        call.reproducibility = schedule::mode::fast;
        if (reduces(what_) && algorithm::sums_canonically(tree, call, algorithm_))
          call.reproducibility = schedule::mode::canonical;
        check(tree, call, scope);
        if (!keeps_order || tree.is_in_rank_order()) continue;
        call.is_commutative = true;
        call.reproducibility = schedule::mode::fast;
        check(tree, call, scope);
      }
}

void proof::prove(const topology::hierarchy& tree, const proof_scope& scope) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    check_variants(tree, scope);
  } catch (const error& problem) {
    skipped_ = problem.what();
  }
  seconds_ = seconds(std::chrono::steady_clock::now() - begin).count();
}

std::string proof::describe() const {
  std::string text = formatted("%-14s %-44s ", std::string(to_string(what_)).c_str(), algorithm_.c_str());
  if (!skipped_.empty()) return text + "not verified: " + skipped_ + "\n";
  if (violations_.empty() && sampled_ranks_ > 0)
    return text + formatted("ok          sampled: %lld ranks, %lld messages, %lld of %lld points traced, %.2f s\n",
                            static_cast<long long>(sampled_ranks_), static_cast<long long>(sampled_messages_),
                            static_cast<long long>(traced_points_),
                            static_cast<long long>(traced_points_) + static_cast<long long>(unfinished_traces_),
                            seconds_);
  if (violations_.empty())
    return text + formatted("ok          %lld calls, %.2f s\n", static_cast<long long>(variants_), seconds_);
  text += "violations" + (variant_.empty() ? "" : " (" + variant_ + ")") + "\n";
  for (const std::string& each : violations_) text += "    " + each + "\n";
  return text;
}

nlohmann::ordered_json proof::to_json() const {
  nlohmann::ordered_json out{{"collective", to_string(what_)}, {"algorithm", algorithm_}, {"ok", is_proven()}};
  out["calls"] = variants_;
  out["seconds"] = seconds_;
  out["variant"] = variant_.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(variant_);
  out["sampled"] = nullptr;
  if (sampled_ranks_ > 0)
    out["sampled"] = {{"ranks", sampled_ranks_},
                      {"messages", sampled_messages_},
                      {"traced_points", traced_points_},
                      {"unfinished_traces", unfinished_traces_}};
  out["violations"] = violations_;
  out["not_verified"] = skipped_.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(skipped_);
  return out;
}

}  // namespace hawser::cli
