// MPI's gathers: blocking, non-blocking and persistent.
#include "persistent_names.hpp"
#include "serve.hpp"

using namespace hawser::mpi_profile;

extern "C" {

int MPI_Allgather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                  MPI_Datatype receive_type, MPI_Comm comm) {
  return serve({collective::all_gather,
                false,
                {send, send_count, send_type},
                {receive, receive_count, receive_type},
                MPI_OP_NULL,
                0,
                comm});
}

int MPI_Iallgather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                   MPI_Datatype receive_type, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::all_gather,
                      false,
                      {send, send_count, send_type},
                      {receive, receive_count, receive_type},
                      MPI_OP_NULL,
                      0,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Allgather)(const void* send, int send_count, MPI_Datatype send_type, void* receive,
                               int receive_count, MPI_Datatype receive_type, MPI_Comm comm, MPI_Info info,
                               MPI_Request* request) {
  return serve_persistent({collective::all_gather,
                           false,
                           {send, send_count, send_type},
                           {receive, receive_count, receive_type},
                           MPI_OP_NULL,
                           0,
                           comm},
                          info, request);
}

int MPI_Allgatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                   const int displacements[], MPI_Datatype receive_type, MPI_Comm comm) {
  return serve({collective::all_gather,
                true,
                {send, send_count, send_type},
                {receive, 0, receive_type, counts, displacements},
                MPI_OP_NULL,
                0,
                comm});
}

int MPI_Iallgatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                    const int displacements[], MPI_Datatype receive_type, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::all_gather,
                      true,
                      {send, send_count, send_type},
                      {receive, 0, receive_type, counts, displacements},
                      MPI_OP_NULL,
                      0,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Allgatherv)(const void* send, int send_count, MPI_Datatype send_type, void* receive,
                                const int counts[], const int displacements[], MPI_Datatype receive_type, MPI_Comm comm,
                                MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::all_gather,
                           true,
                           {send, send_count, send_type},
                           {receive, 0, receive_type, counts, displacements},
                           MPI_OP_NULL,
                           0,
                           comm},
                          info, request);
}

int MPI_Gather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
               MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return serve({collective::gather,
                false,
                {send, send_count, send_type},
                {receive, receive_count, receive_type},
                MPI_OP_NULL,
                root,
                comm});
}

int MPI_Igather(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::gather,
                      false,
                      {send, send_count, send_type},
                      {receive, receive_count, receive_type},
                      MPI_OP_NULL,
                      root,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Gather)(const void* send, int send_count, MPI_Datatype send_type, void* receive, int receive_count,
                            MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::gather,
                           false,
                           {send, send_count, send_type},
                           {receive, receive_count, receive_type},
                           MPI_OP_NULL,
                           root,
                           comm},
                          info, request);
}

int MPI_Gatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                const int displacements[], MPI_Datatype receive_type, int root, MPI_Comm comm) {
  return serve({collective::gather,
                true,
                {send, send_count, send_type},
                {receive, 0, receive_type, counts, displacements},
                MPI_OP_NULL,
                root,
                comm});
}

int MPI_Igatherv(const void* send, int send_count, MPI_Datatype send_type, void* receive, const int counts[],
                 const int displacements[], MPI_Datatype receive_type, int root, MPI_Comm comm, MPI_Request* request) {
  return serve_later({collective::gather,
                      true,
                      {send, send_count, send_type},
                      {receive, 0, receive_type, counts, displacements},
                      MPI_OP_NULL,
                      root,
                      comm},
                     request);
}

int HAWSER_MPI_INIT(Gatherv)(const void* send, int send_count, MPI_Datatype send_type, void* receive,
                             const int counts[], const int displacements[], MPI_Datatype receive_type, int root,
                             MPI_Comm comm, MPI_Info info, MPI_Request* request) {
  return serve_persistent({collective::gather,
                           true,
                           {send, send_count, send_type},
                           {receive, 0, receive_type, counts, displacements},
                           MPI_OP_NULL,
                           root,
                           comm},
                          info, request);
}

}  // extern "C"
