// One call through both names on the same data, and what must be the same afterwards.
#pragma once

#include <optional>
#include <random>
#include <string>

#include "calls.hpp"
#include "members.hpp"
#include "region.hpp"
#include "types.hpp"

namespace conformance {

/// A case: what is called on which data. `numbers` are the same on all members, `own` differ.
struct one_case {
  one_case(members& on, const std::string& name, const base_type& of, purpose use);

  members& on;
  const collective& what;
  const base_type& of;
  purpose use;
  std::mt19937_64 numbers, own;
  form how;
  int root;
  bool is_in_place;
  std::optional<region> send{}, receive{};  ///< as they are before the call
  arguments told{};

  bool is_root() const { return on.rank == root; }
  /// A shape for one side of this rank; of one element where `width` is 1.
  shape any_shape(int width);
  /// Packed values of this rank.
  std::vector<std::byte> values(int count) { return made(of, use, count, own); }
  /// Makes both calls on copies of the buffers and compares error classes, results, and what must not be touched.
  /// `details` is added to what failures say.
  void compare(const std::string& details);
};

/// What an argument that is not significant may be.
void make_insignificant(void*& buffer, int& count, MPI_Datatype& type);
void make_insignificant(const void*& buffer, int& count, MPI_Datatype& type);

// The sections of the program. Each runs on one communicator; all its members call it.
void run_moves(members& on);
void run_ragged(members& on);
void run_reductions(members& on);
void run_user_operators(members& on);
void run_errors(members& on);
void run_requests(members& on);
void run_bottom(members& on);
// Those that need several communicators; collective over the world.
void run_in_flight(all_members& all);
void run_lifetimes(all_members& all);
void run_between(all_members& all);
void run_threads(all_members& all, int provided);

}  // namespace conformance
