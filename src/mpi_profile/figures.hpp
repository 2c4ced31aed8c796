// Figures measured in an earlier run, from the file that HAWSER_MPI_TUNING names.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "arguments.hpp"

namespace hawser::mpi_profile {

/// The file's text; empty, with a warning where it is there but cannot be used, so that everything is measured anew.
std::string read_figures(const std::string& path);
/// Keeps the figures of such a text, the same on all ranks.
void take_figures(const std::string& text);
/// The seconds of the MPI library and of hawser for a class of sizes on a communicator of so many ranks.
std::optional<std::pair<double, double>> find_figures(int size, collective what, bool is_ragged, int of_class);
/// Remembers what was measured now, and writes all of it where the file was not there at the start. Warns where it
/// cannot be written.
void note_figures(int size, collective what, bool is_ragged, int of_class, double mpi_seconds, double hawser_seconds);
void save_figures(const std::string& path);

}  // namespace hawser::mpi_profile
