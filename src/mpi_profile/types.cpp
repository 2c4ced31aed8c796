// See types.hpp: the table of predefined types, and what MPI says of the others.
#include "types.hpp"

#include <array>
#include <complex>
#include <cstring>
#include <type_traits>

#include "named_types.hpp"

namespace hawser::mpi_profile {

namespace {

/// Open addressing; about 60 types are known.
constexpr std::size_t slots = 256;
std::array<named_type, slots> table;

std::size_t slot_of(MPI_Datatype type) noexcept {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &type, sizeof type);  // NOLINT(bugprone-sizeof-expression): a handle, pointer or not
  return static_cast<std::size_t>((bits * 0x9e3779b97f4a7c15ULL) >> 56);
}

void learn(named_type known) {
  if (known.handle == MPI_DATATYPE_NULL) return;
  int size = 0;
  MPI_Aint low = 0, extent = 0;
  if (PMPI_Type_size(known.handle, &size) != MPI_SUCCESS || size <= 0) return;
  if (PMPI_Type_get_extent(known.handle, &low, &extent) != MPI_SUCCESS) return;
  known.size = size;
  known.extent = extent;
  std::size_t at = slot_of(known.handle);
  while (table[at].handle != MPI_DATATYPE_NULL && table[at].handle != known.handle) at = (at + 1) % slots;
  if (table[at].handle == MPI_DATATYPE_NULL) table[at] = known;
}

/// Of a derived type; its parts are what MPI made it of.
bool is_dense_derived(MPI_Datatype type, int combiner, int integers, int addresses, int types) {
  constexpr int most = 4;
  if (combiner != MPI_COMBINER_DUP && combiner != MPI_COMBINER_CONTIGUOUS && combiner != MPI_COMBINER_RESIZED)
    return false;
  if (integers > most || addresses > most || types != 1) return false;
  int numbers[most];
  MPI_Aint offsets[most];
  MPI_Datatype inner = MPI_DATATYPE_NULL;
  if (PMPI_Type_get_contents(type, integers, addresses, types, numbers, offsets, &inner) != MPI_SUCCESS) return false;
  const bool is_dense = facts_of(inner).is_dense;
  int inner_combiner = MPI_COMBINER_NAMED;
  PMPI_Type_get_envelope(inner, &integers, &addresses, &types, &inner_combiner);
  if (inner_combiner != MPI_COMBINER_NAMED) PMPI_Type_free(&inner);
  return is_dense;
}

}  // namespace

const named_type* find_named(MPI_Datatype type) noexcept {
  for (std::size_t at = slot_of(type); table[at].handle != MPI_DATATYPE_NULL; at = (at + 1) % slots)
    if (table[at].handle == type) return &table[at];
  return nullptr;
}

void learn_types() {
  for (named_type& each : table) each = {};
  for (const named_type& each : named_types()) learn(each);
}

type_facts facts_of(MPI_Datatype type) {
  if (type == MPI_DATATYPE_NULL) return {};
  if (const named_type* known = find_named(type))
    return {known->size, known->extent, known->size == known->extent, true};
  int size = 0, integers = 0, addresses = 0, types = 0, combiner = 0;
  MPI_Aint low = 0, extent = 0;
  if (PMPI_Type_size(type, &size) != MPI_SUCCESS || PMPI_Type_get_extent(type, &low, &extent) != MPI_SUCCESS ||
      PMPI_Type_get_envelope(type, &integers, &addresses, &types, &combiner) != MPI_SUCCESS)
    return {};
  const bool fits = low == 0 && extent == size;
  const bool is_dense =
      fits && (combiner == MPI_COMBINER_NAMED || is_dense_derived(type, combiner, integers, addresses, types));
  return {size, extent, is_dense, true};
}

std::int64_t size_of(MPI_Datatype type) noexcept {
  if (type == MPI_DATATYPE_NULL) return 0;
  if (const named_type* known = find_named(type)) return known->size;
  int size = 0;
  return PMPI_Type_size(type, &size) == MPI_SUCCESS && size > 0 ? size : 0;
}

}  // namespace hawser::mpi_profile
