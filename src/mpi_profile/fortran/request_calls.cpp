// Fortran's calls on requests under Open MPI, and the beginning and the end of MPI. Where no request of this library
// exists they go to Open MPI's own. The module mpi_f08 calls the test family as pmpi_x_, the others as ompi_x_f.
#include "../requests.hpp"
#include "request_lists.hpp"

#ifdef OPEN_MPI

using namespace hawser::mpi_profile;
using namespace hawser::mpi_profile::fortran;

extern "C" __attribute__((weak)) void pmpi_wait_(MPI_Fint* request, MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_wait_f(MPI_Fint* request, MPI_Fint* status,
                                                                   MPI_Fint* error) {
  if (!has_requests()) return pmpi_wait_(request, status, error);
  requests one(1, request);
  statuses told(1, status);
  finish(error, MPI_Wait(one.data(), told.data()));
}
HAWSER_FORTRAN_NAMES(ompi_wait_f, _wait, (MPI_Fint * request, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void ompi_test_f(MPI_Fint* request, MPI_Fint* flag, MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void pmpi_test_(MPI_Fint* request, MPI_Fint* flag, MPI_Fint* status,
                                                                  MPI_Fint* error) {
  if (!has_requests()) return ompi_test_f(request, flag, status, error);
  requests one(1, request);
  statuses told(1, status);
  finish(error, MPI_Test(one.data(), flag, told.data()));
}
HAWSER_FORTRAN_NAMES(pmpi_test_, _test, (MPI_Fint * request, MPI_Fint* flag, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_waitall_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_waitall_f(MPI_Fint* count, MPI_Fint* list, MPI_Fint* status,
                                                                      MPI_Fint* error) {
  if (!has_requests()) return pmpi_waitall_(count, list, status, error);
  requests all(*count, list);
  statuses told(*count, status);
  finish(error, MPI_Waitall(*count, all.data(), told.data()));
}
HAWSER_FORTRAN_NAMES(ompi_waitall_f, _waitall, (MPI_Fint * count, MPI_Fint* list, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void ompi_testall_f(MPI_Fint* count, MPI_Fint* list, MPI_Fint* flag, MPI_Fint* status,
                                                     MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void pmpi_testall_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* flag,
                                                                     MPI_Fint* status, MPI_Fint* error) {
  if (!has_requests()) return ompi_testall_f(count, list, flag, status, error);
  requests all(*count, list);
  statuses told(*count, status);
  finish(error, MPI_Testall(*count, all.data(), flag, told.data()));
}
HAWSER_FORTRAN_NAMES(pmpi_testall_, _testall,
                     (MPI_Fint * count, MPI_Fint* list, MPI_Fint* flag, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_waitany_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* index, MPI_Fint* status,
                                                    MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_waitany_f(MPI_Fint* count, MPI_Fint* list, MPI_Fint* index,
                                                                      MPI_Fint* status, MPI_Fint* error) {
  if (!has_requests()) return pmpi_waitany_(count, list, index, status, error);
  requests all(*count, list);
  statuses told(1, status);
  finish(error, MPI_Waitany(*count, all.data(), index, told.data()));
  count_from_one(index);
}
HAWSER_FORTRAN_NAMES(ompi_waitany_f, _waitany,
                     (MPI_Fint * count, MPI_Fint* list, MPI_Fint* index, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void ompi_testany_f(MPI_Fint* count, MPI_Fint* list, MPI_Fint* index, MPI_Fint* flag,
                                                     MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void pmpi_testany_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* index,
                                                                     MPI_Fint* flag, MPI_Fint* status,
                                                                     MPI_Fint* error) {
  if (!has_requests()) return ompi_testany_f(count, list, index, flag, status, error);
  requests all(*count, list);
  statuses told(1, status);
  finish(error, MPI_Testany(*count, all.data(), index, flag, told.data()));
  count_from_one(index);
}
HAWSER_FORTRAN_NAMES(pmpi_testany_, _testany,
                     (MPI_Fint * count, MPI_Fint* list, MPI_Fint* index, MPI_Fint* flag, MPI_Fint* status,
                      MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_waitsome_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* completed,
                                                     MPI_Fint* indices, MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_waitsome_f(MPI_Fint* count, MPI_Fint* list,
                                                                       MPI_Fint* completed, MPI_Fint* indices,
                                                                       MPI_Fint* status, MPI_Fint* error) {
  if (!has_requests()) return pmpi_waitsome_(count, list, completed, indices, status, error);
  requests all(*count, list);
  statuses told(*count, status);
  finish(error, MPI_Waitsome(*count, all.data(), completed, indices, told.data()));
  for (int i = 0; *completed != MPI_UNDEFINED && i < *completed; ++i) count_from_one(indices + i);
}
HAWSER_FORTRAN_NAMES(ompi_waitsome_f, _waitsome,
                     (MPI_Fint * count, MPI_Fint* list, MPI_Fint* completed, MPI_Fint* indices, MPI_Fint* status,
                      MPI_Fint* error))

extern "C" __attribute__((weak)) void ompi_testsome_f(MPI_Fint* count, MPI_Fint* list, MPI_Fint* completed,
                                                      MPI_Fint* indices, MPI_Fint* status, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void pmpi_testsome_(MPI_Fint* count, MPI_Fint* list,
                                                                      MPI_Fint* completed, MPI_Fint* indices,
                                                                      MPI_Fint* status, MPI_Fint* error) {
  if (!has_requests()) return ompi_testsome_f(count, list, completed, indices, status, error);
  requests all(*count, list);
  statuses told(*count, status);
  finish(error, MPI_Testsome(*count, all.data(), completed, indices, told.data()));
  for (int i = 0; *completed != MPI_UNDEFINED && i < *completed; ++i) count_from_one(indices + i);
}
HAWSER_FORTRAN_NAMES(pmpi_testsome_, _testsome,
                     (MPI_Fint * count, MPI_Fint* list, MPI_Fint* completed, MPI_Fint* indices, MPI_Fint* status,
                      MPI_Fint* error))

extern "C" __attribute__((weak)) void ompi_request_get_status_f(MPI_Fint* request, MPI_Fint* flag, MPI_Fint* status,
                                                                MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void pmpi_request_get_status_(MPI_Fint* request, MPI_Fint* flag,
                                                                                MPI_Fint* status, MPI_Fint* error) {
  if (!has_requests()) return ompi_request_get_status_f(request, flag, status, error);
  statuses told(1, status);
  finish(error, MPI_Request_get_status(PMPI_Request_f2c(*request), flag, told.data()));
}
HAWSER_FORTRAN_NAMES(pmpi_request_get_status_, _request_get_status,
                     (MPI_Fint * request, MPI_Fint* flag, MPI_Fint* status, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_request_free_(MPI_Fint* request, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_request_free_f(MPI_Fint* request, MPI_Fint* error) {
  if (!has_requests()) return pmpi_request_free_(request, error);
  requests one(1, request);
  finish(error, MPI_Request_free(one.data()));
}
HAWSER_FORTRAN_NAMES(ompi_request_free_f, _request_free, (MPI_Fint * request, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_cancel_(MPI_Fint* request, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_cancel_f(MPI_Fint* request, MPI_Fint* error) {
  if (!has_requests()) return pmpi_cancel_(request, error);
  requests one(1, request);
  finish(error, MPI_Cancel(one.data()));
}
HAWSER_FORTRAN_NAMES(ompi_cancel_f, _cancel, (MPI_Fint * request, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_start_(MPI_Fint* request, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_start_f(MPI_Fint* request, MPI_Fint* error) {
  if (!has_requests()) return pmpi_start_(request, error);
  requests one(1, request);
  finish(error, MPI_Start(one.data()));
}
HAWSER_FORTRAN_NAMES(ompi_start_f, _start, (MPI_Fint * request, MPI_Fint* error))

extern "C" __attribute__((weak)) void pmpi_startall_(MPI_Fint* count, MPI_Fint* list, MPI_Fint* error);
extern "C" __attribute__((visibility("default"))) void ompi_startall_f(MPI_Fint* count, MPI_Fint* list,
                                                                       MPI_Fint* error) {
  if (!has_requests()) return pmpi_startall_(count, list, error);
  requests all(*count, list);
  finish(error, MPI_Startall(*count, all.data()));
}
HAWSER_FORTRAN_NAMES(ompi_startall_f, _startall, (MPI_Fint * count, MPI_Fint* list, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_init_f(MPI_Fint* error) {
  finish(error, MPI_Init(nullptr, nullptr));
}
HAWSER_FORTRAN_NAMES(ompi_init_f, _init, (MPI_Fint * error))

extern "C" __attribute__((visibility("default"))) void ompi_init_thread_f(MPI_Fint* required, MPI_Fint* provided,
                                                                          MPI_Fint* error) {
  finish(error, MPI_Init_thread(nullptr, nullptr, *required, provided));
}
HAWSER_FORTRAN_NAMES(ompi_init_thread_f, _init_thread, (MPI_Fint * required, MPI_Fint* provided, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_finalize_f(MPI_Fint* error) {
  finish(error, MPI_Finalize());
}
HAWSER_FORTRAN_NAMES(ompi_finalize_f, _finalize, (MPI_Fint * error))

#endif  // OPEN_MPI
