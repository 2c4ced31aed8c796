// Which of the fast paths of this machine pass their self-tests, each tried now as a job tries it.
#pragma once

#include <string>
#include <vector>

namespace hawser::cli {

struct fast_path {
  std::string name;
  bool is_trusted = false;
  std::string reason;  ///< what was tried; why it is not trusted, and what is used instead
};

/// Forks once: call it before anything starts threads. What cannot be tried is a path that is not trusted.
std::vector<fast_path> try_fast_paths();

/// As `hawser doctor` prints them.
std::string in_words(const std::vector<fast_path>& all);

}  // namespace hawser::cli
