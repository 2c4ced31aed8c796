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

/// After MPI has been asked for a request that was ready.
int settle(int code, MPI_Request before, const MPI_Request* now, const request_ref& own) {
  if (*now == MPI_REQUEST_NULL) forget_request(before, own);
  const int failed = take_error(*own);
  return code == MPI_SUCCESS ? failed : code;
}

}  // namespace

extern "C" {

int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Wait(request, status);
  const MPI_Request before = *request;
  while (!is_ready(*own, before)) {
    process::self().drive_mpi();
    sched_yield();
  }
  return settle(PMPI_Wait(request, status), before, request, own);
}

int MPI_Test(MPI_Request* request, int* flag, MPI_Status* status) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Test(request, flag, status);
  const MPI_Request before = *request;
  if (!is_ready(*own, before)) {
    process::self().drive_mpi();
    *flag = 0;
    return MPI_SUCCESS;
  }
  return settle(PMPI_Test(request, flag, status), before, request, own);
}

int MPI_Request_get_status(MPI_Request request, int* flag, MPI_Status* status) {
  const request_ref own = find_request(request);
  if (!own || is_ready(*own, request)) return PMPI_Request_get_status(request, flag, status);
  process::self().drive_mpi();
  *flag = 0;
  return MPI_SUCCESS;
}

int MPI_Request_free(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  if (!own) return PMPI_Request_free(request);
  if (!is_persistent(*own) || is_active(*own)) return refuse(MPI_ERR_REQUEST);
  const MPI_Request before = *request;
  return settle(PMPI_Request_free(request), before, request, own);
}

int MPI_Cancel(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  return own ? refuse(MPI_ERR_REQUEST) : PMPI_Cancel(request);
}

int MPI_Start(MPI_Request* request) {
  const request_ref own = request != nullptr ? find_request(*request) : nullptr;
  return own ? start_persistent(*own, request) : PMPI_Start(request);
}

int MPI_Startall(int count, MPI_Request requests[]) {
  if (!has_requests() || requests == nullptr) return PMPI_Startall(count, requests);
  for (int i = 0; i < count; ++i)
    if (const int code = MPI_Start(&requests[i]); code != MPI_SUCCESS) return code;
  return MPI_SUCCESS;
}

}  // extern "C"
