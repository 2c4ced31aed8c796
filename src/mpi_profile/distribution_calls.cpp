// MPI's broadcast and scatters: blocking, non-blocking and persistent.
#include "persistent_names.hpp"
#include "serve.hpp"

using namespace hawser::mpi_profile;

extern "C" {

int MPI_Bcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm) {
  return serve({collective::broadcast, false, {}, {buffer, count, type}, MPI_OP_NULL, root, comm});
}

int MPI_Ibcast(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::broadcast, false, {}, {buffer, count, type}, MPI_OP_NULL, root, comm}, request);
}

int HAWSER_MPI_INIT(Bcast)(void* buffer, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Info info,
                           MPI_Request* request) {
  return serve_persistent({collective::broadcast, false, {}, {buffer, count, type}, MPI_OP_NULL, root, comm}, info,
                          request);
}

int MPI_Scatter(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return serve({collective::scatter,
                false,
                {send, send_count, send_type},
                {receive, receive_count, receive_type},
                MPI_OP_NULL,
                root,
                comm});
}

int MPI_Iscatter(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                 MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::scatter,
                      false,
                      {send, send_count, send_type},
                      {receive, receive_count, receive_type},
                      MPI_OP_NULL,
                      root,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Scatter)(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                             MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::scatter,
                           false,
                           {send, send_count, send_type},
                           {receive, receive_count, receive_type},
                           MPI_OP_NULL,
                           root,
                           comm},
                          info, request);
}

int MPI_Scatterv(const void* send, const int counts[], const int displacements[], MPI_Datatype send_type, void* receive,
                 int receive_count, MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return serve({collective::scatter,
                true,
                {send, 0, send_type, counts, displacements},
                {receive, receive_count, receive_type},
                MPI_OP_NULL,
                root,
                comm});
}

int MPI_Iscatterv(const void* send, const int counts[], const int displacements[], MPI_Datatype send_type,
                  void* receive, int receive_count, MPI_Datatype receive_type, int root, MPI_Comm comm,
                  MPI_Request* request) {
  return serve_later({collective::scatter,
                      true,
                      {send, 0, send_type, counts, displacements},
                      {receive, receive_count, receive_type},
                      MPI_OP_NULL,
                      root,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Scatterv)(const void* send, const int counts[], const int displacements[], MPI_Datatype send_type,
                              void* receive, int receive_count, MPI_Datatype receive_type, int root, MPI_Comm comm,
                              MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::scatter,
                           true,
                           {send, 0, send_type, counts, displacements},
                           {receive, receive_count, receive_type},
                           MPI_OP_NULL,
                           root,
                           comm},
                          info, request);
}

}  // extern "C"
