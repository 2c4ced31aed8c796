// What the environment asks of this library (docs/mpi.md).
#pragma once

#include <string>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>

namespace hawser::mpi_profile {

/// HAWSER_MPI: who serves the collectives.
enum class mode : int {
  off,        ///< the MPI library, always
  automatic,  ///< hawser where it was measured to be faster
  forced,     ///< hawser wherever it can
};

/// Plain data; rank 0's counts on all ranks.
struct settings {
  mode serve = mode::automatic;
  std::string report;  ///< HAWSER_MPI_REPORT: a file, "-" for standard error; empty: none. JSON where it ends in .json
  std::string tuning;  ///< HAWSER_MPI_TUNING: a file of measured figures, read at the start or written at the end
  std::vector<std::string> warnings{};  ///< about values that were not understood; the library is then off
};

settings read_settings(const bootstrap::variable_lookup& variable);
/// The same from this process's environment.
settings read_settings();

/// Says it on standard error, with the library's name before it.
void warn(const std::string& text) noexcept;

}  // namespace hawser::mpi_profile
