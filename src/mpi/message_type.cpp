// The MPI data type and count of a message of any size, and MPI's errors.
#include "message_type.hpp"

#include <climits>

#include <hawser/core/error.hpp>

#include "check.hpp"

namespace hawser::mpi {

std::string describe_code(int code) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  int error_class = code;
  MPI_Error_string(code, text, &length);
  MPI_Error_class(code, &error_class);
  return std::string(text, static_cast<std::size_t>(length)) + ", MPI error class " + std::to_string(error_class);
}

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  throw error(errc::io, describe(std::string("MPI failed: ") + what, describe_code(code))).with_native_code(code);
}

message_type::message_type(std::size_t bytes, int largest_count) {
  const auto largest = static_cast<std::size_t>(largest_count);
  if (bytes <= largest) {
    count_ = static_cast<int>(bytes);
    return;
  }
  const std::size_t blocks = bytes / largest;
  if (blocks > static_cast<std::size_t>(INT_MAX)) fail(errc::unsupported, "a message is too large for MPI");
  MPI_Datatype parts[2];
  const int counts[2] = {1, 1};
  const MPI_Aint offsets[2] = {0, static_cast<MPI_Aint>(blocks * largest)};
  check(MPI_Type_vector(static_cast<int>(blocks), largest_count, largest_count, MPI_BYTE, &parts[0]), "making a type");
  check(MPI_Type_contiguous(static_cast<int>(bytes % largest), MPI_BYTE, &parts[1]), "making a type");
  check(MPI_Type_create_struct(2, counts, offsets, parts, &type_), "making a type");
  check(MPI_Type_commit(&type_), "making a type");
  MPI_Type_free(&parts[0]);
  MPI_Type_free(&parts[1]);
  count_ = 1;
}

message_type::~message_type() {
  if (type_ != MPI_BYTE) MPI_Type_free(&type_);
}

}  // namespace hawser::mpi
