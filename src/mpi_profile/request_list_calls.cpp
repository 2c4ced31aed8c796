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

MPI_Status* at(MPI_Status* statuses, int i) {
  return statuses == MPI_STATUSES_IGNORE ? MPI_STATUS_IGNORE : statuses + i;
}

/// Once all are ready: what MPI says of its own, and the end of the persistent ones.
int end_all(request_list& list, int count, int* flag, MPI_Status statuses[]) {
  std::vector<MPI_Request>& ready = list.ready_ones();
  int code =
      flag == nullptr ? PMPI_Waitall(count, ready.data(), statuses) : PMPI_Testall(count, ready.data(), flag, statuses);
  list.settle();
  if (flag != nullptr && !*flag) return code;
  for (int i = 0; i < count; ++i)
    if (list.is_persistent_at(i)) list.next_persistent(i, at(statuses, i), code);
  return code;
}

/// Asks for any that is ready. False where nothing is complete but something may become so.
bool test_any(request_list& list, int count, int* index, MPI_Status* status, int& code) {
  std::vector<MPI_Request>& ready = list.ready_ones();
  *index = list.next_persistent(0, status, code);
  if (*index < count) return true;
  int flag = 0;
  code = PMPI_Testany(count, ready.data(), index, &flag, status);
  list.settle();
  if (code != MPI_SUCCESS) return true;
  return flag && !(*index == MPI_UNDEFINED && list.waits());
}

/// The same for some.
bool test_some(request_list& list, int count, int* completed, int indices[], MPI_Status statuses[], int& code) {
  std::vector<MPI_Request>& ready = list.ready_ones();
  code = PMPI_Testsome(count, ready.data(), completed, indices, statuses);
  list.settle();
  int ended = *completed == MPI_UNDEFINED ? 0 : *completed;
  for (int i = list.next_persistent(0, at(statuses, ended), code); i < count;
       i = list.next_persistent(i + 1, at(statuses, ended), code))
    indices[ended++] = i;
  if (ended > 0 || *completed != MPI_UNDEFINED || list.waits()) *completed = ended;
  return *completed != 0 || code != MPI_SUCCESS;
}

}  // namespace

extern "C" {

int MPI_Waitall(int count, MPI_Request requests[], MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Waitall(count, requests, statuses);
  while (!list.are_all_ready()) let_all_move();
  return end_all(list, count, nullptr, statuses);
}

int MPI_Testall(int count, MPI_Request requests[], int* flag, MPI_Status statuses[]) {
  request_list list(count, requests);
  if (!list.has_own()) return PMPI_Testall(count, requests, flag, statuses);
  if (!list.are_all_ready()) {
    process::self().drive_mpi();
    *flag = 0;
    return MPI_SUCCESS;
  }
  return end_all(list, count, flag, statuses);
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
