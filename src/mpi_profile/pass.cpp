// See pass.hpp: one switch for each form.
#include "pass.hpp"

#include "persistent_names.hpp"

namespace hawser::mpi_profile {

int pass(const arguments& c) {
  const buffer_arguments &s = c.send, &r = c.receive;
  switch (c.what) {
    case collective::all_reduce: return PMPI_Allreduce(s.address, r.writable(), r.count, r.type, c.op, c.comm);
    case collective::reduce_scatter:
      if (c.is_ragged) return PMPI_Reduce_scatter(s.address, r.writable(), r.counts, r.type, c.op, c.comm);
      return PMPI_Reduce_scatter_block(s.address, r.writable(), r.count, r.type, c.op, c.comm);
    case collective::all_gather:
      if (c.is_ragged)
        return PMPI_Allgatherv(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type, c.comm);
      return PMPI_Allgather(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm);
    case collective::all_to_all:
      return PMPI_Alltoall(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm);
    case collective::all_to_all_v:
      return PMPI_Alltoallv(s.address, s.counts, s.displacements, s.type, r.writable(), r.counts, r.displacements,
                            r.type, c.comm);
    case collective::broadcast: return PMPI_Bcast(r.writable(), r.count, r.type, c.root, c.comm);
    case collective::reduce: return PMPI_Reduce(s.address, r.writable(), r.count, r.type, c.op, c.root, c.comm);
    case collective::gather:
      if (c.is_ragged)
        return PMPI_Gatherv(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type, c.root,
                            c.comm);
      return PMPI_Gather(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm);
    case collective::scatter:
      if (c.is_ragged)
        return PMPI_Scatterv(s.address, s.counts, s.displacements, s.type, r.writable(), r.count, r.type, c.root,
                             c.comm);
      return PMPI_Scatter(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm);
    case collective::barrier: return PMPI_Barrier(c.comm);
  }
  return MPI_ERR_INTERN;
}

int pass_later(const arguments& c, MPI_Request* request) {
  const buffer_arguments &s = c.send, &r = c.receive;
  switch (c.what) {
    case collective::all_reduce:
      return PMPI_Iallreduce(s.address, r.writable(), r.count, r.type, c.op, c.comm, request);
    case collective::reduce_scatter:
      if (c.is_ragged) return PMPI_Ireduce_scatter(s.address, r.writable(), r.counts, r.type, c.op, c.comm, request);
      return PMPI_Ireduce_scatter_block(s.address, r.writable(), r.count, r.type, c.op, c.comm, request);
    case collective::all_gather:
      if (c.is_ragged)
        return PMPI_Iallgatherv(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type, c.comm,
                                request);
      return PMPI_Iallgather(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm, request);
    case collective::all_to_all:
      return PMPI_Ialltoall(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm, request);
    case collective::all_to_all_v:
      return PMPI_Ialltoallv(s.address, s.counts, s.displacements, s.type, r.writable(), r.counts, r.displacements,
                             r.type, c.comm, request);
    case collective::broadcast: return PMPI_Ibcast(r.writable(), r.count, r.type, c.root, c.comm, request);
    case collective::reduce:
      return PMPI_Ireduce(s.address, r.writable(), r.count, r.type, c.op, c.root, c.comm, request);
    case collective::gather:
      if (c.is_ragged)
        return PMPI_Igatherv(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type, c.root,
                             c.comm, request);
      return PMPI_Igather(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm, request);
    case collective::scatter:
      if (c.is_ragged)
        return PMPI_Iscatterv(s.address, s.counts, s.displacements, s.type, r.writable(), r.count, r.type, c.root,
                              c.comm, request);
      return PMPI_Iscatter(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm, request);
    case collective::barrier: return PMPI_Ibarrier(c.comm, request);
  }
  return MPI_ERR_INTERN;
}

int pass_persistent(const arguments& c, MPI_Info info, MPI_Request* request) {
  const buffer_arguments &s = c.send, &r = c.receive;
  switch (c.what) {
    case collective::all_reduce:
      return HAWSER_PMPI_INIT(Allreduce)(s.address, r.writable(), r.count, r.type, c.op, c.comm, info, request);
    case collective::reduce_scatter:
      if (c.is_ragged)
        return HAWSER_PMPI_INIT(Reduce_scatter)(s.address, r.writable(), r.counts, r.type, c.op, c.comm, info, request);
      return HAWSER_PMPI_INIT(Reduce_scatter_block)(s.address, r.writable(), r.count, r.type, c.op, c.comm, info,
                                                    request);
    case collective::all_gather:
      if (c.is_ragged)
        return HAWSER_PMPI_INIT(Allgatherv)(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type,
                                            c.comm, info, request);
      return HAWSER_PMPI_INIT(Allgather)(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm, info,
                                         request);
    case collective::all_to_all:
      return HAWSER_PMPI_INIT(Alltoall)(s.address, s.count, s.type, r.writable(), r.count, r.type, c.comm, info,
                                        request);
    case collective::all_to_all_v:
      return HAWSER_PMPI_INIT(Alltoallv)(s.address, s.counts, s.displacements, s.type, r.writable(), r.counts,
                                         r.displacements, r.type, c.comm, info, request);
    case collective::broadcast:
      return HAWSER_PMPI_INIT(Bcast)(r.writable(), r.count, r.type, c.root, c.comm, info, request);
    case collective::reduce:
      return HAWSER_PMPI_INIT(Reduce)(s.address, r.writable(), r.count, r.type, c.op, c.root, c.comm, info, request);
    case collective::gather:
      if (c.is_ragged)
        return HAWSER_PMPI_INIT(Gatherv)(s.address, s.count, s.type, r.writable(), r.counts, r.displacements, r.type,
                                         c.root, c.comm, info, request);
      return HAWSER_PMPI_INIT(Gather)(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm, info,
                                      request);
    case collective::scatter:
      if (c.is_ragged)
        return HAWSER_PMPI_INIT(Scatterv)(s.address, s.counts, s.displacements, s.type, r.writable(), r.count, r.type,
                                          c.root, c.comm, info, request);
      return HAWSER_PMPI_INIT(Scatter)(s.address, s.count, s.type, r.writable(), r.count, r.type, c.root, c.comm, info,
                                       request);
    case collective::barrier: return HAWSER_PMPI_INIT(Barrier)(c.comm, info, request);
  }
  return MPI_ERR_INTERN;
}

}  // namespace hawser::mpi_profile
