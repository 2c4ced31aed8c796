// What of a call all ranks know alike, and whether hawser can serve it at all.
#pragma once

#include <cstdint>
#include <optional>

#include "communicators.hpp"
#include "operators.hpp"

namespace hawser::mpi_profile {

/// Bytes of the larger buffer of any member, from arguments that MPI requires to be equal on all ranks, or that give
/// the same figure on all. 0 where there is nothing to do, no_size where members know only their own sizes (the
/// v-forms of alltoall, gather and scatter). Wrong arguments give no_call: MPI reports them.
inline constexpr std::int64_t no_size = -1, no_call = -2;
std::int64_t agreed_bytes(const arguments& call, const known_communicator& known) noexcept;

/// Whether this rank's own arguments are such as MPI must refuse: the MPI library does it, and says why.
bool must_be_refused(const arguments& call, const known_communicator& known) noexcept;

}  // namespace hawser::mpi_profile
