// What `nvidia-smi nvlink -s` says: each link of each GPU, with its bandwidth or inactive.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery {

inline constexpr int max_nvlinks_listed = 72;         ///< of one GPU; twice what any has
inline constexpr std::size_t max_nvlink_gpus = 1024;  ///< of one host

struct nvlink_status {
  std::string name{};
  std::string uuid{};                            ///< empty where the text leaves it out
  std::map<int, std::optional<double>> links{};  ///< GB/s per direction, empty: inactive
  bool has_none = false;                         ///< nvidia-smi says that no link is active or that there are none
  std::size_t line = 0;
};

struct smi_nvlink_document {
  std::map<int, nvlink_status> gpus{};  ///< by number
  bool is_elided = false;               ///< "..." stands for a part of the text
  std::vector<std::string> contradictory_links{};
  std::vector<std::string> unknown_links{};  ///< with a status that is none of the two
};

/// Throws errc::parse where the text has no GPU, or a number that no machine has.
smi_nvlink_document parse_smi_nvlink(const document& file);

}  // namespace hawser::discovery
