// The proof of one algorithm on one hierarchy: every variant of its call through the verifier.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <hawser/schedule/request.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::cli {

/// Throws errc::not_found for an unknown name, errc::unsupported where it does not fit the hierarchy.
void check_algorithm(const topology::hierarchy& tree, schedule::collective what, const std::string& algorithm);

/// Which variants are proven.
struct proof_scope {
  bool only_in_place = false;
  bool is_sampled = false;  ///< too many ranks for the exact verifier
  std::uint64_t seed = 1;   ///< of the sampled ranks and points
  std::vector<rank> roots;

  /// "all", a rank, or "" for all roots of up to 32 ranks and four of more. Throws errc::parse, errc::invalid_argument.
  void set_roots(const std::string& text, std::int64_t ranks);
  std::string describe(std::int64_t ranks) const;
};

/// Beyond this many ranks schedules are sampled: the exact verifier's memory grows with ranks times blocks.
inline constexpr std::int64_t most_exact_ranks = 512;

/// What was found for one collective and one algorithm.
class proof {
 public:
  proof(schedule::collective what, std::string algorithm) : what_(what), algorithm_(std::move(algorithm)) {}

  /// Verifies every variant: roots, in place or not, equal and ragged blocks, and the order of operands where the
  /// algorithm keeps it; of sampled proofs one kind of call. Stops at the first variant with violations. Throws nothing
  /// that concerns the schedules.
  void prove(const topology::hierarchy& tree, const proof_scope& scope);

  bool is_proven() const noexcept { return violations_.empty() && skipped_.empty(); }
  std::string name() const;
  /// One line, and one for each violation.
  std::string describe() const;
  nlohmann::ordered_json to_json() const;

 private:
  void check_variants(const topology::hierarchy& tree, const proof_scope& scope);
  void check(const topology::hierarchy& tree, const schedule::request& call, const proof_scope& scope);
  void sample(const topology::hierarchy& tree, const schedule::request& call, const proof_scope& scope);

  schedule::collective what_;
  std::string algorithm_;
  std::int64_t variants_ = 0;
  std::int64_t sampled_ranks_ = 0, sampled_messages_ = 0, traced_points_ = 0, unfinished_traces_ = 0;
  double seconds_ = 0;
  std::vector<std::string> violations_;
  std::string variant_;  ///< that they were found in
  std::string skipped_;  ///< why nothing can be said
};

}  // namespace hawser::cli
