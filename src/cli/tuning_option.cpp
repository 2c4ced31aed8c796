// See tuning_option.hpp.
#include "tuning_option.hpp"

#include <cstdio>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/error.hpp>

namespace hawser::cli {

tune::tuned tuned_of(const std::string& given, const topology::hierarchy& tree) {
  const std::string path = given.empty() ? bootstrap::read_launch().tuning : given;
  if (path.empty() || path == "probe") return {tree, {}};
  const tune::tuning measured = tune::read_tuning(path);
  try {
    return tune::apply(measured, tree, {}, topology::provenance::file, tune::origin_of_file(path, measured));
  } catch (const error& problem) {
    if (problem.code() != errc::mismatch) throw;
    if (!given.empty()) fail(errc::invalid_argument, "\"" + path + "\" cannot be used here", problem.what());
    std::fprintf(stderr, "hawser: HAWSER_TUNING=%s is not used: %s\n", path.c_str(), problem.what());
    return {tree, {}};
  }
}

}  // namespace hawser::cli
