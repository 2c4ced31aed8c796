// Fortran's arrays of requests and statuses as C's, there and back.
#pragma once

#include <vector>

#include "handles.hpp"

#ifdef OPEN_MPI

namespace hawser::mpi_profile::fortran {

/// The requests of one call; goes back into Fortran's array when it ends.
class requests {
 public:
  requests(int count, MPI_Fint* handles) : handles_(handles) {
    for (int i = 0; i < count; ++i) list_.push_back(PMPI_Request_f2c(handles[i]));
  }
  requests(const requests&) = delete;
  requests& operator=(const requests&) = delete;
  ~requests() {
    for (std::size_t i = 0; i < list_.size(); ++i) handles_[i] = PMPI_Request_c2f(list_[i]);
  }
  MPI_Request* data() noexcept { return list_.data(); }

 private:
  MPI_Fint* handles_;
  std::vector<MPI_Request> list_;
};

/// The statuses of one call, or of one request; not there where Fortran ignores them.
class statuses {
 public:
  statuses(int count, MPI_Fint* into) : into_(into) {
    if (into != &mpi_fortran_status_ignore_ && into != &mpi_fortran_statuses_ignore_ && into != nullptr)
      list_.resize(static_cast<std::size_t>(count > 0 ? count : 1));
  }
  statuses(const statuses&) = delete;
  statuses& operator=(const statuses&) = delete;
  ~statuses() {
    for (std::size_t i = 0; i < list_.size(); ++i)
      PMPI_Status_c2f(&list_[i], into_ + i * static_cast<std::size_t>(status_integers));
  }
  MPI_Status* data() noexcept { return list_.empty() ? MPI_STATUSES_IGNORE : list_.data(); }

 private:
  MPI_Fint* into_;
  std::vector<MPI_Status> list_;
};

/// Fortran counts from 1.
inline void count_from_one(MPI_Fint* index) noexcept {
  if (*index != MPI_UNDEFINED) ++*index;
}

}  // namespace hawser::mpi_profile::fortran

#endif  // OPEN_MPI
