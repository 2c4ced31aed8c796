// See named_types.hpp. Fortran's types are known by their sizes, which the library was built with.
#include "named_types.hpp"

#include <array>
#include <vector>

namespace hawser::mpi_profile {

namespace {

using group = type_group;

/// The signed or unsigned integer of a size.
data_type integer_of(std::size_t bytes, bool is_signed) {
  switch (bytes) {
    case 1: return is_signed ? data_type::int8 : data_type::uint8;
    case 2: return is_signed ? data_type::int16 : data_type::uint16;
    case 4: return is_signed ? data_type::int32 : data_type::uint32;
    case 8: return is_signed ? data_type::int64 : data_type::uint64;
    default: return data_type::user;
  }
}

/// A Fortran type whose size only the library knows; of no group where hawser has none of that size.
named_type sized(MPI_Datatype handle, group what) {
  int bytes = 0;
  if (handle == MPI_DATATYPE_NULL || PMPI_Type_size(handle, &bytes) != MPI_SUCCESS) return {};
  const auto size = static_cast<std::size_t>(bytes);
  data_type element = integer_of(size, true);
  if (what == group::floating)
    element = size == 4 ? data_type::float32 : size == 8 ? data_type::float64 : data_type::user;
  if (element == data_type::user) return {handle};
  return {handle, what, element};
}

template <class T>
named_type integer(MPI_Datatype handle, group what = group::c_integer) {
  return {handle, what, integer_of(sizeof(T), T(-1) < T(0))};
}

named_type shaped(MPI_Datatype handle, group what, layout shape) {
  return {handle, what, data_type::user, shape};
}

void add_c_integers(std::vector<named_type>& all) {
  const named_type known[] = {
      integer<signed char>(MPI_SIGNED_CHAR),
      integer<unsigned char>(MPI_UNSIGNED_CHAR),
      integer<short>(MPI_SHORT),
      integer<unsigned short>(MPI_UNSIGNED_SHORT),
      integer<int>(MPI_INT),
      integer<unsigned>(MPI_UNSIGNED),
      integer<long>(MPI_LONG),
      integer<unsigned long>(MPI_UNSIGNED_LONG),
      integer<long long>(MPI_LONG_LONG_INT),
      integer<unsigned long long>(MPI_UNSIGNED_LONG_LONG),
      integer<std::int8_t>(MPI_INT8_T),
      integer<std::int16_t>(MPI_INT16_T),
      integer<std::int32_t>(MPI_INT32_T),
      integer<std::int64_t>(MPI_INT64_T),
      integer<std::uint8_t>(MPI_UINT8_T),
      integer<std::uint16_t>(MPI_UINT16_T),
      integer<std::uint32_t>(MPI_UINT32_T),
      integer<std::uint64_t>(MPI_UINT64_T),
      // MPI calls these multi-language types: the operators of C's integers but for the logical ones.
      integer<MPI_Aint>(MPI_AINT, group::fortran_integer),
      integer<MPI_Offset>(MPI_OFFSET, group::fortran_integer),
      integer<MPI_Count>(MPI_COUNT, group::fortran_integer),
      integer<unsigned char>(MPI_BYTE, group::byte),
      integer<unsigned char>(MPI_C_BOOL, group::logical),
      integer<unsigned char>(MPI_CXX_BOOL, group::logical),
  };
  all.insert(all.end(), std::begin(known), std::end(known));
}

void add_fortran(std::vector<named_type>& all) {
  const named_type known[] = {
      sized(MPI_INTEGER, group::fortran_integer),
      sized(MPI_INTEGER1, group::fortran_integer),
      sized(MPI_INTEGER2, group::fortran_integer),
      sized(MPI_INTEGER4, group::fortran_integer),
      sized(MPI_INTEGER8, group::fortran_integer),
      sized(MPI_REAL, group::floating),
      sized(MPI_REAL4, group::floating),
      sized(MPI_REAL8, group::floating),
      sized(MPI_DOUBLE_PRECISION, group::floating),
      sized(MPI_LOGICAL, group::logical),
      shaped(MPI_COMPLEX, group::complex, complex_float),
      shaped(MPI_DOUBLE_COMPLEX, group::complex, complex_double),
      shaped(MPI_COMPLEX8, group::complex, complex_float),
      shaped(MPI_COMPLEX16, group::complex, complex_double),
      shaped(MPI_2REAL, group::pair, float_float),
      shaped(MPI_2DOUBLE_PRECISION, group::pair, double_double),
      shaped(MPI_2INTEGER, group::pair, int_int),
  };
  all.insert(all.end(), std::begin(known), std::end(known));
}

void add_c_others(std::vector<named_type>& all) {
  const named_type known[] = {
      {MPI_FLOAT, group::floating, data_type::float32},
      {MPI_DOUBLE, group::floating, data_type::float64},
      {MPI_LONG_DOUBLE, group::long_double},
      shaped(MPI_C_FLOAT_COMPLEX, group::complex, complex_float),
      shaped(MPI_C_DOUBLE_COMPLEX, group::complex, complex_double),
      shaped(MPI_C_LONG_DOUBLE_COMPLEX, group::complex, complex_long_double),
      shaped(MPI_CXX_FLOAT_COMPLEX, group::complex, complex_float),
      shaped(MPI_CXX_DOUBLE_COMPLEX, group::complex, complex_double),
      shaped(MPI_CXX_LONG_DOUBLE_COMPLEX, group::complex, complex_long_double),
      shaped(MPI_FLOAT_INT, group::pair, float_int),
      shaped(MPI_DOUBLE_INT, group::pair, double_int),
      shaped(MPI_LONG_INT, group::pair, long_int),
      shaped(MPI_SHORT_INT, group::pair, short_int),
      shaped(MPI_2INT, group::pair, int_int),
      shaped(MPI_LONG_DOUBLE_INT, group::pair, long_double_int),
      // Moved, never reduced.
      {MPI_CHAR},
      {MPI_CHARACTER},
      {MPI_WCHAR},
      {MPI_PACKED},
  };
  all.insert(all.end(), std::begin(known), std::end(known));
}

}  // namespace

std::span<const named_type> named_types() {
  static const std::vector<named_type> all = [] {
    std::vector<named_type> known;
    add_c_integers(known);
    add_c_others(known);
    add_fortran(known);
    return known;
  }();
  return all;
}

}  // namespace hawser::mpi_profile
