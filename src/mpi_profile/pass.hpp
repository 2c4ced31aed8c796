// Hands a call to the MPI library's own collective.
#pragma once

#include "arguments.hpp"

namespace hawser::mpi_profile {

/// The blocking, non-blocking and persistent forms; they return MPI's code.
int pass(const arguments& call);
int pass_later(const arguments& call, MPI_Request* request);
int pass_persistent(const arguments& call, MPI_Info info, MPI_Request* request);

}  // namespace hawser::mpi_profile
