// NVML opened at run time: loaded and initialised while an object of this class lives.
#pragma once

#include <string>
#include <vector>

#include <hawser/topology/finding.hpp>

#include "nvml_api.hpp"

namespace hawser::discovery::nvml {

/// In words: "GPU is lost".
std::string to_text(result status);

class library {
 public:
  /// Opens and initialises. Where that is not possible, `is_usable` is false and `why` says why.
  explicit library(const std::string& file, const std::string& subject);
  ~library();
  library(const library&) = delete;
  library& operator=(const library&) = delete;

  bool is_usable() const noexcept { return is_usable_; }
  const topology::finding& why() const noexcept { return why_; }
  const api& calls() const noexcept { return calls_; }
  /// The functions that this version lacks.
  const std::vector<std::string>& missing() const noexcept { return missing_; }

 private:
  void initialise(const std::string& file);

  void* handle_ = nullptr;
  api calls_;
  std::vector<std::string> missing_;
  topology::finding why_;
  bool is_usable_ = false;
};

}  // namespace hawser::discovery::nvml
