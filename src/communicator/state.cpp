// See state.hpp.
#include "state.hpp"

#include <exception>

#include "run.hpp"

namespace hawser::detail {

namespace {

/// Decisions remembered per communicator before they are forgotten all at once; a job has few message sizes.
constexpr std::size_t most_remembered = 4096;

/// How many of the innermost levels join ranks of one host.
int levels_inside_hosts(const job& owner, const topology::hierarchy& tree, const std::vector<rank>& members) {
  for (int d = tree.depth() - 1; d >= 0; --d) {
    std::map<std::int64_t, int> host_of;
    for (std::int64_t p = 0; p < tree.size(); ++p) {
      const rank member = tree.rank_at(p);
      const rank in_job = members.empty() ? member : members[static_cast<std::size_t>(member.value)];
      const int host = owner.host_numbers()[static_cast<std::size_t>(in_job.value)];
      const auto [known, is_new] = host_of.try_emplace(d == 0 ? 0 : tree.unit_of(p, d - 1), host);
      if (!is_new && known->second != host) return tree.depth() - 1 - d;
    }
  }
  return tree.depth();
}

/// What a message costs by what carries it, where nobody has measured or said it.
void add_message_work(const job& owner, const topology::hierarchy& tree, cost::parameters& figures) {
  if (figures.source != topology::provenance::assumed || !figures.message_work_by_level.empty()) return;
  if (figures.per_message != cost::parameters{}.per_message) return;  // the caller's own
  for (int d = 0; d < tree.depth(); ++d) {
    const bool is_inside = d >= tree.depth() - figures.memory_levels;
    const auto name = is_inside ? owner.transport_inside_hosts() : owner.transport_between_hosts();
    if (auto known = cost::default_message_work(tree.at(d).name, name))
      figures.message_work_by_level.push_back(std::move(*known));
  }
}

cost::parameters figures_for(const job& owner, const topology::hierarchy& tree, const std::vector<rank>& members) {
  cost::parameters figures = owner.options().host;
  figures.memory_levels = levels_inside_hosts(owner, tree, members);
  figures.ranks_per_core = owner.ranks_per_core(members);
  add_message_work(owner, tree, figures);
  return figures;
}

}  // namespace

communicator_state::communicator_state(const std::shared_ptr<job>& owner)
    : communicator_state(owner, agree_on_machine(*owner)) {}

communicator_state::communicator_state(std::shared_ptr<job> owner, planned_machine machine)
    : owner_(std::move(owner)),
      self_(owner_->self()),
      planner_(machine.tree, figures_for(*owner_, machine.tree, {})),
      links_(std::move(machine.links)),
      calls_(owner_->place().scope().empty() ? "world" : owner_->place().scope()) {
  planner_.know(links_);
  std::vector<std::int32_t> ranks;  // empty where all processes are ranks
  for (int r = 0; owner_->ranks() < owner_->size() && r < owner_->ranks(); ++r) ranks.push_back(r);
  recorded_number_ = owner_->recorder().add_communicator(calls_.communicator(), std::move(ranks));
  std::vector<bool> served = owner_->served_levels();
  served.resize(static_cast<std::size_t>(planner_.tree().depth()), false);  // racks may have been inferred since
  planner_.set_served(std::move(served));
  if (self_ == rank(0) && !owner_->aggregated_levels().empty())
    switches_ = std::make_shared<switch_announcer>(owner_->engine());
}

communicator_state::communicator_state(std::shared_ptr<job> owner, const topology::hierarchy& tree,
                                       std::vector<rank> members, rank self, std::uint16_t context, std::string name)
    : owner_(std::move(owner)),
      members_(std::move(members)),
      self_(self),
      context_(context),
      planner_(tree, figures_for(*owner_, tree, members_)),
      calls_(std::move(name)) {
  std::vector<std::int32_t> numbers;
  for (rank each : members_) numbers.push_back(each.value);
  recorded_number_ = owner_->recorder().add_communicator(calls_.communicator(), std::move(numbers));
  // Aggregators know the ranks of the whole job only.
  planner_.set_served(std::vector<bool>(static_cast<std::size_t>(tree.depth()), false));
}

communicator_state::~communicator_state() {
  owner_->recorder().remove_communicator(recorded_number_);
  if (context_ != 0) {
    owner_->contexts().release(context_);
    return;
  }
  // The last messages of a collective may still be on their way to slower ranks: leave together, within bounds.
  if (switches_) owner_->keep_until_shutdown(switches_);
  if (is_retired_ || size() == 1 || std::uncaught_exceptions() > 0) return;
  try {
    call farewell{.what = schedule::collective::barrier, .type = data_type::uint8, .element_bytes = 1};
    auto barrier = std::make_shared<collective_run>(*this, std::move(farewell));
    barrier->start(attendance::caller);
    if (barrier->wait_until(std::chrono::steady_clock::now() + owner_->options().abort_timeout)) {
      dismiss_switches();
      return;
    }
    // The others may come later than this rank can wait; or they wait in a call that this rank has made differently.
    if (const auto differing = calls_.compare(owner_->door())) owner_->fail(different_calls(*differing));
    barrier->abandon();
    owner_->keep_until_shutdown(std::move(barrier));
  } catch (const std::exception&) {  // the job has failed; whoever waited for it has been told
  }
}

/// The aggregators' work is over.
void communicator_state::dismiss_switches() {
  if (!switches_) return;
  for (int participant = owner_->ranks(); participant < owner_->size(); ++participant)
    switches_->tell(participant, {.is_end = true});
  switches_->flush(owner_->options().abort_timeout);
}

void communicator_state::tell_switches(const schedule::plan& made, const schedule::request& what, switch_call call) {
  const topology::hierarchy& tree = planner_.tree();
  if (!algorithm::needs_switch(made.algorithm)) return;
  call.what.what = what.what;
  call.what.count = what.count;
  call.what.element_bytes = what.element_bytes;
  call.what.is_commutative = !what.needs_order();
  call.what.root = what.root;
  call.what.algorithm = made.algorithm;
  call.window = made.window;
  const topology::reducing_switches all(tree);
  for (std::int64_t i = 0; i < all.count(); ++i) {
    const rank participant(static_cast<std::int32_t>(tree.size() + i));
    if (algorithm::uses_switches(tree, made.algorithm, all.place_of(participant).level))
      switches_->tell(in_job(participant), call);
  }
}

std::uint16_t communicator_state::take_order_number() {
  std::atomic<bool>& is_over = under_way_->is_over(order_number_);
  if (!is_over.load(std::memory_order_acquire)) {
    const milliseconds timeout = owner_->options().operation_timeout;
    if (!owner_->engine().wait_for(is_over, std::chrono::steady_clock::now() + timeout)) {
      const std::string problem = std::to_string(order_window::size) + " collectives are under way on one communicator";
      owner_->fail({errc::timeout, rank(-1), describe("timed out", problem)});
      fail(errc::timeout, problem,
           "the oldest did not complete within " + std::to_string(timeout.count()) + " ms, so no other can start",
           "wait for earlier calls before starting more");
    }
    owner_->check();
  }
  is_over.store(false, std::memory_order_relaxed);
  return order_number_++;
}

communicator_state::plan_key communicator_state::key_of(const schedule::request& what) {
  return {what.what,
          what.count,
          what.type,
          what.element_bytes,
          what.op,
          what.root.value,
          what.is_commutative,
          what.has_ragged_blocks,
          what.are_counts_agreed,
          what.reproducibility,
          what.algorithm};
}

void communicator_state::adopt(const refinement& found) {
  auto made = std::make_shared<schedule::plan>(*plan_for(found.what));
  made->algorithm = found.after.algorithm;
  made->segments = found.after.segments;
  made->chosen_by = "refinement (measured " + to_string(found.after.time) + ", " + found.before.algorithm + " in " +
                    std::to_string(found.before.segments) + " segments " + to_string(found.before.time) + ")";
  for (const schedule::candidate& each : made->candidates)
    if (each.algorithm == made->algorithm) made->predicted = each.predicted;
  refined_[key_of(found.what)] = std::move(made);
  runs_.outdate();
}

std::shared_ptr<const schedule::plan> communicator_state::plan_for(const schedule::request& what) {
  const plan_key key = key_of(what);
  if (const auto found = refined_.find(key); found != refined_.end()) return found->second;
  if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
  auto made = std::make_shared<const schedule::plan>(planner_.make_plan(what));
  if (plans_.size() >= most_remembered) plans_.clear();
  return plans_.emplace(key, std::move(made)).first->second;
}

std::shared_ptr<const executor::compiled_program> communicator_state::program_for(const schedule::plan& made,
                                                                                  const schedule::request& what) {
  const program_key key(what.what, made.algorithm, what.root.value, what.in_place, what.has_ragged_blocks,
                        what.needs_order());
  if (const auto found = programs_.find(key); found != programs_.end()) return found->second;
  schedule::schedule steps = algorithm::generate_planned(planner_.tree(), what, made.algorithm, made.prepared, self_);
  for (schedule::step& each : steps.steps)
    if (each.peer.value >= 0) each.peer = in_job(each.peer);
  auto program = std::make_shared<const executor::compiled_program>(schedule::derive_dependences(std::move(steps)));
  if (programs_.size() >= most_remembered) programs_.clear();
  return programs_.emplace(key, std::move(program)).first->second;
}

}  // namespace hawser::detail
