// See settings.hpp.
#include "settings.hpp"

#include <cstdio>
#include <cstdlib>

namespace hawser::mpi_profile {

settings read_settings(const bootstrap::variable_lookup& variable) {
  settings told;
  const std::string serve = variable("HAWSER_MPI").value_or("auto");
  if (serve == "off") {
    told.serve = mode::off;
  } else if (serve == "force") {
    told.serve = mode::forced;
  } else if (serve != "auto" && !serve.empty()) {
    told.serve = mode::off;
    told.warnings.push_back("HAWSER_MPI is \"" + serve +
                            "\" (no such mode), the MPI library serves everything; use force, auto or off");
  }
  told.report = variable("HAWSER_MPI_REPORT").value_or("");
  if (told.report == "1" || told.report == "stderr") told.report = "-";
  if (told.report == "0") told.report.clear();
  told.tuning = variable("HAWSER_MPI_TUNING").value_or("");
  return told;
}

settings read_settings() {
  return read_settings([](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  });
}

void warn(const std::string& text) noexcept {
  std::fprintf(stderr, "libhawser-mpi: %s\n", text.c_str());
}

}  // namespace hawser::mpi_profile
