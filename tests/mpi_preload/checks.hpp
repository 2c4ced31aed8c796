// What the programs that run under the preloaded library share: random contents, and the comparison with PMPI's result.
#pragma once

#ifndef OMPI_SKIP_MPICXX
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#endif
#include <mpi.h>
#ifdef OPEN_MPI
#include <mpi-ext.h>
#endif

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace checks {

/// Rank and size in a communicator.
struct place {
  int rank = 0;
  int size = 1;
};

inline place place_in(MPI_Comm comm) {
  place here;
  MPI_Comm_rank(comm, &here.rank);
  MPI_Comm_size(comm, &here.size);
  return here;
}

inline int checks_made = 0;

/// Ends the job with what differs.
inline void expect(bool holds, const std::string& what) {
  ++checks_made;
  if (holds) return;
  std::fprintf(stderr, "rank %d: FAILED: %s\n", place_in(MPI_COMM_WORLD).rank, what.c_str());
  MPI_Abort(MPI_COMM_WORLD, 1);
}

using bytes = std::vector<unsigned char>;

/// Small numbers of a type, so that no order of summation changes the result.
template <class T>
std::vector<T> numbers(std::size_t count, std::mt19937& random) {
  std::vector<T> made(count);
  for (T& each : made) each = static_cast<T>(static_cast<int>(random() % 7) - (std::is_signed_v<T> ? 3 : 0));
  return made;
}

/// Runs a call through the intercepted function and through the library's own on equal memory, and compares it all.
/// `call(use the own, send, receive)`; an empty `send` means MPI_IN_PLACE.
template <class Call>
void compare(const std::string& what, const bytes& send, const bytes& receive, Call&& call) {
  bytes expected = receive, found = receive;
  bytes sent = send;
  call(true, sent.data(), expected.data());
  call(false, sent.data(), found.data());
  expect(expected == found, what + ": the result differs from the MPI library's own");
  expect(sent == send, what + ": the input was changed");
}

}  // namespace checks
