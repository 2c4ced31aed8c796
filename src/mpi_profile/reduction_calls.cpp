// MPI's reductions: blocking, non-blocking and persistent.
#include "persistent_names.hpp"
#include "serve.hpp"

using namespace hawser::mpi_profile;

extern "C" {

int MPI_Allreduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  return serve({collective::all_reduce, false, {send}, {receive, count, type}, op, 0, comm});
}

int MPI_Iallreduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request* request) {
  return serve_later({collective::all_reduce, false, {send}, {receive, count, type}, op, 0, comm}, request);
}

int HAWSER_MPI_INIT(Allreduce)(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                               MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::all_reduce, false, {send}, {receive, count, type}, op, 0, comm}, info, request);
}

int MPI_Reduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm) {
  return serve({collective::reduce, false, {send}, {receive, count, type}, op, root, comm});
}

int MPI_Ireduce(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm,
                MPI_Request* request) {
  return serve_later({collective::reduce, false, {send}, {receive, count, type}, op, root, comm}, request);
}

int HAWSER_MPI_INIT(Reduce)(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, int root,
                            MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::reduce, false, {send}, {receive, count, type}, op, root, comm}, info, request);
}

int MPI_Reduce_scatter(const void* send, void* receive, const int counts[], MPI_Datatype type, MPI_Op op,
                       MPI_Comm comm) {
  return serve({collective::reduce_scatter, true, {send}, {receive, 0, type, counts}, op, 0, comm});
}

int MPI_Ireduce_scatter(const void* send, void* receive, const int counts[], MPI_Datatype type, MPI_Op op,
                        MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::reduce_scatter, true, {send}, {receive, 0, type, counts}, op, 0, comm}, request);
}

int HAWSER_MPI_INIT(Reduce_scatter)(const void* send, void* receive, const int counts[], MPI_Datatype type, MPI_Op op,
                                    MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::reduce_scatter, true, {send}, {receive, 0, type, counts}, op, 0, comm}, info,
                          request);
}

int MPI_Reduce_scatter_block(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  return serve({collective::reduce_scatter, false, {send}, {receive, count, type}, op, 0, comm});
}

int MPI_Ireduce_scatter_block(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                              MPI_Request* request) {
  return serve_later({collective::reduce_scatter, false, {send}, {receive, count, type}, op, 0, comm}, request);
}

int HAWSER_MPI_INIT(Reduce_scatter_block)(const void* send, void* receive, int count, MPI_Datatype type, MPI_Op op,
                                          MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::reduce_scatter, false, {send}, {receive, count, type}, op, 0, comm}, info,
                          request);
}

}  // extern "C"
