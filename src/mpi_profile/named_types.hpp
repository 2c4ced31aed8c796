// The predefined datatypes that hawser knows.
#pragma once

#include <span>

#include "types.hpp"

namespace hawser::mpi_profile {

/// All of them, with handles, groups and layouts; sizes are asked from MPI. After MPI_Init.
std::span<const named_type> named_types();

}  // namespace hawser::mpi_profile
