! Collectives, requests and sentinels through MPI's Fortran bindings. Run it with libhawser-mpi.so preloaded.
program through_fortran
  use mpi
  implicit none
  integer :: code, rank, n, i, request, requests(2), flag_index, statuses(MPI_STATUS_SIZE, 2)
  integer :: status(MPI_STATUS_SIZE), numbers(100), sums(100), one, total, token
  integer, allocatable :: all(:), counts(:), places(:)
  logical :: flag
  double precision :: x(50), y(50)

  call MPI_Init(code)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, code)
  call MPI_Comm_size(MPI_COMM_WORLD, n, code)
  allocate (all(2 * n), counts(n), places(n))
  numbers = [(rank + i, i=1, 100)]
  call MPI_Allreduce(numbers, sums, 100, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, code)
  call expect(all_equal(sums), 'MPI_Allreduce')
  sums = numbers
  call MPI_Allreduce(MPI_IN_PLACE, sums, 100, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, code)
  call expect(all_equal(sums), 'MPI_Allreduce in place')
  x = rank + 0.5d0
  call MPI_Reduce(x, y, 50, MPI_DOUBLE_PRECISION, MPI_MAX, 0, MPI_COMM_WORLD, code)
  if (rank == 0) call expect(maxval(abs(y - (n - 0.5d0))) == 0, 'MPI_Reduce')
  all = -1
  all(2 * rank + 1:2 * rank + 2) = [rank, 10 * rank]
  call MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, 2, MPI_INTEGER, MPI_COMM_WORLD, code)
  call expect(count(all == [(merge((i - 1) / 2, 10 * ((i - 1) / 2), mod(i, 2) == 1), i=1, 2 * n)]) == 2 * n, 'MPI_Allgather')
  counts = 1
  places = [(2 * n - 2 * i, i=1, n)]
  one = 7 * rank
  call MPI_Gatherv(one, 1, MPI_INTEGER, all, counts, places, MPI_INTEGER, 0, MPI_COMM_WORLD, code)
  if (rank == 0) call expect(all(1) == 7 * (n - 1), 'MPI_Gatherv')
  one = merge(5, 0, rank == n - 1)
  call MPI_Ibcast(one, 1, MPI_INTEGER, n - 1, MPI_COMM_WORLD, request, code)
  call MPI_Wait(request, MPI_STATUS_IGNORE, code)
  call expect(one == 5 .and. request == MPI_REQUEST_NULL, 'MPI_Ibcast and MPI_Wait')
  one = rank
  call MPI_Iallreduce(one, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, requests(1), code)
  call MPI_Ibarrier(MPI_COMM_WORLD, requests(2), code)
  call MPI_Waitall(2, requests, statuses, code)
  call expect(total == n * (n - 1) / 2, 'MPI_Iallreduce and MPI_Waitall')
  call MPI_Iallreduce(one, total, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD, requests(1), code)
  requests(2) = MPI_REQUEST_NULL
  call MPI_Waitany(2, requests, flag_index, status, code)
  call expect(flag_index == 1 .and. total == n - 1, 'MPI_Waitany counts from one')
  call MPI_Ibarrier(MPI_COMM_WORLD, request, code)
  flag = .false.
  do while (.not. flag)
    call MPI_Test(request, flag, status, code)
  end do
  token = rank
  call MPI_Isend(token, 1, MPI_INTEGER, rank, 3, MPI_COMM_WORLD, request, code)
  call MPI_Recv(total, 1, MPI_INTEGER, rank, 3, MPI_COMM_WORLD, status, code)
  call MPI_Wait(request, status, code)
  call expect(total == rank, 'a message')
  call MPI_Barrier(MPI_COMM_WORLD, code)
  if (rank == 0) print '(a)', 'Fortran passed'
  call MPI_Finalize(code)

contains

  logical function all_equal(found)
    integer, intent(in) :: found(100)
    integer :: k
    all_equal = count(found == [(n * k + n * (n - 1) / 2, k=1, 100)]) == 100
  end function

  subroutine expect(holds, what)
    logical, intent(in) :: holds
    character(*), intent(in) :: what
    if (holds) return
    print '(a,i0,a)', 'rank ', rank, ' FAILED: '//what
    call MPI_Abort(MPI_COMM_WORLD, 1, code)
  end subroutine
end program
