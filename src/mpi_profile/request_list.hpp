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
  /// A copy of the handles in which those that MPI may not be asked for yet are null; `hides` says whether any is.
  std::vector<MPI_Request>& ready_ones();
  bool hides() const noexcept { return hides_; }
  /// Takes over what the library has made of entry i of `ready_ones`.
  void take_back(int i);
  /// Forgets what the library has freed. Returns the first error of a persistent call, else `code`.
  int settle(int code);

 private:
  int count_;
  MPI_Request* handles_;
  std::vector<request_ref> own_;
  std::vector<MPI_Request> before_, ready_;
  bool has_own_ = false;
  bool hides_ = false;
};

}  // namespace hawser::mpi_profile
