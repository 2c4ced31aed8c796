// Measures who is faster, for one collective in one class of sizes on one communicator.
#pragma once

#include <cstdint>
#include <optional>

#include "communicators.hpp"
#include "figures.hpp"
#include "operators.hpp"

namespace hawser::mpi_profile {

/// hawser must be that many times faster: measurements vary, and a change must pay.
inline constexpr double worth = 1.05;

/// Collective over the communicator, whose members are made: runs the call on buffers of its own by the MPI library and
/// by hawser in turns, and decides by the slowest member's medians. `bytes` as of `agreed_bytes`; more than 32 MiB are
/// measured as 32 MiB. Where memory does not suffice on some member, MPI serves.
void calibrate(const arguments& call, std::int64_t bytes, const std::optional<reduction>& reduced,
               known_communicator& known, choice& undecided);

/// Decides by two figures.
void decide_by(figure_pair seconds, choice& undecided) noexcept;

/// Collective over the communicator: decides by the slowest of the members' figures; false where some member has none.
bool decide_by_all(const std::optional<figure_pair>& mine, MPI_Comm comm, choice& undecided);

}  // namespace hawser::mpi_profile
