// The communicators that calls are made on.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace conformance {

/// An intracommunicator with this process in it. Its members agree on `stream` and `cases`, and so on what comes next.
struct members {
  MPI_Comm comm = MPI_COMM_NULL;
  std::string name;
  std::uint64_t stream = 0;
  std::uint64_t cases = 0;
  int rank = 0, size = 1;

  members(MPI_Comm of, std::string called, std::uint64_t number);
};

/// World, a duplicate, halves, everybody in reverse order, two that overlap, this process alone and MPI_COMM_SELF;
/// without those that this process is not in. Collective over the world.
class all_members {
 public:
  all_members();
  all_members(const all_members&) = delete;
  all_members& operator=(const all_members&) = delete;
  ~all_members();

  std::vector<members>& list() noexcept { return list_; }
  members& world() noexcept { return list_.front(); }

 private:
  void add_range(int first, int end, const char* name, std::uint64_t number);

  std::vector<members> list_;
};

}  // namespace conformance
