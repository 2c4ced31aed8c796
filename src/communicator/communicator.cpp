// See communicator.hpp.
#include <hawser/communicator/communicator.hpp>

#include <exception>

#include "message.hpp"
#include "run.hpp"
#include "state.hpp"

namespace hawser {

pending::~pending() {
  // Runs and messages end themselves in their destructors.
}

pending& pending::operator=(pending&& other) noexcept = default;

bool pending::test() {
  if (run_) return run_->test();
  return !message_ || message_->test();
}

void pending::wait() {
  if (run_) run_->wait();
  if (message_) message_->wait();
}

void persistent::start() {
  run_->start(detail::attendance::background);
}
bool persistent::test() {
  return run_->test();
}
void persistent::wait() {
  run_->wait();
}
const schedule::plan& persistent::plan() const {
  return run_->plan();
}

pending asynchronous::launch(detail::call made) {
  detail::run_handle run = state_->runs().take(*state_, std::move(made));
  run->keep(state_);
  run->start(is_waited_for_ ? detail::attendance::caller : detail::attendance::background);
  return pending(std::move(run));
}

persistent persistent_forms::launch(detail::call made) {
  auto run = std::make_shared<detail::collective_run>(*state_, std::move(made));
  run->keep(state_);
  return hawser::persistent(std::move(run));
}

communicator::communicator(std::unique_ptr<bootstrap::bootstrap> job, communicator_options options)
    : state_(detail::make_world(std::make_shared<detail::job>(std::move(job), std::move(options)))) {}

hawser::rank communicator::rank() const noexcept {
  return state_->self();
}
int communicator::size() const noexcept {
  return state_->size();
}
const topology::hierarchy& communicator::hierarchy() const noexcept {
  return state_->planner().tree();
}

const discovery_report& communicator::discovered() const noexcept {
  return state_->owner().report();
}

std::string_view communicator::transport_to(hawser::rank peer) const {
  return state_->owner().engine().routes().name_for(state_->in_job(peer));
}

schedule::plan communicator::plan_for(const schedule::request& what) const {
  return *state_->plan_for(what);
}

void communicator::launch(detail::call made) {
  const detail::run_handle run = state_->runs().take(*state_, std::move(made));
  run->start(detail::attendance::caller);
  run->wait();
}

std::optional<failure_report> communicator::failure() const {
  const auto known = state_->owner().failed();
  if (!known) return std::nullopt;
  failure_report report{known->code, std::nullopt, known->kind, known->what};
  if (known->peer.value >= 0) report.peer = known->peer;
  return report;
}

void communicator::abort(std::string_view reason) {
  state_->owner().abort(reason);
}

std::vector<transport::injected_fault> communicator::injected_faults() const {
  return state_->owner().injected().injected();
}

pending communicator::post_send(std::span<const std::byte> data, hawser::rank to, std::uint16_t label,
                                detail::attendance driven_by) {
  auto message = std::make_shared<detail::message_run>(state_, to, label);
  message->send(data, driven_by);
  return pending(std::move(message));
}

pending communicator::post_receive(std::span<std::byte> data, hawser::rank from, std::uint16_t label,
                                   detail::attendance driven_by) {
  auto message = std::make_shared<detail::message_run>(state_, from, label);
  message->receive(data, driven_by);
  return pending(std::move(message));
}

void group::wait() {
  std::exception_ptr first;
  for (pending& each : started_) {
    try {
      each.wait();
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  started_.clear();
  if (first) std::rethrow_exception(first);
}

}  // namespace hawser
