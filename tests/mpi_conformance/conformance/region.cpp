// See region.hpp.
#include "region.hpp"

#include <algorithm>
#include <utility>

namespace conformance {

namespace {

constexpr MPI_Aint margin = 64;

MPI_Datatype derived(MPI_Datatype base, layout how, MPI_Aint extent) {
  MPI_Datatype made = MPI_DATATYPE_NULL, inner = MPI_DATATYPE_NULL;
  const MPI_Aint backwards[] = {2 * extent, extent, 0}, shifted[] = {extent, 3 * extent, 4 * extent};
  const int ones[] = {1, 1, 1};
  switch (how) {
    case layout::contiguous: PMPI_Type_contiguous(elements_per_item, base, &made); break;
    case layout::strided: PMPI_Type_vector(elements_per_item, 1, 2, base, &made); break;
    case layout::spread:
      PMPI_Type_contiguous(elements_per_item, base, &inner);
      PMPI_Type_create_resized(inner, 0, (elements_per_item + 2) * extent, &made);
      PMPI_Type_free(&inner);
      break;
    case layout::reversed: PMPI_Type_create_hindexed(elements_per_item, ones, backwards, base, &made); break;
    default: {
      const MPI_Datatype bases[] = {base, base, base};
      PMPI_Type_create_struct(elements_per_item, ones, shifted, bases, &made);
    }
  }
  PMPI_Type_commit(&made);
  return made;
}

}  // namespace

std::string name_of(layout how) {
  static const char* const names[] = {"plain", "contiguous", "strided", "spread", "reversed", "shifted"};
  return names[static_cast<int>(how)];
}

shape::shape(MPI_Datatype base, layout how) : width_(how == layout::plain ? 1 : elements_per_item), how_(how) {
  MPI_Aint lower = 0;
  PMPI_Type_get_extent(base, &lower, &extent_);
  type_ = how == layout::plain ? base : derived(base, how, extent_);
  PMPI_Type_get_extent(type_, &lower, &extent_);
  PMPI_Type_get_true_extent(type_, &true_lower_, &true_extent_);
}

shape::shape(shape&& other) noexcept
    : type_(std::exchange(other.type_, MPI_DATATYPE_NULL)),
      width_(other.width_),
      how_(std::exchange(other.how_, layout::plain)),
      extent_(other.extent_),
      true_lower_(other.true_lower_),
      true_extent_(other.true_extent_) {}

shape::~shape() {
  if (how_ != layout::plain) PMPI_Type_free(&type_);
}

region::region(const shape& of, int items) : type_(of.type()), items_(items), extent_(of.extent()) {
  const MPI_Aint lower = std::min<MPI_Aint>(of.true_lower(), 0);
  const MPI_Aint upper = std::max<MPI_Aint>(items - 1, 0) * of.extent() + of.true_lower() + of.true_extent();
  PMPI_Type_size(type_, &item_bytes_);
  offset_ = margin + (-lower + margin - 1) / margin * margin;
  bytes_.resize(static_cast<std::size_t>(offset_ + upper + margin));
  for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = static_cast<std::byte>(0xA0 + i % 13);
}

void region::write(const std::vector<std::byte>& packed, int first) {
  const int items = item_bytes_ == 0 ? 0 : static_cast<int>(packed.size()) / item_bytes_;
  int position = 0;
  if (items > 0)
    PMPI_Unpack(packed.data(), static_cast<int>(packed.size()), &position, at(first), items, type_, MPI_COMM_SELF);
}

std::vector<std::byte> region::read(int first, int items) const {
  std::vector<std::byte> packed(static_cast<std::size_t>(items) * static_cast<std::size_t>(item_bytes_));
  int position = 0;
  if (items > 0)
    PMPI_Pack(at(first), items, type_, packed.data(), static_cast<int>(packed.size()), &position, MPI_COMM_SELF);
  return packed;
}

std::vector<std::byte> made(const base_type& of, purpose use, int count, std::mt19937_64& numbers) {
  std::vector<std::byte> packed(static_cast<std::size_t>(count) * static_cast<std::size_t>(of.size));
  for (int i = 0; i < count; ++i) of.make(numbers, use, packed.data() + static_cast<std::ptrdiff_t>(i) * of.size);
  return packed;
}

bool are_same(const region& expected, const region& got, const base_type& of, purpose use, int terms,
              std::string& why) {
  if (expected.bytes() == got.bytes()) return true;
  const auto wanted = expected.read(0, expected.items()), is = got.read(0, got.items());
  const auto elements = wanted.size() / static_cast<std::size_t>(of.size);
  for (std::size_t i = 0; i < elements; ++i) {
    const std::size_t at = i * static_cast<std::size_t>(of.size);
    const bool is_pattern = std::equal(wanted.begin() + static_cast<std::ptrdiff_t>(at),
                                       wanted.begin() + static_cast<std::ptrdiff_t>(at) + of.size,
                                       is.begin() + static_cast<std::ptrdiff_t>(at));
    if (is_pattern || of.is_same(&wanted[at], &is[at], use, terms)) continue;
    why += " element " + std::to_string(i) + " of " + std::to_string(elements) + " differs;";
    return false;
  }
  if (of.is_padded) return true;
  region between = expected;
  between.write(is);
  if (between.bytes() == got.bytes()) return true;
  why += " bytes between or beside the elements were touched;";
  return false;
}

}  // namespace conformance
