// See side.hpp.
#include "side.hpp"

#include <cstring>

#include <hawser/core/error.hpp>

namespace hawser::mpi_profile {

namespace {

/// Lets `of_program` point to a copy of its own.
void keep(const int*& of_program, int size, std::vector<int>& kept) {
  if (of_program == nullptr || of_program == kept.data()) return;
  kept.assign(of_program, of_program + size);
  of_program = kept.data();
}

/// MPI_BOTTOM is a null pointer, to which displacements are added all the same.
std::byte* at(const void* base, std::int64_t bytes) {
  return reinterpret_cast<std::byte*>(reinterpret_cast<std::intptr_t>(base) + bytes);
}

}  // namespace

side::side(const buffer_arguments& buffer, int blocks, bool is_ragged)
    : buffer_(buffer), facts_(facts_of(buffer.type)), blocks_(blocks), is_ragged_(is_ragged) {
  if (!facts_.is_valid) fail(errc::internal, "MPI does not know the datatype of a collective");
  for (int b = 0; is_ragged_ && b < blocks_; ++b) bytes_ += buffer_.counts[b] * facts_.size;
  if (!is_ragged_) bytes_ = static_cast<std::int64_t>(blocks_) * buffer_.count * facts_.size;
  if (find_first() && facts_.is_dense) return;
  use_copy();
}

side& side::operator=(side&& other) noexcept {
  std::swap(buffer_, other.buffer_);
  std::swap(facts_, other.facts_);
  std::swap(kept_type_, other.kept_type_);
  std::swap(kept_counts_, other.kept_counts_);
  std::swap(kept_displacements_, other.kept_displacements_);
  std::swap(blocks_, other.blocks_);
  std::swap(is_ragged_, other.is_ragged_);
  std::swap(is_copy_, other.is_copy_);
  std::swap(bytes_, other.bytes_);
  std::swap(first_, other.first_);
  std::swap(copy_, other.copy_);
  return *this;
}

side::~side() {
  if (kept_type_ != MPI_DATATYPE_NULL) PMPI_Type_free(&kept_type_);
}

void side::keep_arguments() {
  if (!is_copy_) return;
  keep_type();
  keep(buffer_.counts, blocks_, kept_counts_);
  keep(buffer_.displacements, blocks_, kept_displacements_);
}

void side::keep_type() {
  if (facts_.is_dense || kept_type_ != MPI_DATATYPE_NULL || find_named(buffer_.type) != nullptr) return;
  if (PMPI_Type_dup(buffer_.type, &kept_type_) != MPI_SUCCESS) fail(errc::internal, "MPI cannot duplicate a datatype");
  buffer_.type = kept_type_;
}

void side::use_copy() {
  is_copy_ = true;
  copy_.resize(static_cast<std::size_t>(bytes_));
}

/// Where the first block that is not empty lies; false where the others do not follow it.
bool side::find_first() {
  first_ = at(buffer_.address, 0);
  if (!is_ragged_ || buffer_.displacements == nullptr) return true;
  std::int64_t next = -1;
  for (int b = 0; b < blocks_; ++b) {
    if (buffer_.counts[b] == 0) continue;
    const std::int64_t here = buffer_.displacements[b];
    if (next < 0)
      first_ = at(buffer_.address, here * facts_.extent);
    else if (here != next)
      return false;
    next = here + buffer_.counts[b];
  }
  return true;
}

std::int64_t side::bytes_of(int block) const {
  return (is_ragged_ ? buffer_.counts[block] : buffer_.count) * facts_.size;
}

std::int64_t side::offset_of(int block) const {
  if (!is_ragged_) return static_cast<std::int64_t>(block) * buffer_.count * facts_.size;
  std::int64_t before = 0;
  for (int b = 0; b < block; ++b) before += buffer_.counts[b] * facts_.size;
  return before;
}

std::vector<std::int64_t> side::block_bytes() const {
  std::vector<std::int64_t> all(static_cast<std::size_t>(blocks_));
  for (int b = 0; b < blocks_; ++b) all[static_cast<std::size_t>(b)] = bytes_of(b);
  return all;
}

void side::load() {
  for (int b = 0; is_copy_ && b < blocks_; ++b) move(b, true);
}

void side::load_block(int block) {
  if (is_copy_) move(block, true);
}

void side::store() {
  for (int b = 0; is_copy_ && b < blocks_; ++b) move(b, false);
}

void side::move(int block, bool into_copy) {
  const std::int64_t count = is_ragged_ ? buffer_.counts[block] : buffer_.count;
  if (count == 0 || facts_.size == 0) return;
  std::int64_t displacement = is_ragged_ ? 0 : static_cast<std::int64_t>(block) * buffer_.count;
  if (is_ragged_ && buffer_.displacements != nullptr) displacement = buffer_.displacements[block];
  std::byte* const elements = at(buffer_.address, displacement * facts_.extent);
  std::byte* const bytes = copy_.data() + offset_of(block);
  const auto size = static_cast<std::size_t>(count * facts_.size);
  if (facts_.is_dense) {
    std::memcpy(into_copy ? bytes : elements, into_copy ? elements : bytes, size);
  } else if (into_copy) {
    pack(elements, count, buffer_.type, facts_.size, bytes);
  } else {
    unpack(bytes, count, buffer_.type, facts_.size, elements);
  }
}

}  // namespace hawser::mpi_profile
