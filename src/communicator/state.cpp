// See state.hpp.
#include "state.hpp"

#include <exception>

#include "run.hpp"

namespace hawser::detail {

namespace {

/// Decisions remembered per communicator before they are forgotten all at once; a job has few message sizes.
constexpr std::size_t most_remembered = 4096;

}  // namespace

communicator_state::communicator_state(std::shared_ptr<job> owner)
    : owner_(std::move(owner)), self_(owner_->self()), planner_(agree_on_hierarchy(*owner_), owner_->options().host) {}

communicator_state::communicator_state(std::shared_ptr<job> owner, topology::hierarchy tree, std::vector<rank> members,
                                       rank self, std::uint16_t context)
    : owner_(std::move(owner)),
      members_(std::move(members)),
      self_(self),
      context_(context),
      planner_(std::move(tree), owner_->options().host) {}

communicator_state::~communicator_state() {
  if (context_ != 0) {
    owner_->free_contexts().set(context_);
    return;
  }
  // The last messages of a collective may still be on their way to slower ranks: leave together, within bounds.
  if (size() == 1 || std::uncaught_exceptions() > 0) return;
  try {
    call farewell{.what = schedule::collective::barrier, .type = data_type::uint8, .element_bytes = 1};
    collective_run barrier(*this, std::move(farewell));
    barrier.start();
    barrier.wait_until(std::chrono::steady_clock::now() + owner_->options().abort_timeout);
  } catch (const std::exception&) {  // the job has failed; whoever waited for it has been told
  }
}

std::shared_ptr<const schedule::plan> communicator_state::plan_for(const schedule::request& what) {
  const plan_key key(what.what, what.count, what.type, what.element_bytes, what.root.value, what.is_commutative,
                     what.has_ragged_blocks, what.are_counts_agreed, what.reproducibility, what.algorithm);
  if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
  auto made = std::make_shared<const schedule::plan>(planner_.make_plan(what));
  if (plans_.size() >= most_remembered) plans_.clear();
  return plans_.emplace(key, std::move(made)).first->second;
}

std::shared_ptr<const executor::compiled_program> communicator_state::program_for(const schedule::plan& made,
                                                                                  const schedule::request& what) {
  const program_key key(what.what, made.algorithm, what.root.value, what.in_place, what.has_ragged_blocks,
                        what.is_commutative);
  if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  schedule::schedule steps = algorithm::generate(planner_.tree(), what, made.algorithm, self_);
  for (schedule::step& each : steps.steps)
    if (each.peer.value >= 0) each.peer = in_job(each.peer);
  auto program = std::make_shared<const executor::compiled_program>(schedule::derive_dependences(std::move(steps)));
  if (programs_.size() >= most_remembered) programs_.clear();
  return programs_.emplace(key, std::move(program)).first->second;
}

}  // namespace hawser::detail
