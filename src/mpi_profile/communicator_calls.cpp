// MPI's makers of communicators. With HAWSER_MPI=force hawser's communicator is made at once, since these are
// collective and may wait: then the first non-blocking collective is served too.
#include "communicators.hpp"
#include "process.hpp"
#include "serve.hpp"

using namespace hawser::mpi_profile;

namespace {

/// After a maker has returned `code`.
int prepare(int code, const MPI_Comm* made) noexcept {
  if (code != MPI_SUCCESS || !process::self().is_running() || !process::self().is_forced()) return code;
  if (*made == MPI_COMM_NULL) return code;
  try {
    if (known_communicator* const known = find_communicator(*made)) make_members(*known);
  } catch (const std::exception& raised) {
    return report_error(*made, raised);
  }
  return code;
}

}  // namespace

extern "C" {

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm* made) {
  return prepare(PMPI_Comm_dup(comm, made), made);
}

int MPI_Comm_dup_with_info(MPI_Comm comm, MPI_Info info, MPI_Comm* made) {
  return prepare(PMPI_Comm_dup_with_info(comm, info, made), made);
}

int MPI_Comm_create(MPI_Comm comm, MPI_Group group, MPI_Comm* made) {
  return prepare(PMPI_Comm_create(comm, group, made), made);
}

int MPI_Comm_create_group(MPI_Comm comm, MPI_Group group, int tag, MPI_Comm* made) {
  return prepare(PMPI_Comm_create_group(comm, group, tag, made), made);
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm* made) {
  return prepare(PMPI_Comm_split(comm, color, key, made), made);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm* made) {
  return prepare(PMPI_Comm_split_type(comm, type, key, info, made), made);
}

int MPI_Cart_create(MPI_Comm comm, int dimensions, const int sizes[], const int periods[], int reorder,
                    MPI_Comm* made) {
  return prepare(PMPI_Cart_create(comm, dimensions, sizes, periods, reorder, made), made);
}

int MPI_Cart_sub(MPI_Comm comm, const int remains[], MPI_Comm* made) {
  return prepare(PMPI_Cart_sub(comm, remains, made), made);
}

}  // extern "C"
