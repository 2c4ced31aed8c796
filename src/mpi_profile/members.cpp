// make_members: who the members are in hawser's job, and a number for their communicator that is free on all of them.
#include <algorithm>
#include <bit>
#include <thread>
#include <vector>

#include <hawser/topology/select.hpp>

#include "../communicator/contexts.hpp"
#include "../communicator/job.hpp"
#include "../communicator/state.hpp"
#include "communicators.hpp"
#include "process.hpp"

namespace hawser::mpi_profile {

namespace {

using detail::context_set;
using detail::most_contexts;

/// Persistent requests take no more numbers than leave these for communicators.
constexpr int contexts_kept_for_communicators = 63;

/// The members' ranks in MPI_COMM_WORLD; empty where one is not of this world.
std::vector<int> ranks_in_world(const known_communicator& known) {
  MPI_Group own = MPI_GROUP_NULL, world = MPI_GROUP_NULL;
  PMPI_Comm_group(known.handle, &own);
  PMPI_Comm_group(MPI_COMM_WORLD, &world);
  std::vector<int> here(static_cast<std::size_t>(known.size)), there(here.size());
  for (int r = 0; r < known.size; ++r) here[static_cast<std::size_t>(r)] = r;
  PMPI_Group_translate_ranks(own, known.size, here.data(), world, there.data());
  PMPI_Group_free(&own);
  PMPI_Group_free(&world);
  if (std::ranges::find(there, MPI_UNDEFINED) != there.end()) there.clear();
  return there;
}

/// What the members tell each other, combined by bitwise and.
struct vote {
  std::uint64_t can_join = 0;      ///< all of its members are in this world
  std::uint64_t has_contexts = 0;  ///< 0: another thread of a member has the free numbers; all are to try again
  std::uint64_t free_contexts[most_contexts / 64] = {};
};

vote combined(vote mine, MPI_Comm comm) {
  vote all;
  constexpr int words = sizeof(vote) / sizeof(std::uint64_t);
  PMPI_Allreduce(&mine, &all, words, MPI_UINT64_T, MPI_BAND, comm);
  return all;
}

int count_free(const vote& all) {
  int count = 0;
  for (const std::uint64_t each : all.free_contexts) count += std::popcount(each);
  return count;
}

int lowest(const vote& all) {
  for (std::size_t i = 0; i < std::size(all.free_contexts); ++i)
    if (all.free_contexts[i] != 0) return static_cast<int>(64 * i) + std::countr_zero(all.free_contexts[i]);
  return -1;
}

/// A number that no communicator of a member has, reserved; -1 where no more than `kept_free` are, or where a member
/// cannot join. `turn` is the same on all members: of several threads that make communicators, the lower one goes
/// first.
int agree_on_context(MPI_Comm comm, bool can_join, std::uint16_t turn, int kept_free) {
  detail::context_pool& pool = process::self().world().state()->owner().contexts();
  detail::context_pool::ticket making(pool, turn);
  for (;;) {
    const auto taken = making.try_take();
    vote mine{can_join ? ~std::uint64_t{0} : 0, taken ? ~std::uint64_t{0} : 0};
    for (std::size_t i = 0; taken && i < most_contexts; ++i)
      if ((*taken)[i]) mine.free_contexts[i / 64] |= std::uint64_t{1} << (i % 64);
    const vote all = combined(mine, comm);
    if (all.can_join == 0) return -1;
    if (all.has_contexts != 0) {
      const int context = count_free(all) > kept_free ? lowest(all) : -1;
      if (context >= 0) making.reserve(static_cast<std::uint16_t>(context));
      return context;
    }
    making.give_back();
    std::this_thread::yield();
  }
}

std::shared_ptr<detail::communicator_state> join(const std::vector<int>& world_ranks, int self, int context,
                                                 const std::string& name) {
  detail::communicator_state& world = *process::self().world().state();
  std::vector<std::int64_t> positions;
  std::vector<rank> members;
  for (int each : world_ranks) {
    positions.push_back(world.planner().tree().position_of(each));
    members.emplace_back(each);
  }
  return std::make_shared<detail::communicator_state>(
      world.shared_owner(), topology::select_positions(world.planner().tree(), positions), std::move(members),
      rank(self), static_cast<std::uint16_t>(context), name);
}

/// Null where no number is free for it, or ranks of several worlds are members. Collective over the communicator.
std::shared_ptr<detail::communicator_state> agree_and_join(const known_communicator& known, int kept_free) {
  const std::vector<int> world_ranks = ranks_in_world(known);
  // The first member's number names the communicator. Nobody stands in line for a number before all are here.
  int leader[2] = {process::self().world_rank(), process::self().take_serial()};
  PMPI_Bcast(leader, 2, MPI_INT, 0, known.handle);
  PMPI_Barrier(known.handle);
  const auto turn = static_cast<std::uint16_t>(31 * leader[0] + leader[1]);
  const int context = agree_on_context(known.handle, !world_ranks.empty(), turn, kept_free);
  if (context < 0) return nullptr;
  const std::string name = "mpi." + std::to_string(leader[0]) + "." + std::to_string(leader[1]);
  return join(world_ranks, known.rank, context, name);
}

}  // namespace

void make_members(known_communicator& known) {
  if (known.state != known_communicator::progress::unmade) return;
  known.members = agree_and_join(known, 0);
  known.state = known.members ? known_communicator::progress::made : known_communicator::progress::refused;
}

std::shared_ptr<detail::communicator_state> make_own_members(const known_communicator& known) {
  return agree_and_join(known, contexts_kept_for_communicators);
}

}  // namespace hawser::mpi_profile
