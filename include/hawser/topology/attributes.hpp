// The names of attributes that more than one source sets or that lint rules read. Values are text as people write it.
#pragma once

namespace hawser::topology::attribute {

// Of every part
inline constexpr const char* level = "level";  ///< the name of the level that such parts make, where a source names it
inline constexpr const char* model = "model";  ///< "NVIDIA H100 80GB HBM3"
inline constexpr const char* pci = "pci";      ///< bus id as topology::bus_id writes it: "0000:1b:00.0"
inline constexpr const char* numa = "numa";    ///< NUMA node; "-1" where the system reports none
inline constexpr const char* virtual_part =
    "virtual";  ///< "1": no such part is visible; it stands for a known relation

// GPU
inline constexpr const char* index = "index";  ///< number among the GPUs of its host (NVML's order)
inline constexpr const char* uuid = "uuid";
inline constexpr const char* compute = "compute";                ///< compute capability "9.0", "gfx90a"
inline constexpr const char* cluster_uuid = "cluster_uuid";      ///< of the NVLink fabric; zero: not multi-node
inline constexpr const char* clique_id = "clique_id";            ///< number within the cluster UUID
inline constexpr const char* fabric_state = "fabric_state";      ///< "completed", "in_progress", "not_supported", ...
inline constexpr const char* fabric_status = "fabric_status";    ///< "success" or the error's text
inline constexpr const char* fabric_health = "fabric_health";    ///< "ok", or what is degraded, words joined by ", "
inline constexpr const char* mig = "mig";                        ///< "enabled", "disabled"
inline constexpr const char* nvlinks_active = "nvlinks_active";  ///< links that are up
inline constexpr const char* nvlinks_inactive = "nvlinks_inactive";
inline constexpr const char* lost = "lost";  ///< why the driver cannot talk to it: "GPU is lost"

// NIC
inline constexpr const char* device = "device";          ///< "mlx5_0"
inline constexpr const char* link_layer = "link_layer";  ///< "InfiniBand", "Ethernet"
inline constexpr const char* port_state = "port_state";  ///< "active", "down", ...
inline constexpr const char* guid = "guid";              ///< "0x506b4b0300c8ae42"
inline constexpr const char* gdr = "gdr";                ///< "1": reads and writes GPU memory directly
inline constexpr const char* rate_mbit = "rate_mbit";    ///< of the port, Mbit/s: "200000"
inline constexpr const char* software = "software";  ///< "1": made by the operating system (veth, bridge): no fabric

// Edge
inline constexpr const char* width = "width";          ///< lanes: "4x"; both ends "1x/4x" where they disagree
inline constexpr const char* speed = "speed";          ///< "HDR", "gen5"; both ends "SDR/HDR" where they disagree
inline constexpr const char* max_width = "max_width";  ///< that both ends could run at, written alike
inline constexpr const char* max_speed = "max_speed";
inline constexpr const char* ports = "ports";  ///< port numbers at the two ends, "1-17"

}  // namespace hawser::topology::attribute
