// communicator::grow and join: processes that come later, or come back, become ranks behind those that are there.
#include <hawser/communicator/communicator.hpp>

#include <hawser/core/units.hpp>

#include "state.hpp"
#include "successor.hpp"

namespace hawser {
namespace {

using bootstrap::agreement;
using bootstrap::standing;
using detail::communicator_state;

/// What all ranks of a grown job use alike, whatever each has measured or been told before.
communicator_options options_for_grown(const communicator_options& before) {
  communicator_options told = detail::options_for_successor(before);
  told.host = {};
  told.tuning.clear();
  told.infer_racks = false;
  return told;
}

void check(const agreement& made, int newcomers, const recovery_options& options) {
  const std::string problem = "the communicator has not grown";
  for (std::size_t r = 0; r < made.members.size(); ++r) {
    const rank member(static_cast<std::int32_t>(r));
    if (made.members[r].state == standing::absent)
      fail(errc::timeout, problem,
           "rank " + to_string(member) + " has not called grow within " + to_string(seconds(options.timeout)));
    if (made.members[r].state == standing::present) continue;
    error lost(errc::peer_failed, describe(problem, "rank " + to_string(member) + " has failed, or left", "shrink it"));
    throw lost.with_peer(member);
  }
  if (made.newcomers.size() < static_cast<std::size_t>(newcomers))
    fail(errc::timeout, problem,
         "not all of " + std::to_string(newcomers) + " newcomers have come within " +
             to_string(seconds(options.timeout)),
         "start them with the job's secret and the store's address; they call communicator::join");
}

/// Opens the grown job, and places its ranks by the topology that rank 0 names.
std::unique_ptr<communicator> open(const std::shared_ptr<bootstrap::shared_door>& shared, const std::string& name,
                                   const std::vector<rank>& members, const communicator_options& told,
                                   const recovery_options& options) {
  detail::opening opened = detail::open_together(shared, name, members, told, options);
  if (opened.refused) throw *opened.refused;
  if (!opened.made)
    fail(errc::peer_failed, "the communicator has not grown", "a rank has died meanwhile",
         "shrink the old one, where it was one of its ranks, or grow again");
  opened.made->set_topology(opened.made->exchange("topology", options.topology).front());
  auto state = std::make_shared<communicator_state>(std::move(opened.made));
  return std::make_unique<communicator>(std::move(state));
}

}  // namespace

std::unique_ptr<communicator> communicator::grow(int newcomers, const recovery_options& options) {
  if (newcomers < 1)
    fail(errc::invalid_argument, "a communicator grows by at least one rank",
         std::to_string(newcomers) + " were asked for");
  detail::job& owner = state_->owner();
  owner.check();
  const bootstrap::members_door& place = owner.place();
  bootstrap::question asked{
      .name = state_->name_successor(), .members = {}, .said = {}, .newcomers = newcomers, .timeout = options.timeout};
  for (int r = 0; r < size(); ++r)
    asked.members.push_back(place.members()[static_cast<std::size_t>(state_->in_job(r).value)]);
  const agreement made = place.shared()->root().agree(asked);
  check(made, newcomers, options);
  detail::tell(options, recovery_stage::agreed);
  std::vector<hawser::rank> members = asked.members;
  members.insert(members.end(), made.newcomers.begin(), made.newcomers.end());
  return open(place.shared(), asked.name, members, options_for_grown(owner.options()), options);
}

std::unique_ptr<communicator> communicator::join(std::unique_ptr<bootstrap::bootstrap> newcomer,
                                                 communicator_options told, const recovery_options& options) {
  if (told.transports.empty()) told.transports = default_transports();
  auto shared = std::make_shared<bootstrap::shared_door>(std::move(newcomer));
  const bootstrap::admission_notice admitted = shared->root().await_admission(options.timeout);
  detail::tell(options, recovery_stage::agreed);
  return open(shared, admitted.name, admitted.members, options_for_grown(told), options);
}

std::string communicator::store_address() const {
  return state_->owner().door().store_address();
}

}  // namespace hawser
