// Every collective through both names, MPI_ and PMPI_, and in every form that the library has.
#pragma once

#include <mpi.h>

#include <random>
#include <string>
#include <vector>

#include "checks.hpp"

namespace conformance {

/// What a call is told; each looks at what it has.
struct arguments {
  const void* send = nullptr;
  int send_count = 0;
  MPI_Datatype send_type = MPI_DATATYPE_NULL;
  void* receive = nullptr;
  int receive_count = 0;
  MPI_Datatype receive_type = MPI_DATATYPE_NULL;
  const int *send_counts = nullptr, *send_places = nullptr, *receive_counts = nullptr, *receive_places = nullptr;
  MPI_Op op = MPI_OP_NULL;
  int root = 0;
  MPI_Comm comm = MPI_COMM_NULL;
};

enum class form { blocking, nonblocking, persistent };
inline constexpr int forms = 3;
std::string name_of(form how);

/// A collective; the functions are indexed by `library`.
struct collective {
  std::string name;  ///< "Allreduce"
  int (*blocking[2])(const arguments&);
  int (*start[2])(const arguments&, MPI_Request*);
  int (*prepare[2])(const arguments&, MPI_Request*);  ///< null where the library has no persistent form
};

/// By its name. There is one for each of the program's collectives.
const collective& collective_of(const std::string& name);

/// Runs a call to its end in a form, with the completion calls of the same library; nonblocking ones are completed by
/// any of them. A form that is not there is nonblocking. Returns the first error code.
int perform(const collective& what, library by, form how, const arguments& told, std::mt19937_64& numbers);

/// Completes one request by one of MPI_Wait, Test, Waitall, Waitany, Waitsome, Testall, Testany, Testsome.
int complete(library by, MPI_Request& request, std::mt19937_64& numbers, bool is_persistent = false);

}  // namespace conformance
