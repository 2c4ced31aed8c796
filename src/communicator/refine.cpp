// communicator::refine: the shapes of calls that were made are measured with other algorithms and segments.
#include <hawser/communicator/communicator.hpp>

#include <algorithm>
#include <memory>
#include <utility>

#include <hawser/cost/estimate.hpp>
#include <hawser/planner/decisions.hpp>

#include "state.hpp"
#include "turns.hpp"

namespace hawser {
namespace {

using detail::call_shape;
using detail::communicator_state;

/// More and fewer segments of the current choice.
constexpr std::int64_t segment_factor = 4;

/// Memory for one shape's calls. What is reduced is zero, so that no sum overflows.
class scratch_buffers {
 public:
  explicit scratch_buffers(const detail::call& made)
      : input_(bytes_of(made.input_elements, made)), output_(bytes_of(made.output_elements, made)) {}

  void give_to(detail::call& made) {
    made.input = input_.data();
    made.output = made.what == schedule::collective::broadcast ? input_.data() : output_.data();
  }

 private:
  static std::size_t bytes_of(std::int64_t elements, const detail::call& made) {
    return static_cast<std::size_t>(elements) * made.element_bytes;
  }

  std::vector<std::byte> input_, output_;
};

/// Without the shape's own calls, those of measuring among them, adding to what is refined.
class pause {
 public:
  explicit pause(detail::call_shapes& shapes) : shapes_(shapes) { shapes_.pause(true); }
  pause(const pause&) = delete;
  pause& operator=(const pause&) = delete;
  ~pause() { shapes_.pause(false); }

 private:
  detail::call_shapes& shapes_;
};

void check(const refinement_options& options) {
  if (!(options.budget.count() > 0) || options.algorithms < 1 || !(options.worth >= 1))
    fail(errc::invalid_argument, "refine cannot measure with these options",
         "the budget must be above 0, the algorithms and the worth at least 1");
}

void add_digest(std::uint64_t& digest, std::uint64_t value) {
  digest = (digest ^ value) * 0x100000001b3ULL;
}

std::uint64_t digest_of(const std::vector<call_shape*>& shapes) {
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  for (const call_shape* each : shapes) {
    add_digest(digest, static_cast<std::uint64_t>(each->what.what));
    add_digest(digest, static_cast<std::uint64_t>(each->what.count));
    add_digest(digest, static_cast<std::uint64_t>(each->what.type));
    add_digest(digest, static_cast<std::uint64_t>(each->what.op));
    add_digest(digest, static_cast<std::uint64_t>(each->what.root.value));
  }
  return digest;
}

/// Ranks that have made other calls would measure other shapes, and wait for each other for ever.
void agree_on(communicator& members, const std::vector<call_shape*>& shapes) {
  const std::uint64_t own = digest_of(shapes);
  std::vector<std::uint64_t> least{own}, most{own};
  members.all_reduce(least, op::min);
  members.all_reduce(most, op::max);
  if (least[0] != most[0])
    fail(errc::mismatch, "the ranks cannot refine together", "they have made different calls on this communicator",
         "make the same calls, of the same sizes, on all ranks");
}

std::vector<refinement::choice> choices_for(const schedule::plan& plan, const schedule::request& what, int algorithms) {
  std::vector<refinement::choice> all{{plan.algorithm, plan.segments, {}}};
  for (const schedule::candidate& each : plan.candidates) {
    if (static_cast<int>(all.size()) >= algorithms) break;
    if (each.is_possible() && each.algorithm != plan.algorithm) all.push_back({each.algorithm, each.segments, {}});
  }
  const std::int64_t most =
      what.what == schedule::collective::barrier ? 1 : what.block_bytes() / cost::smallest_segment_bytes;
  for (const std::int64_t segments : {plan.segments * segment_factor, plan.segments / segment_factor})
    if (segments >= 1 && segments <= std::min(most, cost::most_segments)) all.push_back({plan.algorithm, segments, {}});
  return all;
}

/// The fastest, where it is worth a change, else the first.
const refinement::choice& best_of(const std::vector<refinement::choice>& measured, double worth) {
  const auto fastest =
      std::min_element(measured.begin(), measured.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return fastest->time * worth <= measured.front().time ? *fastest : measured.front();
}

refinement refine_shape(communicator& members, const call_shape& shape, const refinement_options& options,
                        seconds budget) {
  communicator_state& state = *members.state();
  const schedule::plan plan = *state.plan_for(shape.what);
  std::vector<refinement::choice> choices = choices_for(plan, shape.what, options.algorithms);
  scratch_buffers buffers(shape.made);
  std::vector<detail::contender> all;
  for (const refinement::choice& each : choices) {
    detail::call made = shape.made;
    made.options.algorithm = each.algorithm;
    made.options.segments = each.segments;
    buffers.give_to(made);
    all.push_back({.once = [&members, made] { members.launch(made); }});
  }
  const auto times = detail::measure_in_turns(members, {.budget = budget}, all);
  std::vector<refinement::choice> measured;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (!times[i]) continue;
    choices[i].time = times[i]->median;
    measured.push_back(choices[i]);
  }
  refinement found{shape.what, measured.front(), best_of(measured, options.worth)};
  if (found.has_changed()) state.adopt(found);
  return found;
}

}  // namespace

std::vector<refinement> communicator::refine(const refinement_options& options) {
  check(options);
  const pause while_measuring(state_->shapes());
  std::vector<call_shape*> shapes;
  for (call_shape& each : state_->shapes().all())
    if ((options.again || !each.is_refined) && planner::bytes_of(each.what, size()) <= options.most_bytes)
      shapes.push_back(&each);
  agree_on(*this, shapes);
  std::vector<refinement> found;
  for (call_shape* each : shapes) {
    found.push_back(refine_shape(*this, *each, options, options.budget / static_cast<double>(shapes.size())));
    each->is_refined = true;
  }
  return found;
}

}  // namespace hawser
