// See communicator.hpp.
#include <hawser/communicator/communicator.hpp>

#include <algorithm>
#include <bitset>
#include <exception>

#include <hawser/topology/select.hpp>

#include "message.hpp"
#include "run.hpp"
#include "state.hpp"

namespace hawser {

namespace {

std::shared_ptr<detail::collective_run> make_run(const std::shared_ptr<detail::communicator_state>& state,
                                                 detail::call made) {
  auto run = std::make_shared<detail::collective_run>(*state, std::move(made));
  run->keep(state);
  return run;
}

}  // namespace

pending::~pending() {
  // Runs and messages wait in their own destructors.
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
  run_->start();
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
  auto run = make_run(state_, std::move(made));
  run->start();
  return pending(std::move(run));
}

persistent persistent_forms::launch(detail::call made) {
  return hawser::persistent(make_run(state_, std::move(made)));
}

communicator::communicator(std::unique_ptr<bootstrap::bootstrap> job, communicator_options options)
    : state_(std::make_shared<detail::communicator_state>(
          std::make_shared<detail::job>(std::move(job), std::move(options)))) {}

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
  detail::collective_run run(*state_, std::move(made));
  run.start();
  run.wait();
}

void communicator::abort(std::string_view reason) {
  state_->owner().abort(reason);
}

pending communicator::post_send(std::span<const std::byte> data, hawser::rank to, std::uint16_t label) {
  auto message = std::make_shared<detail::message_run>(state_, to, label);
  message->send(data);
  return pending(std::move(message));
}

pending communicator::post_receive(std::span<std::byte> data, hawser::rank from, std::uint16_t label) {
  auto message = std::make_shared<detail::message_run>(state_, from, label);
  message->receive(data);
  return pending(std::move(message));
}

namespace {

/// What every rank tells the others when a communicator is split.
struct split_entry {
  std::int64_t color;
  std::int64_t key;
  std::uint64_t free_contexts[detail::most_contexts / 64];
};

using context_set = std::bitset<detail::most_contexts>;

context_set common_contexts(const std::vector<split_entry>& entries) {
  context_set common;
  common.set();
  for (const split_entry& each : entries)
    for (std::size_t i = 0; i < detail::most_contexts; ++i)
      if ((each.free_contexts[i / 64] >> (i % 64) & 1) == 0) common.reset(i);
  return common;
}

}  // namespace

std::unique_ptr<communicator> communicator::split(int color, int key) {
  detail::job& owner = state_->owner();
  split_entry mine{color, key, {}};
  for (std::size_t i = 0; i < detail::most_contexts; ++i)
    if (owner.free_contexts()[i]) mine.free_contexts[i / 64] |= std::uint64_t{1} << (i % 64);
  std::vector<split_entry> entries(static_cast<std::size_t>(size()));
  constexpr std::size_t words = sizeof(split_entry) / sizeof(std::int64_t);
  all_gather(std::span(reinterpret_cast<const std::int64_t*>(&mine), words),
             std::span(reinterpret_cast<std::int64_t*>(entries.data()), words * entries.size()));

  // The lowest number that is free on all ranks, as MPICH does it; disjoint colors may share it.
  const context_set common = common_contexts(entries);
  std::size_t context = 0;
  while (context < detail::most_contexts && !common[context]) ++context;
  if (context == detail::most_contexts)
    fail(errc::resource, "no more communicators can be made",
         std::to_string(detail::most_contexts) + " are alive on some rank", "destroy those that are not needed");
  if (color < 0) return nullptr;

  std::vector<int> members;
  for (int r = 0; r < size(); ++r)
    if (entries[static_cast<std::size_t>(r)].color == color) members.push_back(r);
  std::stable_sort(members.begin(), members.end(), [&](int a, int b) {
    return entries[static_cast<std::size_t>(a)].key < entries[static_cast<std::size_t>(b)].key;
  });
  std::vector<std::int64_t> positions;
  std::vector<hawser::rank> in_job;
  int self = 0;
  for (std::size_t r = 0; r < members.size(); ++r) {
    positions.push_back(hierarchy().position_of(members[r]));
    in_job.push_back(state_->in_job(members[r]));
    if (members[r] == rank().value) self = static_cast<int>(r);
  }
  owner.free_contexts().reset(context);
  return std::make_unique<communicator>(std::make_shared<detail::communicator_state>(
      state_->shared_owner(), topology::select_positions(hierarchy(), positions), std::move(in_job), hawser::rank(self),
      static_cast<std::uint16_t>(context)));
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
