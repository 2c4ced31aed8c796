// MPI's calls on several requests, in which those of this library may be mixed with others.
#include <sched.h>

#include "process.hpp"
#include "request_list.hpp"

using namespace hawser::mpi_profile;

namespace {

void let_all_move() {
  process::self().drive_mpi();
  sched_yield();
}

/// Asks MPI for any that is ready. False where nothing is complete but something hidden may become so.
bool test_any(request_list& list, int count, int* index, MPI_Status* status, int& code) {
  std::vector<MPI_Request>& ready = list.ready_ones();
  int flag = 0;
  code = PMPI_Testany(count, ready.data(), index, &flag, status);
  if (code != MPI_SUCCESS && !flag) return true;
  if (!flag || (*index == MPI_UNDEFINED && list.hides())) return false;
  if (*index != MPI_UNDEFINED) list.take_back(*index);
  code = list.settle(code);
  return true;
}

/// The same for some.
bool test_some(request_list& list, int count, int* completed, int indices[], MPI_Status statuses[], int& code) {
  std::vector<MPI_Request>& ready = list.ready_ones();
  code = PMPI_Testsome(count, ready.data(), completed, indices, statuses);
  if (*completed == MPI_UNDEFINED && list.hides()) *completed = 0;
  for (int i = 0; *completed != MPI_UNDEFINED && i < *completed; ++i) list.take_back(indices[i]);
  code = list.settle(code);
  return *completed != 0 || code != MPI_SUCCESS;
}

}  // namespace

extern "C" {

int MPI_Waitall(int count, MPI_Request requests[], MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Waitall(count, requests, statuses);
  while (!list.are_all_ready()) let_all_move();
  return list.settle(PMPI_Waitall(count, requests, statuses));
}

int MPI_Testall(int count, MPI_Request requests[], int* flag, MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Testall(count, requests, flag, statuses);
  if (!list.are_all_ready()) {
    process::self().drive_mpi();
    *flag = 0;
    return MPI_SUCCESS;
  }
  const int code = PMPI_Testall(count, requests, flag, statuses);
  return *flag || code != MPI_SUCCESS ? list.settle(code) : code;
}

int MPI_Waitany(int count, MPI_Request requests[], int* index, MPI_Status* status) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Waitany(count, requests, index, status);
  int code = MPI_SUCCESS;
  while (!test_any(list, count, index, status, code)) let_all_move();
  return code;
}

int MPI_Testany(int count, MPI_Request requests[], int* index, int* flag, MPI_Status* status) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Testany(count, requests, index, flag, status);
  int code = MPI_SUCCESS;
  *flag = test_any(list, count, index, status, code) ? 1 : 0;
  if (*flag) return code;
  *index = MPI_UNDEFINED;
  process::self().drive_mpi();
  return code;
}

int MPI_Waitsome(int count, MPI_Request requests[], int* completed, int indices[], MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Waitsome(count, requests, completed, indices, statuses);
  int code = MPI_SUCCESS;
  while (!test_some(list, count, completed, indices, statuses, code)) let_all_move();
  return code;
}

int MPI_Testsome(int count, MPI_Request requests[], int* completed, int indices[], MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Testsome(count, requests, completed, indices, statuses);
  int code = MPI_SUCCESS;
  if (!test_some(list, count, completed, indices, statuses, code)) process::self().drive_mpi();
  return code;
}

}  // extern "C"
