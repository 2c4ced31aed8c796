// What hawser must know of MPI's datatypes: their size, whether they lie dense in memory, what they are to a reduction.
#pragma once

#include <cstddef>
#include <cstdint>

#include <hawser/core/data_type.hpp>

#include "mpi_api.hpp"

namespace hawser::mpi_profile {

/// The groups in which MPI says which operators are defined on which types (MPI 4.0, 6.9.2).
enum class type_group : std::uint8_t {
  none,
  c_integer,
  fortran_integer,
  floating,
  long_double,
  logical,
  complex,
  byte,
  pair,  ///< of MINLOC and MAXLOC
};

/// A predefined datatype.
struct named_type {
  MPI_Datatype handle = MPI_DATATYPE_NULL;
  type_group group = type_group::none;
  data_type element = data_type::user;  ///< what hawser reduces it as; `user`: by an operator of this library
  std::uint8_t layout = 0;              ///< of complex and pair types: which struct they are (operators.cpp)
  std::int64_t size = 0;                ///< bytes of data
  std::int64_t extent = 0;              ///< bytes from one element to the next
};

/// Layouts of pairs and complex numbers.
enum layout : std::uint8_t {
  no_layout,
  float_int,
  double_int,
  long_int,
  short_int,
  int_int,
  long_double_int,
  float_float,
  double_double,
  complex_float,
  complex_double,
  complex_long_double,
};

/// The predefined type with this handle, or null. Thread-safe once `learn_types` has run.
const named_type* find_named(MPI_Datatype type) noexcept;
/// Fills the table behind `find_named`; after MPI_Init, once.
void learn_types();

/// Size, extent and density of any datatype. `is_valid` is false for MPI_DATATYPE_NULL.
struct type_facts {
  std::int64_t size = 0;
  std::int64_t extent = 0;
  bool is_dense = false;  ///< its bytes, and those of several in a row, are one interval that begins at the buffer
  bool is_valid = false;
};
type_facts facts_of(MPI_Datatype type);

/// Bytes of data in one element; 0 for MPI_DATATYPE_NULL.
std::int64_t size_of(MPI_Datatype type) noexcept;

/// Copies `count` elements at `from` into consecutive bytes, or back. Throws errc::internal where MPI refuses.
void pack(const void* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, std::byte* to);
void unpack(const std::byte* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, void* to);

}  // namespace hawser::mpi_profile
