// Packs and unpacks elements of types with gaps, in portions that MPI can count.
#include <hawser/core/error.hpp>

#include "types.hpp"

#include <algorithm>
#include <climits>

namespace hawser::mpi_profile {

namespace {

/// MPI_Pack counts in int: so many bytes at a time.
constexpr std::int64_t most_bytes = std::int64_t{1} << 30;

/// Elements at MPI_BOTTOM as one element at another address: MPICH's MPI_Pack refuses a null pointer.
class at_bottom {
 public:
  at_bottom(int count, MPI_Datatype type) {
    const MPI_Aint back = -reinterpret_cast<MPI_Aint>(base());
    if (PMPI_Type_create_hindexed(1, &count, &back, type, &type_) != MPI_SUCCESS ||
        PMPI_Type_commit(&type_) != MPI_SUCCESS)
      fail(errc::internal, "MPI cannot shift a datatype of addresses");
  }
  at_bottom(const at_bottom&) = delete;
  at_bottom& operator=(const at_bottom&) = delete;
  ~at_bottom() { PMPI_Type_free(&type_); }
  void* base() noexcept { return this; }
  MPI_Datatype type() const noexcept { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

/// Calls f(offset in the packed bytes, address of the elements, how many, of which type, their bytes) for each portion.
template <class F>
void in_portions(const void* elements, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, F&& f) {
  if (count <= 0 || element_bytes <= 0) return;
  const std::int64_t extent = facts_of(type).extent;
  const std::int64_t portion = std::clamp<std::int64_t>(most_bytes / element_bytes, 1, INT_MAX);
  for (std::int64_t done = 0; done < count; done += portion) {
    const auto at = reinterpret_cast<std::intptr_t>(elements) + done * extent;  // MPI_BOTTOM is null
    const auto now = static_cast<int>(std::min(portion, count - done));
    const auto bytes = static_cast<int>(now * element_bytes);
    if (at != 0) {
      f(done * element_bytes, reinterpret_cast<void*>(at), now, type, bytes);
      continue;
    }
    at_bottom shifted(now, type);
    f(done * element_bytes, shifted.base(), 1, shifted.type(), bytes);
  }
}

void check(int code, const char* what) {
  if (code != MPI_SUCCESS) fail(errc::internal, what, "MPI refuses the datatype");
}

}  // namespace

void pack(const void* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, std::byte* to) {
  in_portions(from, count, type, element_bytes,
              [&](std::int64_t offset, void* elements, int portion, MPI_Datatype of, int bytes) {
                int position = 0;
                check(PMPI_Pack(elements, portion, of, to + offset, bytes, &position, MPI_COMM_SELF),
                      "packing the elements of a collective");
              });
}

void unpack(const std::byte* from, std::int64_t count, MPI_Datatype type, std::int64_t element_bytes, void* to) {
  in_portions(to, count, type, element_bytes,
              [&](std::int64_t offset, void* elements, int portion, MPI_Datatype of, int bytes) {
                int position = 0;
                check(PMPI_Unpack(from + offset, bytes, &position, elements, portion, of, MPI_COMM_SELF),
                      "unpacking the elements of a collective");
              });
}

}  // namespace hawser::mpi_profile
