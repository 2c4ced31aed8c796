// All live sources; each is defined in the file of its name.
#pragma once

#include <hawser/discovery/live.hpp>

namespace hawser::discovery {

extern const live_source live_system;
extern const live_source live_hwloc;
extern const live_source live_nvml;
extern const live_source live_network;
extern const live_source live_ibnetdisc;
extern const live_source live_slurm;
extern const live_source live_slurm_files;
extern const live_source live_kubernetes;

}  // namespace hawser::discovery
