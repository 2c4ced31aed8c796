// Figures of an earlier run, from the file that HAWSER_MPI_TUNING names, and of this one.
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

/// Collectives of one kind and class of sizes on communicators of so many ranks.
struct measured_call {
  int size;
  collective what;
  bool is_ragged;
  int of_class;
};
/// Seconds of the MPI library and of hawser.
using figure_pair = std::pair<double, double>;

/// From the file; the same on all ranks at all times, so that what follows from them needs no agreement.
std::optional<figure_pair> find_given(const measured_call& of);
/// From this run. Other ranks, and members of other communicators, may have them or not, at any moment.
std::optional<figure_pair> find_measured(const measured_call& of);
void note_measured(const measured_call& of, figure_pair seconds);
/// Writes all of them where the file was not there at the start. Warns where it cannot be written.
void save_figures(const std::string& path);

}  // namespace hawser::mpi_profile
