// The way of every intercepted collective: to hawser or to the MPI library.
#pragma once

#include <exception>

#include "arguments.hpp"

namespace hawser::mpi_profile {

/// The blocking, non-blocking and persistent forms. They return MPI's code, after the communicator's error handler.
int serve(const arguments& call) noexcept;
int serve_later(const arguments& call, MPI_Request* request) noexcept;
int serve_persistent(const arguments& call, MPI_Info info, MPI_Request* request) noexcept;

/// An exception of hawser's as an MPI error: makes a code with hawser's text, tells the communicator's error handler
/// and returns the code.
int report_error(MPI_Comm comm, const std::exception& raised) noexcept;
/// The code alone.
int error_code_of(const std::exception& raised) noexcept;

}  // namespace hawser::mpi_profile
