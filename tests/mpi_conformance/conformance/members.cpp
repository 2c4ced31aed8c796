// See members.hpp.
#include "members.hpp"

namespace conformance {

members::members(MPI_Comm of, std::string called, std::uint64_t number)
    : comm(of), name(std::move(called)), stream(number) {
  PMPI_Comm_rank(comm, &rank);
  PMPI_Comm_size(comm, &size);
}

all_members::all_members() {
  list_.emplace_back(MPI_COMM_WORLD, "world", 1);
  const int rank = world().rank, size = world().size;
  MPI_Comm made = MPI_COMM_NULL;
  MPI_Comm_dup(MPI_COMM_WORLD, &made);
  list_.emplace_back(made, "dup", 2);
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &made);
  list_.emplace_back(made, "half", 3 + rank % 2);
  MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &made);
  list_.emplace_back(made, "reverse", 5);
  add_range(0, (2 * size + 2) / 3, "lower part", 6);
  add_range(size / 3, size, "upper part", 7);
  MPI_Comm_split(MPI_COMM_WORLD, rank, 0, &made);
  list_.emplace_back(made, "alone", 100 + static_cast<std::uint64_t>(rank));
  list_.emplace_back(MPI_COMM_SELF, "self", 1000 + static_cast<std::uint64_t>(rank));
}

void all_members::add_range(int first, int end, const char* name, std::uint64_t number) {
  MPI_Group everybody = MPI_GROUP_NULL, part = MPI_GROUP_NULL;
  int range[1][3] = {{first, end - 1, 1}};
  MPI_Comm_group(MPI_COMM_WORLD, &everybody);
  MPI_Group_range_incl(everybody, 1, range, &part);
  MPI_Comm made = MPI_COMM_NULL;
  MPI_Comm_create(MPI_COMM_WORLD, part, &made);
  MPI_Group_free(&part);
  MPI_Group_free(&everybody);
  if (made != MPI_COMM_NULL) list_.emplace_back(made, name, number);
}

all_members::~all_members() {
  for (members& each : list_)
    if (each.comm != MPI_COMM_WORLD && each.comm != MPI_COMM_SELF) MPI_Comm_free(&each.comm);
}

}  // namespace conformance
