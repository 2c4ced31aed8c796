// Steps that every rank of a group must manage, or none goes on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/bootstrap/bootstrap.hpp>

namespace hawser::cuda {

/// The refusal that all ranks get to know: of the lowest rank that was refused something.
struct refusal {
  int rank = 0;
  std::string text;  ///< "rank 2 cannot bind memory ...", the same on all ranks
  long native_code = 0;
};

/// A sequence of local steps, each with a vote after it. Every rank takes the same steps.
class ballot {
 public:
  /// Votes under keys that begin with `name`.
  ballot(bootstrap::bootstrap& job, std::string name, bootstrap::milliseconds timeout)
      : job_(job), name_(std::move(name)), timeout_(timeout) {}

  /// Takes the step, which talks to no other rank and may throw `error`, and votes. Nothing where all managed it.
  /// Throws errc::timeout where a rank does not vote.
  std::optional<refusal> try_step(std::string_view step, const std::function<void()>& action);
  /// The same, where nothing goes on without the step: a refusal is errc::resource on all ranks, with CUDA's code and
  /// `error::peer`.
  void take_step(std::string_view step, const std::function<void()>& action);

 private:
  bootstrap::bootstrap& job_;
  std::string name_;
  bootstrap::milliseconds timeout_;
};

}  // namespace hawser::cuda
