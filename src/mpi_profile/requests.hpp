// The requests of non-blocking and persistent collectives that hawser serves, as MPI_Request handles of the library.
#pragma once

#include <memory>

#include "arguments.hpp"
#include "served_call.hpp"

namespace hawser::mpi_profile {

/// Starts the call; `request` becomes a generalized request, which MPI completes when hawser has. Throws what starting
/// throws; returns MPI's code.
int start_request(std::unique_ptr<served_call> call, MPI_Comm comm, MPI_Request* request);
/// `request` becomes an inactive persistent one, a receive from MPI_PROC_NULL by its true nature.
int make_persistent_request(std::unique_ptr<served_call> planned, MPI_Comm comm, MPI_Request* request);

/// Whether any request of this library exists; one relaxed load, so that programs without pay nothing.
bool has_requests() noexcept;
/// One such request; keeps it alive.
struct own_request;
using request_ref = std::shared_ptr<own_request>;
/// The request with this handle; null where it is the MPI library's alone.
request_ref find_request(MPI_Request request) noexcept;

bool is_persistent(const own_request& asked) noexcept;
/// Started, and hawser not yet done as far as it is known.
bool is_active(own_request& asked) noexcept;
/// Moves the call; true once MPI may be asked for the completion of `request`, or where it is inactive.
bool is_ready(own_request& asked, MPI_Request request);
/// Starts a persistent request: hawser's call, then the library's.
int start_persistent(own_request& asked, MPI_Request* request);
/// The library has freed the handle.
void forget_request(MPI_Request request, const request_ref& freed) noexcept;
/// The error code of a persistent call's last run, once; MPI_SUCCESS where it went well. Tells the communicator's
/// handler.
int take_error(own_request& asked) noexcept;

}  // namespace hawser::mpi_profile
