// The requests of non-blocking and persistent collectives that hawser serves, as MPI_Request handles of the library.
#pragma once

#include <memory>

#include "arguments.hpp"
#include "served_call.hpp"

namespace hawser::mpi_profile {

/// Starts the call; `request` becomes a generalized request, which MPI completes when hawser has. Throws what starting
/// throws; returns MPI's code.
int start_request(std::unique_ptr<served_call> call, MPI_Comm comm, MPI_Request* request);
/// `request` becomes an inactive persistent one. MPI only lends it the handle, of a generalized request that ends when
/// it is freed: a persistent one that bears it would be something else to each library.
int make_persistent_request(std::unique_ptr<served_call> planned, MPI_Comm comm, MPI_Request* request);

/// Whether any request of this library exists; one relaxed load, so that programs without pay nothing.
bool has_requests() noexcept;
/// One such request; keeps it alive.
struct own_request;
using request_ref = std::shared_ptr<own_request>;
/// The request with this handle; null where it is the MPI library's alone.
request_ref find_request(MPI_Request request) noexcept;

bool is_persistent(const own_request& asked) noexcept;
/// Moves the call; true once it is over and MPI may be asked for it, or where a persistent one is not started.
bool is_ready(own_request& asked, MPI_Request request);
/// Starts a persistent request.
int start_persistent(own_request& asked);
/// Of a persistent request that is ready: whether this is the first to hear of it. It is inactive then, and `status`
/// (unless it is ignored) an empty one; `code` becomes the error of the run, after the communicator's error handler.
bool take_completion(own_request& asked, MPI_Status* status, int& code) noexcept;
/// Whether a persistent request is started and nobody has heard of its end.
bool is_active(own_request& asked) noexcept;
/// Frees an inactive persistent request.
int free_persistent(const request_ref& freed, MPI_Request* request);
/// The library has freed the handle.
void forget_request(MPI_Request request, const request_ref& freed) noexcept;

}  // namespace hawser::mpi_profile
