! MPI's Fortran bindings: collectives through MPI_ and PMPI_ on the same data, blocking and nonblocking, in place, with
! MPI_BOTTOM, Fortran's own types and pairs. Bare it shows that it is right; under a profiling library it tests that.
program conformance
  use mpi
  implicit none
  integer, parameter :: n = 7
  integer :: ierror, rank, ranks, checks, failures, all_checks, all_failures, root

  checks = 0
  failures = 0
  call MPI_Init(ierror)
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, ranks, ierror)
  call sums
  call logicals
  call places
  call blocks
  do root = 0, ranks - 1
    call with_root
  end do
  call errors
  call PMPI_Allreduce(checks, all_checks, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
  call PMPI_Allreduce(failures, all_failures, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
  if (rank == 0) print '(a,i0,a,i0,a,i0,a)', 'fortran: ', all_checks, ' checks, ', all_failures, ' failed, on ', ranks, ' ranks'
  call MPI_Finalize(ierror)
  if (all_failures > 0 .or. all_checks == 0) error stop 1

contains

  subroutine check(holds, what)
    logical, intent(in) :: holds
    character(*), intent(in) :: what
    checks = checks + 1
    if (holds) return
    failures = failures + 1
    print '(a,i0,a,a)', 'FAILED (rank ', rank, '): ', what
  end subroutine

  subroutine sums
    integer :: whole(n), expected(n), got(n), request, i
    double precision :: twice(n), twice_expected(n), twice_got(n)
    complex :: pairs(n), pairs_expected(n), pairs_got(n)
    do i = 1, n
      whole(i) = 100 * rank + i
      twice(i) = 0.5d0 * i * (rank + 1)
      pairs(i) = cmplx(rank + 1, -i)
    end do
    call PMPI_Allreduce(whole, expected, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(whole, got, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Allreduce of MPI_INTEGER')
    got = whole
    call MPI_Allreduce(MPI_IN_PLACE, got, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Allreduce of MPI_INTEGER in place')
    got = -1
    call MPI_Iallreduce(whole, got, n, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, request, ierror)
    call MPI_Wait(request, MPI_STATUS_IGNORE, ierror)
    call check(all(got == expected) .and. request == MPI_REQUEST_NULL, 'Iallreduce of MPI_INTEGER')
    call PMPI_Allreduce(twice, twice_expected, n, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(twice, twice_got, n, MPI_DOUBLE_PRECISION, MPI_MAX, MPI_COMM_WORLD, ierror)
    call check(all(twice_got == twice_expected), 'Allreduce of MPI_DOUBLE_PRECISION')
    call PMPI_Allreduce(pairs, pairs_expected, n, MPI_COMPLEX, MPI_SUM, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(pairs, pairs_got, n, MPI_COMPLEX, MPI_SUM, MPI_COMM_WORLD, ierror)
    call check(all(pairs_got == pairs_expected), 'Allreduce of MPI_COMPLEX')
  end subroutine

  subroutine logicals
    logical :: mine(3), expected(3), got(3)
    mine = [rank == 0, .true., rank == ranks - 1]
    call PMPI_Allreduce(mine, expected, 3, MPI_LOGICAL, MPI_LAND, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(mine, got, 3, MPI_LOGICAL, MPI_LAND, MPI_COMM_WORLD, ierror)
    call check(all(got .eqv. expected), 'Allreduce of MPI_LOGICAL by MPI_LAND')
    call PMPI_Allreduce(mine, expected, 3, MPI_LOGICAL, MPI_LXOR, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(mine, got, 3, MPI_LOGICAL, MPI_LXOR, MPI_COMM_WORLD, ierror)
    call check(all(got .eqv. expected), 'Allreduce of MPI_LOGICAL by MPI_LXOR')
  end subroutine

  subroutine places
    double precision :: mine(2, 3), expected(2, 3), got(2, 3)
    mine(1, :) = [mod(rank, 2), -rank, 5]
    mine(2, :) = rank
    call PMPI_Allreduce(mine, expected, 3, MPI_2DOUBLE_PRECISION, MPI_MINLOC, MPI_COMM_WORLD, ierror)
    call MPI_Allreduce(mine, got, 3, MPI_2DOUBLE_PRECISION, MPI_MINLOC, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Allreduce of MPI_2DOUBLE_PRECISION by MPI_MINLOC')
  end subroutine

  subroutine blocks
    real :: sent(n * ranks), expected(n * ranks), got(n * ranks)
    integer :: counts(ranks), starts(ranks), i
    do i = 1, n * ranks
      sent(i) = 1000 * rank + i
    end do
    call PMPI_Alltoall(sent, n, MPI_REAL, expected, n, MPI_REAL, MPI_COMM_WORLD, ierror)
    call MPI_Alltoall(sent, n, MPI_REAL, got, n, MPI_REAL, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Alltoall of MPI_REAL')
    call PMPI_Allgather(sent, n, MPI_REAL, expected, n, MPI_REAL, MPI_COMM_WORLD, ierror)
    got = -1
    got(n * rank + 1:n * rank + n) = sent(1:n)
    call MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, got, n, MPI_REAL, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Allgather of MPI_REAL in place')
    do i = 1, ranks
      counts(i) = mod(i, 3)
      starts(i) = n * (ranks - i)
    end do
    expected = -2
    got = -2
    call PMPI_Allgatherv(sent, counts(rank + 1), MPI_REAL, expected, counts, starts, MPI_REAL, MPI_COMM_WORLD, ierror)
    call MPI_Allgatherv(sent, counts(rank + 1), MPI_REAL, got, counts, starts, MPI_REAL, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Allgatherv of MPI_REAL')
    call PMPI_Reduce_scatter_block(sent, expected, n, MPI_REAL, MPI_MIN, MPI_COMM_WORLD, ierror)
    call MPI_Reduce_scatter_block(sent, got, n, MPI_REAL, MPI_MIN, MPI_COMM_WORLD, ierror)
    call check(all(got(1:n) == expected(1:n)), 'Reduce_scatter_block of MPI_REAL')
    call MPI_Barrier(MPI_COMM_WORLD, ierror)
    call check(ierror == MPI_SUCCESS, 'Barrier')
  end subroutine

  subroutine with_root
    integer, volatile :: news(n)  ! MPI_BOTTOM reaches it behind the compiler's back
    integer :: sent(n * ranks), expected(n * ranks), got(n * ranks), i, absolute, request
    integer(MPI_ADDRESS_KIND) :: address(1)
    integer :: lengths(1)
    news = merge(root + 5, -1, rank == root)
    call MPI_Bcast(news, n, MPI_INTEGER, root, MPI_COMM_WORLD, ierror)
    call check(all(news == root + 5), 'Bcast')
    news = merge(root + 9, -1, rank == root)
    lengths = n
    call MPI_Get_address(news, address(1), ierror)
    call MPI_Type_create_hindexed(1, lengths, address, MPI_INTEGER, absolute, ierror)
    call MPI_Type_commit(absolute, ierror)
    call MPI_Ibcast(MPI_BOTTOM, 1, absolute, root, MPI_COMM_WORLD, request, ierror)
    call MPI_Wait(request, MPI_STATUS_IGNORE, ierror)
    call check(all(news == root + 9), 'Ibcast from MPI_BOTTOM')
    call MPI_Type_free(absolute, ierror)
    do i = 1, n * ranks
      sent(i) = 1000 * rank + i
    end do
    expected = -3
    got = -3
    call PMPI_Gather(sent, n, MPI_INTEGER, expected, n, MPI_INTEGER, root, MPI_COMM_WORLD, ierror)
    call MPI_Gather(sent, n, MPI_INTEGER, got, n, MPI_INTEGER, root, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Gather')
    call PMPI_Scatter(sent, n, MPI_INTEGER, expected, n, MPI_INTEGER, root, MPI_COMM_WORLD, ierror)
    call MPI_Scatter(sent, n, MPI_INTEGER, got, n, MPI_INTEGER, root, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Scatter')
    call PMPI_Reduce(sent, expected, n, MPI_INTEGER, MPI_BOR, root, MPI_COMM_WORLD, ierror)
    call MPI_Reduce(sent, got, n, MPI_INTEGER, MPI_BOR, root, MPI_COMM_WORLD, ierror)
    call check(all(got == expected), 'Reduce')
  end subroutine

  subroutine errors
    integer :: data(1), code, error_class, wanted
    data = 1
    call MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN, ierror)
    call PMPI_Bcast(data, 1, MPI_INTEGER, ranks, MPI_COMM_WORLD, code)
    call MPI_Error_class(code, wanted, ierror)
    call MPI_Bcast(data, 1, MPI_INTEGER, ranks, MPI_COMM_WORLD, code)
    call MPI_Error_class(code, error_class, ierror)
    call check(error_class == wanted .and. wanted /= MPI_SUCCESS, 'the class of a wrong root')
  end subroutine

end program
