// Packs and unpacks elements of types with gaps, in portions that MPI can count.
#include <hawser/core/error.hpp>

#include "types.hpp"

#include <algorithm>
#include <climits>

namespace hawser::mpi_profile {

namespace {

/// MPI_Pack counts in int: so many bytes at a time.
constexpr std::int64_t most_bytes = std::int64_t{1} << 30;

/// Calls f(offset in the packed bytes, address of the elements, how many) for each portion.
template <class F>
void in_portions(const void* elements, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, F&& f) {
  if (count <= 0 || element_bytes <= 0) return;
  const std::int64_t extent = facts_of(type).extent;
  const std::int64_t portion = std::clamp<std::int64_t>(most_bytes / element_bytes, 1, INT_MAX);
  for (std::int64_t done = 0; done < count; done += portion) {
    const auto at = reinterpret_cast<std::intptr_t>(elements) + done * extent;  // MPI_BOTTOM is null
    f(done * element_bytes, reinterpret_cast<void*>(at), static_cast<int>(std::min(portion, count - done)));
  }
}

void check(int code, const char* what) {
  if (code != MPI_SUCCESS) fail(errc::internal, what, "MPI refuses the datatype");
}

}  // namespace

void pack(const void* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, std::byte* to) {
  in_portions(from, count, type, element_bytes, [&](std::int64_t offset, void* elements, int portion) {
    int position = 0;
    check(PMPI_Pack(elements, portion, type, to + offset, static_cast<int>(portion * element_bytes), &position,
                    MPI_COMM_SELF),
          "packing the elements of a collective");
  });
}

void unpack(const std::byte* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, void* to) {
  in_portions(to, count, type, element_bytes, [&](std::int64_t offset, void* elements, int portion) {
    int position = 0;
    check(PMPI_Unpack(from + offset, static_cast<int>(portion * element_bytes), &position, elements, portion, type,
                      MPI_COMM_SELF),
          "unpacking the elements of a collective");
  });
}

}  // namespace hawser::mpi_profile
