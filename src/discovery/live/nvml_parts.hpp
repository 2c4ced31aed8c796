// The parts of the question to NVML.
#pragma once

#include "nvml_query.hpp"

namespace hawser::discovery::nvml {

/// Multi-node NVLink: into `fabric_info` or `fabric_problem`.
void ask_fabric(const api& calls, device which, gpu& found);

/// NVLink; a result other than success where the GPU stopped to answer.
result ask_links(const api& calls, device which, gpu& found);

/// NVLink-C2C, between the chips of one board.
void ask_chip_links(const api& calls, device which, gpu& found);

}  // namespace hawser::discovery::nvml
