// What NVML tells of this host's GPUs, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hawser/topology/bus_id.hpp>

#include "nvml_library.hpp"

namespace hawser::discovery::nvml {

struct link {
  unsigned number = 0;
  bool is_active = false;
  bool is_peer_to_peer = true;          ///< carries traffic between GPUs
  std::optional<unsigned> version{};    ///< of NVLink: 4
  std::optional<unsigned> megabytes{};  ///< per second, one direction
  remote_type remote = remote_type::unknown;
  std::optional<topology::bus_id> remote_id{};  ///< empty where it is not visible
};

struct fabric {
  std::string cluster_uuid;  ///< "00000000-0000-0000-0000-000000000000" where there is none
  std::uint32_t clique_id = 0;
  std::string state;   ///< "completed"
  std::string status;  ///< "success"
  std::string health;  ///< "ok"; empty where it is not told
  bool is_complete = false;
};

struct gpu {
  unsigned index = 0;
  std::string lost{};  ///< why NVML cannot talk to it; the other members are what was known before
  std::string name{};
  std::string uuid{};
  std::optional<topology::bus_id> id{};
  std::optional<unsigned> minor{};
  std::string compute{};       ///< "9.0"
  std::string compute_mode{};  ///< "exclusive_process"; empty for the default
  std::optional<bool> has_mig{};
  std::vector<std::string> mig_uuids{};
  std::optional<unsigned> mps_processes{};
  std::optional<fabric> fabric_info{};
  std::string fabric_problem{};  ///< why there is no `fabric_info` though the driver has it
  std::vector<link> links{};
  unsigned chip_links = 0;                   ///< NVLink-C2C to its CPU that are active
  std::optional<unsigned> chip_megabytes{};  ///< of each, per second
};

struct answer {
  std::string driver;
  std::vector<gpu> gpus;
  bool is_complete = true;  ///< false: time ran out
};

/// Asks for everything. A call cannot be interrupted; after `limit` no further one is made.
answer ask(const library& nvml, std::chrono::milliseconds limit);

/// In words, "ok" where nothing is wrong; empty where the mask tells nothing.
std::string health_in_words(std::uint32_t mask, std::optional<std::uint8_t> summary);

/// "3f2a0b1c-...": as nvidia-smi writes 16 bytes.
std::string uuid_text(const std::uint8_t (&bytes)[16]);

}  // namespace hawser::discovery::nvml
