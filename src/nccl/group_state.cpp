// Who is in a group, how long it may wait, and how it ends.
#include "nccl/group_state.hpp"

#include <algorithm>

namespace hawser::nccl::detail {
namespace {

void check(const nccl_options& with) {
  if (with.lanes < 1 || with.min_ctas < 0 || with.max_ctas < 0 || (with.max_ctas != 0 && with.min_ctas > with.max_ctas))
    fail(errc::invalid_argument, "these options of NCCL communicators cannot work",
         "lanes " + std::to_string(with.lanes) + ", CTAs " + std::to_string(with.min_ctas) + " to " +
             std::to_string(with.max_ctas),
         "there is at least one lane, and a minimum is not above the maximum");
}

std::vector<rank> all_of(int size) {
  std::vector<rank> all;
  all.reserve(static_cast<std::size_t>(size));
  for (int r = 0; r < size; ++r) all.emplace_back(r);
  return all;
}

int find(const std::vector<rank>& members, rank wanted) {
  const auto found = std::find(members.begin(), members.end(), wanted);
  return found == members.end() ? -1 : static_cast<int>(found - members.begin());
}

}  // namespace

group_state::group_state(const membership& group, const nccl_options& with, std::shared_ptr<const library> by)
    : job(group.job),
      heeded(group.heeded != nullptr ? *group.heeded : group.job.failures()),
      known_failures(heeded.generation()),
      name(group.name),
      members(group.members.empty() ? all_of(group.job.size()) : group.members),
      place(find(members, group.job.self())),
      options(with),
      opened(std::move(by)) {
  check(options);
  if (place < 0)
    fail(errc::invalid_argument, "rank " + to_string(job.self()) + " makes NCCL communicators \"" + name + "\"",
         "it is not among their members", "make them on members only");
  std::vector<rank> sorted = members;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    fail(errc::invalid_argument, "a rank is twice among the members of NCCL communicators \"" + name + "\"");
}

group_state::~group_state() {
  // All begin before any is waited for: the time-out is one for all.
  const auto deadline = lane::clock::now() + options.abort_timeout;
  for (const auto& each : lanes) each->begin_finish();
  for (const auto& each : lanes) each->finish(deadline);
}

lane& group_state::at(int number) const {
  if (number < 0 || number >= static_cast<int>(lanes.size()))
    fail(errc::invalid_argument, "there is no NCCL lane " + std::to_string(number),
         "there are " + std::to_string(lanes.size()), "ask for more in nccl_options::lanes");
  return *lanes[static_cast<std::size_t>(number)];
}

int group_state::place_of(rank member) const {
  const int found = find(members, member);
  if (found < 0)
    fail(errc::unsupported, "NCCL does not reach rank " + to_string(member),
         "it is no member of the group \"" + name + "\"", "send through a group that both are members of");
  return found;
}

patience group_state::bound() const {
  return {lane::clock::now() + options.operation_timeout, [this] {
            if (heeded.generation() == known_failures) return;
            for (const auto& notice : heeded.since(known_failures))
              if (!notice.peer || find(members, *notice.peer) >= 0)
                throw bootstrap::to_error(notice, "waiting for NCCL");
          }};
}

ncclConfig_t group_state::config() const {
  ncclConfig_t made = NCCL_CONFIG_INITIALIZER;
  made.blocking = 0;
  if (options.min_ctas != 0) made.minCTAs = options.min_ctas;
  if (options.max_ctas != 0) made.maxCTAs = options.max_ctas;
  if (!options.network.empty()) made.netName = options.network.c_str();
  return made;
}

void group_state::abort(std::string_view reason) noexcept {
  for (const auto& each : lanes) each->abort(reason, options.abort_timeout);
}

}  // namespace hawser::nccl::detail
