// Several requests of a program, of which some are this library's.
#pragma once

#include <vector>

#include "requests.hpp"

namespace hawser::mpi_profile {

/// The requests of one call of MPI's Wait and Test families. Handles are the program's array.
class request_list {
 public:
  request_list(int count, MPI_Request* handles);

  /// Whether any is this library's; where none is, nothing else may be called.
  bool has_own() const noexcept { return has_own_; }
  /// Moves all of them; true once MPI may be asked for them all.
  bool are_all_ready();
  /// A copy of the handles in which those that MPI may not be asked for are null: the persistent ones of this library,
  /// and what is not ready.
  std::vector<MPI_Request>& ready_ones();
  /// Whether something of this library is under way, as of `ready_ones`.
  bool waits() const noexcept { return waits_; }
  /// The next own persistent entry from i on whose end nobody has heard of; count where there is none.
  int next_persistent(int i, MPI_Status* status, int& code);
  /// Whether entry i is an own persistent one.
  bool is_persistent_at(int i) const;
  /// Takes over what the library has made of `ready_ones` where it was asked, and forgets what it has freed.
  void settle();

 private:
  int count_;
  MPI_Request* handles_;
  std::vector<request_ref> own_;
  std::vector<bool> is_hidden_;
  std::vector<MPI_Request> ready_;
  bool has_own_ = false;
  bool waits_ = false;
};

}  // namespace hawser::mpi_profile
