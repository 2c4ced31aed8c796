// The CUDA devices of this process, found without needing a driver to start the program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/cuda/capability.hpp>

namespace hawser::cuda {

/// One GPU as this process sees it.
struct device_info {
  std::int32_t number = 0;
  std::string name;
  std::int32_t multiprocessors = 0;
  std::uint64_t memory_bytes = 0;
  capabilities can{};
};

/// All devices; empty where there is no driver or no GPU, with the reason in `why_none`. Never throws for their
/// absence.
std::vector<device_info> find_devices(std::string* why_none = nullptr);

/// One device. Throws errc::unsupported "no CUDA device (reason); ..." where there is none, errc::invalid_argument
/// where the number is out of range.
device_info require_device(std::int32_t number = 0);

}  // namespace hawser::cuda
