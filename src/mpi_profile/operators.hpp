// MPI's predefined operators on its predefined types, as hawser's.
#pragma once

#include <cstddef>
#include <optional>

#include <hawser/core/reduce_op.hpp>

#include "types.hpp"

namespace hawser::mpi_profile {

/// What a reduction is to hawser.
struct reduction {
  data_type element = data_type::user;
  std::size_t element_bytes = 0;
  reduce_op op{};
  bool is_native = false;  ///< by hawser's own vectorised operators, not by one of this library
};

/// Nothing where the operator is the user's, or where MPI does not define it on the type: the MPI library says so.
std::optional<reduction> reduction_of(MPI_Op op, MPI_Datatype type) noexcept;

}  // namespace hawser::mpi_profile
