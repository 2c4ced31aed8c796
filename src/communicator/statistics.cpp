// communicator::statistics: the ranks compare how long each of their calls took.
#include <algorithm>

#include <hawser/communicator/communicator.hpp>

#include "state.hpp"

namespace hawser {

diagnosis::call_statistics communicator::statistics() {
  constexpr std::uint64_t kept = detail::durations::kept;
  const std::uint64_t made = state_->calls_recorded();
  diagnosis::call_statistics& total = state_->statistics();
  const std::uint64_t known = state_->calls_compared(), first = std::max(known, made > kept ? made - kept : 0);
  const diagnosis::tick_scale scale = state_->owner().recorder().scale();
  std::vector<float> mine(kept, 0.0F);  // of one size, whatever was called: all ranks exchange alike
  for (std::uint64_t number = first + 1; number <= made; ++number)
    mine[static_cast<std::size_t>(number - first - 1)] =
        static_cast<float>(scale.seconds_in(state_->call_durations().of(number)));
  std::vector<float> all(kept * static_cast<std::size_t>(size()));
  all_gather(mine, all);
  std::vector<std::vector<float>> by_rank;
  for (int r = 0; r < size(); ++r) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(kept) * r;
    by_rank.emplace_back(from, from + static_cast<std::ptrdiff_t>(made - first));
  }
  total.communicator = state_->calls().communicator();
  total.ranks.resize(static_cast<std::size_t>(size()));
  total.calls_missed += first - known;
  diagnosis::add_calls(total, by_rank);
  state_->set_calls_compared(made + 1);  // the exchange itself says nothing of the job's ranks
  return total;
}

}  // namespace hawser
