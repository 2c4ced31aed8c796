// MPI's calls on one request. A handle of this library is first driven to where MPI may be asked for it.
#include <sched.h>

#include "process.hpp"
#include "requests.hpp"

using namespace hawser::mpi_profile;

namespace {

/// Of a request that MPI does not let a program cancel or free.
int refuse(int error_class) {
  PMPI_Comm_call_errhandler(MPI_COMM_WORLD, error_class);
  return error_class;
}

/// Of a request that is ready: what MPI says of it, or of a persistent one this library.
int end_wait(MPI_Request* request, MPI_Status* status, const request_ref& own) {
  int code = MPI_SUCCESS;
  if (is_persistent(*own)) {
    take_completion(*own, status, code);
    return code;
  }
  const MPI_Request before = *request;
  code = PMPI_Wait(request, status);
  if (*request == MPI_REQUEST_NULL) forget_request(before, own);
  return code;
}

}  // namespace

extern "C" {

int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Wait(request, status);
  while (!is_ready(*own, *request)) {
    process::self().drive_mpi();
    sched_yield();
  }
  return end_wait(request, status, own);
}

int MPI_Test(MPI_Request* request, int* flag, MPI_Status* status) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Test(request, flag, status);
  *flag = is_ready(*own, *request) ? 1 : 0;
  if (*flag) return end_wait(request, status, own);
  process::self().drive_mpi();
  return MPI_SUCCESS;
}

int MPI_Request_get_status(MPI_Request request, int* flag, MPI_Status* status) {
  const request_ref own = find_request(request);
  if (!own) return PMPI_Request_get_status(request, flag, status);
  *flag = is_ready(*own, request) ? 1 : 0;
  if (!*flag) process::self().drive_mpi();
  if (!*flag || is_persistent(*own)) return MPI_SUCCESS;
  return PMPI_Request_get_status(request, flag, status);
}

int MPI_Request_free(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Request_free(request);
  if (!is_persistent(*own) || is_active(*own)) return refuse(MPI_ERR_REQUEST);
  return free_persistent(own, request);
}

int MPI_Cancel(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  return own ? refuse(MPI_ERR_REQUEST) : PMPI_Cancel(request);
}

int MPI_Start(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  return own ? start_persistent(*own) : PMPI_Start(request);
}

int MPI_Startall(int count, MPI_Request requests[]) {
  if (!has_requests() || requests == nullptr) return PMPI_Startall(count, requests);
  for (int i = 0; i < count; ++i)
    if (const int code = MPI_Start(&requests[i]); code != MPI_SUCCESS) return code;
  return MPI_SUCCESS;
}

}  // extern "C"
