// Buffers of a datatype: where its elements lie, and that nothing between them is touched.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "types.hpp"

namespace conformance {

/// Ways for elements to lie in memory. All but the first take three elements at a time.
enum class layout { plain, contiguous, strided, spread, reversed, shifted };
inline constexpr int layouts = 6;
inline constexpr int elements_per_item = 3;
std::string name_of(layout how);

/// A datatype of elements of a base type, freed with this object where it is made here.
class shape {
 public:
  shape(MPI_Datatype base, layout how);
  shape(shape&& other) noexcept;
  shape(const shape&) = delete;
  shape& operator=(const shape&) = delete;
  shape& operator=(shape&&) = delete;
  ~shape();

  MPI_Datatype type() const noexcept { return type_; }
  /// Elements of the base type in one of this type.
  int width() const noexcept { return width_; }
  layout how() const noexcept { return how_; }
  MPI_Aint extent() const noexcept { return extent_; }
  MPI_Aint true_lower() const noexcept { return true_lower_; }
  MPI_Aint true_extent() const noexcept { return true_extent_; }

 private:
  MPI_Datatype type_;
  int width_;
  layout how_;
  MPI_Aint extent_ = 0, true_lower_ = 0, true_extent_ = 0;
};

/// Memory for so many items of a shape, with a margin on both sides; all of it is filled with a pattern at first.
class region {
 public:
  region(const shape& of, int items);

  /// What to pass to MPI; item `i` lies at `at(i)`.
  void* start() noexcept { return bytes_.data() + offset_; }
  const void* start() const noexcept { return bytes_.data() + offset_; }
  /// Writes packed elements over the items from `first` on; reads `items` of them.
  void write(const std::vector<std::byte>& packed, int first = 0);
  std::vector<std::byte> read(int first, int items) const;
  int items() const noexcept { return items_; }
  /// Everything, margins and gaps included.
  const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::byte* at(int item) noexcept { return bytes_.data() + offset_ + item * extent_; }
  const std::byte* at(int item) const noexcept { return bytes_.data() + offset_ + item * extent_; }

  MPI_Datatype type_;
  int items_;
  int item_bytes_ = 0;  // of data
  MPI_Aint extent_;
  MPI_Aint offset_ = 0;
  std::vector<std::byte> bytes_;
};

/// `count` elements for a purpose, packed.
std::vector<std::byte> made(const base_type& of, purpose use, int count, std::mt19937_64& numbers);

/// Whether both hold the same elements, and the same bytes between them. What differs is added to `why`.
bool are_same(const region& expected, const region& got, const base_type& of, purpose use, int terms, std::string& why);

}  // namespace conformance
