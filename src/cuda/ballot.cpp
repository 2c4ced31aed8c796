// A vote is "yes", or CUDA's code and why not.
#include "cuda/ballot.hpp"

#include <hawser/core/error.hpp>

#include "cuda/mapping.hpp"

namespace hawser::cuda {

std::optional<refusal> ballot::try_step(std::string_view step, const std::function<void()>& action) {
  std::string own = "yes";
  try {
    action();
  } catch (const error& e) {
    own = std::to_string(e.native_code()) + " " + e.what();
  }
  const auto votes = gather(job_, name_ + "/" + std::string(step), own, timeout_);
  for (std::size_t r = 0; r < votes.size(); ++r) {
    if (votes[r] == "yes") continue;
    const std::size_t space = votes[r].find(' ');
    return refusal{static_cast<int>(r), "rank " + std::to_string(r) + " " + votes[r].substr(space + 1),
                   std::stol(votes[r])};
  }
  return std::nullopt;
}

void ballot::take_step(std::string_view step, const std::function<void()>& action) {
  const auto refused = try_step(step, action);
  if (refused)
    throw error(errc::resource, refused->text).with_native_code(refused->native_code).with_peer(refused->rank);
}

}  // namespace hawser::cuda
