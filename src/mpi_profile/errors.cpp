// hawser's exceptions as MPI's error classes, codes and texts.
#include <new>
#include <string>

#include <hawser/core/error.hpp>

#include "serve.hpp"

namespace hawser::mpi_profile {

namespace {

int class_of(errc code) noexcept {
  switch (code) {
    case errc::invalid_argument: return MPI_ERR_BUFFER;  // all else has been looked at before
    case errc::mismatch: return MPI_ERR_TRUNCATE;
    case errc::resource: return MPI_ERR_NO_MEM;
    case errc::internal: return MPI_ERR_INTERN;
    default: return MPI_ERR_OTHER;
  }
}

}  // namespace

int error_code_of(const std::exception& raised) noexcept {
  int error_class = MPI_ERR_OTHER;
  if (const auto* own = dynamic_cast<const error*>(&raised)) error_class = class_of(own->code());
  if (dynamic_cast<const std::bad_alloc*>(&raised) != nullptr) error_class = MPI_ERR_NO_MEM;
  int code = error_class;
  if (PMPI_Add_error_code(error_class, &code) != MPI_SUCCESS) return error_class;
  try {
    const std::string text = std::string("hawser: ") + raised.what();
    PMPI_Add_error_string(code, text.substr(0, MPI_MAX_ERROR_STRING - 1).c_str());
  } catch (const std::bad_alloc&) {  // the class must do
  }
  return code;
}

int report_error(MPI_Comm comm, const std::exception& raised) noexcept {
  const int code = error_code_of(raised);
  PMPI_Comm_call_errhandler(comm, code);
  return code;
}

}  // namespace hawser::mpi_profile
