// Fortran's reductions under Open MPI: the calls in C with Fortran's handles.
#include "handles.hpp"

#ifdef OPEN_MPI

using namespace hawser::mpi_profile::fortran;

extern "C" __attribute__((visibility("default"))) void ompi_allreduce_f(char* send, char* receive, MPI_Fint* count,
                                                                        MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                                                                        MPI_Fint* error) {
  finish(error, MPI_Allreduce(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                              PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_allreduce_f, _allreduce,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_iallreduce_f(char* send, char* receive, MPI_Fint* count,
                                                                         MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                                                                         MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Iallreduce(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                                  PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_iallreduce_f, _iallreduce,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_allreduce_init_f(char* send, char* receive,
                                                                              MPI_Fint* count, MPI_Fint* type,
                                                                              MPI_Fint* op, MPI_Fint* comm,
                                                                              MPI_Fint* info, MPI_Fint* request,
                                                                              MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Allreduce_init(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                                       PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_allreduce_init_f, x_allreduce_init,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_reduce_f(char* send, char* receive, MPI_Fint* count,
                                                                     MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                                                                     MPI_Fint* comm, MPI_Fint* error) {
  finish(error, MPI_Reduce(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op), *root,
                           PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_reduce_f, _reduce,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                      MPI_Fint* comm, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ireduce_f(char* send, char* receive, MPI_Fint* count,
                                                                      MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                                                                      MPI_Fint* comm, MPI_Fint* request,
                                                                      MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ireduce(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op), *root,
                               PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ireduce_f, _ireduce,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                      MPI_Fint* comm, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_reduce_init_f(char* send, char* receive, MPI_Fint* count,
                                                                           MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                                                                           MPI_Fint* comm, MPI_Fint* info,
                                                                           MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Reduce_init(address(send), address(receive), *count, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                                    *root, PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_reduce_init_f, x_reduce_init,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* root,
                      MPI_Fint* comm, MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_reduce_scatter_f(char* send, char* receive,
                                                                             MPI_Fint* counts, MPI_Fint* type,
                                                                             MPI_Fint* op, MPI_Fint* comm,
                                                                             MPI_Fint* error) {
  finish(error, MPI_Reduce_scatter(address(send), address(receive), counts, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                                   PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_reduce_scatter_f, _reduce_scatter,
                     (char* send, char* receive, MPI_Fint* counts, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ireduce_scatter_f(char* send, char* receive,
                                                                              MPI_Fint* counts, MPI_Fint* type,
                                                                              MPI_Fint* op, MPI_Fint* comm,
                                                                              MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ireduce_scatter(address(send), address(receive), counts, PMPI_Type_f2c(*type), PMPI_Op_f2c(*op),
                                       PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ireduce_scatter_f, _ireduce_scatter,
                     (char* send, char* receive, MPI_Fint* counts, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_reduce_scatter_init_f(char* send, char* receive,
                                                                                   MPI_Fint* counts, MPI_Fint* type,
                                                                                   MPI_Fint* op, MPI_Fint* comm,
                                                                                   MPI_Fint* info, MPI_Fint* request,
                                                                                   MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Reduce_scatter_init(address(send), address(receive), counts, PMPI_Type_f2c(*type),
                                            PMPI_Op_f2c(*op), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_reduce_scatter_init_f, x_reduce_scatter_init,
                     (char* send, char* receive, MPI_Fint* counts, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_reduce_scatter_block_f(char* send, char* receive,
                                                                                   MPI_Fint* count, MPI_Fint* type,
                                                                                   MPI_Fint* op, MPI_Fint* comm,
                                                                                   MPI_Fint* error) {
  finish(error, MPI_Reduce_scatter_block(address(send), address(receive), *count, PMPI_Type_f2c(*type),
                                         PMPI_Op_f2c(*op), PMPI_Comm_f2c(*comm)));
}
HAWSER_FORTRAN_NAMES(ompi_reduce_scatter_block_f, _reduce_scatter_block,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompi_ireduce_scatter_block_f(char* send, char* receive,
                                                                                    MPI_Fint* count, MPI_Fint* type,
                                                                                    MPI_Fint* op, MPI_Fint* comm,
                                                                                    MPI_Fint* request,
                                                                                    MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPI_Ireduce_scatter_block(address(send), address(receive), *count, PMPI_Type_f2c(*type),
                                             PMPI_Op_f2c(*op), PMPI_Comm_f2c(*comm), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompi_ireduce_scatter_block_f, _ireduce_scatter_block,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* request, MPI_Fint* error))

extern "C" __attribute__((visibility("default"))) void ompix_reduce_scatter_block_init_f(
    char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm, MPI_Fint* info,
    MPI_Fint* request, MPI_Fint* error) {
  MPI_Request made = MPI_REQUEST_NULL;
  const int code = MPIX_Reduce_scatter_block_init(address(send), address(receive), *count, PMPI_Type_f2c(*type),
                                                  PMPI_Op_f2c(*op), PMPI_Comm_f2c(*comm), PMPI_Info_f2c(*info), &made);
  finish(error, code, made, request);
}
HAWSER_FORTRAN_NAMES(ompix_reduce_scatter_block_init_f, x_reduce_scatter_block_init,
                     (char* send, char* receive, MPI_Fint* count, MPI_Fint* type, MPI_Fint* op, MPI_Fint* comm,
                      MPI_Fint* info, MPI_Fint* request, MPI_Fint* error))

#endif  // OPEN_MPI
