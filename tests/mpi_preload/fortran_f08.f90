! The module mpi_f08, which goes into the MPI library by names of its own. Run it with libhawser-mpi.so preloaded.
program through_f08
  use mpi_f08
  implicit none
  integer :: rank, n, i, numbers(100), sums(100), total, one, index
  type(MPI_Request) :: request, requests(2)
  type(MPI_Status) :: statuses(2)
  logical :: flag

  call MPI_Init()
  call MPI_Comm_rank(MPI_COMM_WORLD, rank)
  call MPI_Comm_size(MPI_COMM_WORLD, n)
  numbers = [(rank + i, i=1, 100)]
  call MPI_Allreduce(numbers, sums, 100, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  call expect(all(sums == [(n * i + n * (n - 1) / 2, i=1, 100)]), 'MPI_Allreduce')
  call MPI_Allreduce(MPI_IN_PLACE, numbers, 100, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
  call expect(all(numbers == sums), 'MPI_Allreduce in place')
  one = merge(5, 0, rank == n - 1)
  call MPI_Ibcast(one, 1, MPI_INTEGER, n - 1, MPI_COMM_WORLD, request)
  call MPI_Wait(request, MPI_STATUS_IGNORE)
  call expect(one == 5, 'MPI_Ibcast and MPI_Wait')
  one = rank
  call MPI_Iallreduce(one, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, requests(1))
  call MPI_Ibarrier(MPI_COMM_WORLD, requests(2))
  flag = .false.
  do while (.not. flag)
    call MPI_Testall(2, requests, flag, MPI_STATUSES_IGNORE)
  end do
  call expect(total == n * (n - 1) / 2, 'MPI_Testall')
  call MPI_Iallreduce(one, total, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD, requests(1))
  call MPI_Ibarrier(MPI_COMM_WORLD, requests(2))
  call MPI_Waitall(2, requests, statuses)
  call expect(total == n - 1, 'MPI_Waitall')
  call MPI_Iallreduce(one, total, 1, MPI_INTEGER, MPI_MIN, MPI_COMM_WORLD, requests(1))
  requests(2) = MPI_REQUEST_NULL
  flag = .false.
  do while (.not. flag)
    call MPI_Testany(2, requests, index, flag, MPI_STATUS_IGNORE)
  end do
  call expect(total == 0, 'MPI_Testany')  ! MPICH 4.0.2's own index is 0 here
  call MPI_Ibarrier(MPI_COMM_WORLD, request)
  flag = .false.
  do while (.not. flag)
    call MPI_Test(request, flag, MPI_STATUS_IGNORE)
  end do
  call MPI_Barrier(MPI_COMM_WORLD)
  if (rank == 0) print '(a)', 'Fortran passed'
  call MPI_Finalize()

contains

  subroutine expect(holds, what)
    logical, intent(in) :: holds
    character(*), intent(in) :: what
    if (holds) return
    print '(a,i0,a)', 'rank ', rank, ' FAILED: '//what
    call MPI_Abort(MPI_COMM_WORLD, 1)
  end subroutine
end program
