// See served_call.hpp: running a call. Its translation is in translate.cpp.
#include "served_call.hpp"

#include <sched.h>

#include <cstring>

#include "../communicator/run.hpp"
#include "process.hpp"

namespace hawser::mpi_profile {

namespace {

using clock = std::chrono::steady_clock;

/// A short collective is over before the MPI library needs to be asked.
constexpr std::chrono::microseconds first_patience{20};
/// Polls of both libraries before a rank lets its core go for longer.
constexpr int polls = 2'000;
/// Bound of a sleep in hawser: what MPI's messages may be late by then.
constexpr std::chrono::microseconds later_patience{500};

}  // namespace

void wait_in_mpi(detail::collective_run& run) {
  if (run.wait_for(first_patience)) return;
  for (int i = 0;; ++i) {
    process::self().drive_mpi();
    if (run.test()) return;
    if (i < polls)
      sched_yield();
    else if (run.wait_for(later_patience))
      return;
  }
}

void served_call::load() {
  if (loads_input_) input_.load();
  if (loads_output_) output_.load();
  if (loads_own_block_) output_.load_block(rank_);
}

void served_call::store() {
  if (stores_output_) output_.store();
  if (!own_block_.empty()) std::memcpy(asked_.receive.writable(), own_block_.data(), own_block_.size());
}

void served_call::run() {
  load();
  const detail::run_handle run = members_->runs().take(*members_, std::move(made_));
  run->start(detail::attendance::caller);
  wait_in_mpi(*run);
  store();
}

void served_call::keep_arguments() {
  input_.keep_arguments();
  output_.keep_arguments();
}

void served_call::plan(std::shared_ptr<detail::communicator_state> own) {
  keep_arguments();
  members_ = std::move(own);
  planned_ = std::make_shared<detail::collective_run>(*members_, made_);
  planned_->keep(members_);
}

void served_call::start() {
  keep_arguments();
  load();
  if (planned_) return planned_->start(detail::attendance::background);
  run_ = members_->runs().take(*members_, std::move(made_));
  run_->keep(members_);
  run_->start(detail::attendance::background);
}

bool served_call::test() {
  if (!(planned_ ? planned_->test() : run_->test())) return false;
  run_.reset();
  store();
  return true;
}

}  // namespace hawser::mpi_profile
