// MPI's all-to-alls, and the barrier: blocking, non-blocking and persistent.
#include "persistent_names.hpp"
#include "serve.hpp"

using namespace hawser::mpi_profile;

extern "C" {

int MPI_Alltoall(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                 MPI_Datatype receive_type, MPI_Comm comm) {
  return serve({collective::all_to_all,
                false,
                {send, send_count, send_type},
                {receive, receive_count, receive_type},
                MPI_OP_NULL,
                0,
                comm});
}

int MPI_Ialltoall(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                  MPI_Datatype receive_type, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::all_to_all,
                      false,
                      {send, send_count, send_type},
                      {receive, receive_count, receive_type},
                      MPI_OP_NULL,
                      0,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Alltoall)(const void* send, int send_count, MPI_Datatype send_type, void* receive,
                              int receive_count, MPI_Datatype receive_type, MPI_Comm comm, MPI_Info info,
                              MPI_Request* request) {
  return serve_persistent({collective::all_to_all,
                           false,
                           {send, send_count, send_type},
                           {receive, receive_count, receive_type},
                           MPI_OP_NULL,
                           0,
                           comm},
                          info, request);
}

int MPI_Alltoallv(const void* send, const int send_counts[], const int send_displacements[], MPI_Datatype send_type,
                  void* receive, const int counts[], const int displacements[], MPI_Datatype receive_type,
                  MPI_Comm comm) {
  return serve({collective::all_to_all_v,
                true,
                {send, 0, send_type, send_counts, send_displacements},
                {receive, 0, receive_type, counts, displacements},
                MPI_OP_NULL,
                0,
                comm});
}

int MPI_Ialltoallv(const void* send, const int send_counts[], const int send_displacements[], MPI_Datatype send_type,
                   void* receive, const int counts[], const int displacements[], MPI_Datatype receive_type,
                   MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::all_to_all_v,
                      true,
                      {send, 0, send_type, send_counts, send_displacements},
                      {receive, 0, receive_type, counts, displacements},
                      MPI_OP_NULL,
                      0,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Alltoallv)(const void* send, const int send_counts[], const int send_displacements[],
                               MPI_Datatype send_type, void* receive, const int counts[], const int displacements[],
                               MPI_Datatype receive_type, MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::all_to_all_v,
                           true,
                           {send, 0, send_type, send_counts, send_displacements},
                           {receive, 0, receive_type, counts, displacements},
                           MPI_OP_NULL,
                           0,
                           comm},
                          info, request);
}

int MPI_Barrier(MPI_Comm comm) {
  return serve({collective::barrier, false, {}, {}, MPI_OP_NULL, 0, comm});
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::barrier, false, {}, {}, MPI_OP_NULL, 0, comm}, request);
}

int HAWSER_MPI_INIT(Barrier)(MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::barrier, false, {}, {}, MPI_OP_NULL, 0, comm}, info, request);
}

}  // extern "C"
