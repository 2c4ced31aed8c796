// Every predefined datatype: what it is to a reduction, how its values are made and when two of them are the same.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace conformance {

/// The groups by which MPI says which operators are defined on which types (MPI 4.0, 6.9.2).
enum class group { c_integer, fortran_integer, floating, logical, complex, byte, multi_language, pair, moved_only };

/// What values are for, so that no operator overflows or meets what it is not defined on.
enum class purpose { moved, sum, product, order, logic, bits, location };

struct base_type {
  MPI_Datatype type;
  std::string name;
  group of;
  int size;        ///< bytes of data, as MPI_Pack writes them
  bool is_padded;  ///< elements have bytes that are no data, inside `size` or between
  bool rounds;     ///< sums depend on their order
  /// Writes one element of `size` bytes.
  void (*make)(std::mt19937_64& numbers, purpose use, std::byte* to);
  /// Whether two elements are the same; after sums or products of `terms` values up to rounding.
  bool (*is_same)(const std::byte* a, const std::byte* b, purpose use, int terms);
};

/// All that this MPI library has, without those that the command line leaves out; once after MPI_Init.
const std::vector<base_type>& base_types();
/// One of them. `MPI_INT` and `MPI_DOUBLE` are always there.
const base_type& base_type_of(MPI_Datatype type);

struct reduction {
  MPI_Op op;
  std::string name;
  purpose use;
};

/// The predefined operators, and whether MPI defines one on a type.
const std::vector<reduction>& reductions();
bool is_defined(const reduction& op, group of);

}  // namespace conformance
