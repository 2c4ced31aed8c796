// The arguments of one MPI collective, whichever it is, as the program passed them.
#pragma once

#include <hawser/schedule/request.hpp>

#include "mpi_api.hpp"

namespace hawser::mpi_profile {

using schedule::collective;

/// One buffer of a collective: `count` elements, or one count and displacement per rank. Addresses may be MPI_IN_PLACE
/// or MPI_BOTTOM. Counts and displacements are in elements of the type.
struct buffer_arguments {
  const void* address = nullptr;
  int count = 0;
  MPI_Datatype type = MPI_DATATYPE_NULL;
  const int* counts = nullptr;
  const int* displacements = nullptr;

  bool is_in_place() const noexcept { return address == MPI_IN_PLACE; }
  void* writable() const noexcept { return const_cast<void*>(address); }
};

/// One call. Reductions have one type, that of `receive`; a broadcast has its buffer in `receive` alone.
struct arguments {
  collective what = collective::barrier;
  bool is_ragged = false;  ///< MPI_Reduce_scatter and the forms with a v
  buffer_arguments send{};
  buffer_arguments receive{};
  MPI_Op op = MPI_OP_NULL;
  int root = 0;
  MPI_Comm comm = MPI_COMM_NULL;
};

/// How many different `kind_of` there are.
inline constexpr int kinds_of_calls = 20;

/// A small number for the collective and its form.
constexpr int kind_of(collective what, bool is_ragged) noexcept {
  return 2 * static_cast<int>(what) + (is_ragged ? 1 : 0);
}

/// MPI's name of it, without the prefix: "Allreduce".
constexpr const char* name_of(collective what, bool is_ragged) noexcept {
  switch (what) {
    case collective::all_reduce: return "Allreduce";
    case collective::reduce_scatter: return is_ragged ? "Reduce_scatter" : "Reduce_scatter_block";
    case collective::all_gather: return is_ragged ? "Allgatherv" : "Allgather";
    case collective::all_to_all: return "Alltoall";
    case collective::all_to_all_v: return "Alltoallv";
    case collective::broadcast: return "Bcast";
    case collective::reduce: return "Reduce";
    case collective::gather: return is_ragged ? "Gatherv" : "Gather";
    case collective::scatter: return is_ragged ? "Scatterv" : "Scatter";
    case collective::barrier: return "Barrier";
  }
  return "?";
}

}  // namespace hawser::mpi_profile
