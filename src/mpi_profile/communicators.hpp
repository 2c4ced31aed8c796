// MPI's communicators and what hawser has made for each, found through an attribute.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "arguments.hpp"
#include "choice.hpp"

namespace hawser::detail {
class communicator_state;
}

namespace hawser::mpi_profile {

/// One MPI communicator, as this rank sees it. Lives as long as the attribute; used by one thread at a time, as MPI has
/// it for the collectives of a communicator.
struct known_communicator {
  /// Whether hawser's communicator has been made; the same on all members between two collectives.
  enum class progress : std::uint8_t {
    unmade,   ///< no blocking collective has been called yet
    made,     ///< `members` is there
    refused,  ///< an intercommunicator, ranks of several worlds, or no free number: MPI serves
  };

  MPI_Comm handle = MPI_COMM_NULL;
  int rank = 0;
  int size = 0;
  progress state = progress::unmade;
  std::shared_ptr<detail::communicator_state> members{};
  choice_table choices{};

  bool is_served() const noexcept { return state == progress::made; }
};

/// Before the first `find_communicator`, and after the last.
void open_communicators();
void close_communicators();

/// What is known of a communicator; null for MPI_COMM_NULL, or where MPI refuses the handle. Local.
known_communicator* find_communicator(MPI_Comm comm);

/// Makes hawser's communicator where that is possible and has not been tried. Collective over `comm`: all members call
/// it between the same two collectives. Blocks.
void make_members(known_communicator& known);

/// Another communicator of hawser's for the same members. Null where half of the numbers are taken: on all members
/// alike. Collective as `make_members`.
std::shared_ptr<detail::communicator_state> make_own_members(const known_communicator& known);

}  // namespace hawser::mpi_profile
