// One side of a collective as hawser takes it: blocks of bytes one after the other, in the program's buffer or a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "types.hpp"

namespace hawser::mpi_profile {

/// The blocks of one buffer. Where the type has gaps, or ragged blocks do not follow each other, hawser works on a
/// copy. Whether it does is this rank's affair alone: other ranks see the same bytes.
class side {
 public:
  side() = default;
  side(side&& other) noexcept { *this = std::move(other); }
  side& operator=(side&& other) noexcept;
  ~side();
  /// `blocks` blocks of `buffer.count` elements, or the ragged ones of `buffer.counts`. Throws errc::internal where MPI
  /// refuses the type, std::bad_alloc.
  side(const buffer_arguments& buffer, int blocks, bool is_ragged);

  /// Where the first block lies, and this one, in bytes from it.
  std::byte* data() noexcept { return is_copy_ ? copy_.data() : first_; }
  std::int64_t offset_of(int block) const;
  std::int64_t bytes_of(int block) const;
  std::int64_t bytes() const { return bytes_; }
  /// Bytes of each block, as hawser's v-collectives take them.
  std::vector<std::int64_t> block_bytes() const;
  bool is_copy() const noexcept { return is_copy_; }
  void use_copy();
  /// For a call that ends later: the program may free its type meanwhile, and programs do so with counts and
  /// displacements. Keeps what will be asked for.
  void keep_arguments();

  /// Between the program's buffer and the copy, where there is one.
  void load();
  void load_block(int block);
  void store();

 private:
  void keep_type();
  bool find_first();
  void move(int block, bool into_copy);

  buffer_arguments buffer_{};
  type_facts facts_{};
  MPI_Datatype kept_type_ = MPI_DATATYPE_NULL;
  std::vector<int> kept_counts_, kept_displacements_;
  int blocks_ = 0;
  bool is_ragged_ = false;
  bool is_copy_ = false;
  std::int64_t bytes_ = 0;
  std::byte* first_ = nullptr;
  std::vector<std::byte> copy_;
};

}  // namespace hawser::mpi_profile
