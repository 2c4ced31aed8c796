// Fortran's handles, addresses and statuses as C's. Open MPI's Fortran bindings call PMPI_ directly, so that their
// names are taken as well: `mpi_x_` of mpif.h and the module mpi, `ompi_x_f` which mpi_f08 calls. MPICH's call MPI_.
#pragma once

#include "../mpi_api.hpp"

#ifdef OPEN_MPI

static_assert(sizeof(MPI_Fint) == sizeof(int), "counts are passed on as they are");

// The common blocks whose addresses stand for MPI_BOTTOM and the like.
extern "C" {
extern int mpi_fortran_bottom_;
extern int mpi_fortran_in_place_;
extern int mpi_fortran_status_ignore_;
extern int mpi_fortran_statuses_ignore_;
}

namespace hawser::mpi_profile::fortran {

/// Integers of a status in Fortran.
inline constexpr int status_integers = static_cast<int>(sizeof(MPI_Status) / sizeof(MPI_Fint));

inline void* address(void* passed) noexcept {
  if (passed == &mpi_fortran_in_place_) return MPI_IN_PLACE;
  return passed == &mpi_fortran_bottom_ ? MPI_BOTTOM : passed;
}

/// Hands out an error code, where there is room for one.
inline void finish(MPI_Fint* error, int code) noexcept {
  if (error != nullptr) *error = code;
}

/// The same for a call that made a request.
inline void finish(MPI_Fint* error, int code, MPI_Request made, MPI_Fint* request) noexcept {
  if (code == MPI_SUCCESS) *request = PMPI_Request_c2f(made);
  finish(error, code);
}

}  // namespace hawser::mpi_profile::fortran

// The names of one function in Fortran, `name` in lower case.
#define HAWSER_FORTRAN_NAMES(symbol, name, parameters)                                            \
  extern "C" void mpi##name##_ parameters __attribute__((alias(#symbol), visibility("default"))); \
  extern "C" void mpi##name##__ parameters __attribute__((alias(#symbol), visibility("default")));

#endif  // OPEN_MPI
