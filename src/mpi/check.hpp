// MPI's errors as hawser's.
#pragma once

#include <mpi.h>

#include <string>

namespace hawser::mpi {

/// MPI's text and class of an error code.
std::string describe_code(int code);

/// Throws errc::io with MPI's text and class unless the code is MPI_SUCCESS.
void check(int code, const char* what);

}  // namespace hawser::mpi
