// Who serves the calls of a communicator, per collective and size.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "arguments.hpp"

namespace hawser::mpi_profile {

/// Sizes are told apart by their highest three bits: four classes between a power of two and the next.
inline constexpr int size_classes = 4 * 48;

/// The class of a call whose larger buffer has so many bytes.
constexpr int class_of(std::int64_t bytes) noexcept {
  if (bytes < 4) return static_cast<int>(bytes);
  const int width = std::bit_width(static_cast<std::uint64_t>(bytes));
  const int of_class = 4 * (width - 2) + static_cast<int>(bytes >> (width - 3) & 3);
  return of_class < size_classes ? of_class : size_classes - 1;
}

/// The least size of a class, in bytes.
constexpr std::int64_t least_bytes(int of_class) noexcept {
  if (of_class < 4) return of_class;
  return static_cast<std::int64_t>(4 + of_class % 4) << (of_class / 4 - 1);
}

/// One collective in one class of sizes on one communicator. The members agree on `by` between any two calls.
struct choice {
  enum class server : std::uint8_t { undecided, mpi, hawser };
  server by = server::undecided;
  std::uint8_t seen = 0;        ///< blocking calls while undecided
  std::uint64_t mpi_calls = 0;  ///< of this rank, as the next ones
  std::uint64_t hawser_calls = 0;
  double mpi_seconds = 0;  ///< measured, of the slowest member; 0: not measured
  double hawser_seconds = 0;
};

/// The choices of one communicator, made as they are met.
class choice_table {
 public:
  choice& at(collective what, bool is_ragged, int of_class) {
    auto& of_kind = kinds_[static_cast<std::size_t>(kind_of(what, is_ragged))];
    if (!of_kind) of_kind = std::make_unique<std::array<choice, size_classes>>();
    return (*of_kind)[static_cast<std::size_t>(of_class)];
  }

  /// Calls f(collective, is it ragged, class, choice) for each that has been met.
  template <class F>
  void for_each(F&& f) const {
    for (const collective what : schedule::all_collectives)
      for (const bool is_ragged : {false, true})
        if (const auto& of_kind = kinds_[static_cast<std::size_t>(kind_of(what, is_ragged))])
          for (int c = 0; c < size_classes; ++c)
            if (const choice& met = (*of_kind)[static_cast<std::size_t>(c)]; met.mpi_calls + met.hawser_calls > 0)
              f(what, is_ragged, c, met);
  }

 private:
  std::array<std::unique_ptr<std::array<choice, size_classes>>, kinds_of_calls> kinds_;
};

}  // namespace hawser::mpi_profile
