// What HAWSER_MPI_REPORT asks for: per collective and size how often it was called, who served it, what that saved.
#pragma once

#include <string>

#include "communicators.hpp"
#include "settings.hpp"

namespace hawser::mpi_profile {

/// Adds the counts of a communicator that goes. Thread-safe.
void add_to_report(const known_communicator& known);
/// The report of this rank's calls, as text or JSON.
std::string text_of_report();
std::string json_of_report();
/// Writes it where the settings say; nothing where they say nothing. Warns where the file cannot be written.
void write_report(const settings& told);

}  // namespace hawser::mpi_profile
