// hawser doctor hang: what the dumps of a job's ranks say together.
#pragma once

#include "verbs.hpp"

namespace hawser::cli {

/// Adds the subcommand to `hawser doctor`.
verb add_doctor_hang(CLI::App& doctor);

}  // namespace hawser::cli
