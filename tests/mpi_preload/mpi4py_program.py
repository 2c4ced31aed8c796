"""mpi4py under the preloaded library: objects, buffers, requests. Exits with 77 (skipped) where mpi4py is missing."""
import sys

try:
    from mpi4py import MPI
except ImportError:
    print("SKIPPED: python3-mpi4py is not installed")
    sys.exit(77)
from array import array

comm = MPI.COMM_WORLD
rank, size = comm.Get_rank(), comm.Get_size()
total = size * (size - 1) // 2

assert comm.allreduce(rank) == total
assert comm.allgather({"rank": rank}) == [{"rank": r} for r in range(size)]
assert comm.bcast("text" if rank == 0 else None) == "text"
assert comm.alltoall([(rank, r) for r in range(size)]) == [(r, rank) for r in range(size)]
assert comm.scatter(list(range(size)) if rank == 0 else None) == rank

values, sums = array("d", [rank + i for i in range(1000)]), array("d", bytes(8000))
comm.Allreduce(values, sums, op=MPI.SUM)
assert list(sums) == [total + size * i for i in range(1000)]
comm.Allreduce(MPI.IN_PLACE, values, op=MPI.SUM)
assert values == sums
request = comm.Iallreduce(sums, values, op=MPI.MAX)
MPI.Request.Waitall([request, comm.Ibarrier()])
assert values == sums
half = comm.Split(rank % 2)
assert half.allreduce(1) == half.Get_size()
half.Free()
if rank == 0:
    print("mpi4py passed")
