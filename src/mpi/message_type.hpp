// The MPI data type and count of a message of any size.
#pragma once

#include <mpi.h>

#include <cstddef>

namespace hawser::mpi {

/// Count and type for one MPI call; a derived type where the bytes exceed what an int counts. MPI keeps a type that is
/// freed while a transfer uses it.
class message_type {
 public:
  message_type(std::size_t bytes, int largest_count);
  message_type(const message_type&) = delete;
  message_type& operator=(const message_type&) = delete;
  ~message_type();

  int count() const noexcept { return count_; }
  MPI_Datatype type() const noexcept { return type_; }

 private:
  int count_ = 0;
  MPI_Datatype type_ = MPI_BYTE;
};

}  // namespace hawser::mpi
