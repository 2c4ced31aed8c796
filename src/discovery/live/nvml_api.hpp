// What hawser uses of NVML, declared here: the library is opened at run time and its header is not needed to build.
// Numbers and layouts are those of nvml.h (R525 to R580); the driver promises that they never change.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::discovery::nvml {

using result = int;
inline constexpr result success = 0;
inline constexpr result not_supported = 3;
inline constexpr result no_permission = 4;
inline constexpr result insufficient_size = 7;
inline constexpr result driver_not_loaded = 9;
inline constexpr result function_not_found = 13;
inline constexpr result gpu_is_lost = 15;
inline constexpr result reset_required = 16;
inline constexpr result library_mismatch = 18;
inline constexpr result argument_version_mismatch = 25;
inline constexpr result unknown_error = 999;

struct device_handle;  // opaque
using device = device_handle*;

inline constexpr unsigned uuid_size = 96;
inline constexpr unsigned name_size = 96;
inline constexpr unsigned most_links = 36;

struct pci_info {  // of the functions ..._v3 and nvmlDeviceGetNvLinkRemotePciInfo_v2
  char legacy_bus_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
struct legacy_pci_info {  // of nvmlDeviceGetNvLinkRemotePciInfo without a version
  char bus_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  unsigned reserved[4];
};
static_assert(sizeof(pci_info) == 68 && sizeof(legacy_pci_info) == 52);

struct field_value {
  unsigned field, scope;  // the scope of a field of a link is its number
  long long timestamp, latency;
  unsigned type;  // of the value
  result status;
  union {
    double real;
    unsigned integer;
    unsigned long long_integer[2];
    unsigned long long wide;
  } value;
};
inline constexpr unsigned field_link_count = 91;
inline constexpr unsigned field_link_speed = 164;  // MB/s, one direction
inline constexpr unsigned field_link_state = 165;
inline constexpr unsigned field_link_version = 166;
inline constexpr unsigned field_chip_links = 170;       // to the CPU of the same board: NVLink-C2C
inline constexpr unsigned field_chip_link_state = 171;  // 1 active
inline constexpr unsigned field_chip_link_speed = 172;  // MB/s

// Of a link: an enumeration, not the version itself.
enum class link_version : unsigned { v1 = 1, v2 = 2, v2_2 = 3, v3 = 4, v3_1 = 5, v4 = 6, v5 = 7, v6 = 8 };
inline constexpr unsigned capability_p2p = 0;  // of a link

enum class remote_type : unsigned { gpu = 0, ibm_npu = 1, nvswitch = 2, unknown = 255 };

// Versioned structures say their size and version in front.
template <typename Struct>
constexpr unsigned version_tag(unsigned version) noexcept {
  return static_cast<unsigned>(sizeof(Struct)) | version << 24;
}
struct fabric_info_v1 {  // of nvmlDeviceGetGpuFabricInfo, which has no tag
  std::uint8_t cluster_uuid[16];
  result status;
  std::uint32_t clique_id;
  std::uint8_t state;
};
struct fabric_info_v2 {
  unsigned version;
  std::uint8_t cluster_uuid[16];
  result status;
  std::uint32_t clique_id;
  std::uint8_t state;
  std::uint32_t health_mask;
};
struct fabric_info_v3 {
  unsigned version;
  std::uint8_t cluster_uuid[16];
  result status;
  std::uint32_t clique_id;
  std::uint8_t state;
  std::uint32_t health_mask;
  std::uint8_t health_summary;
};
static_assert(sizeof(fabric_info_v1) == 28 && offsetof(fabric_info_v3, health_summary) == 36);
static_assert(version_tag<fabric_info_v2>(2) == 0x02000024 && version_tag<fabric_info_v3>(3) == 0x03000028);

inline constexpr unsigned p2p_read = 0;
inline constexpr unsigned p2p_write = 1;
inline constexpr unsigned p2p_nvlink = 2;

/// A function of the library; null where the library lacks it.
template <typename Signature>
struct symbol {
  const char* name;
  Signature* address = nullptr;

  template <typename... Arguments>
  result operator()(Arguments... arguments) const {
    return address ? address(arguments...) : function_not_found;
  }
};

struct api {
  symbol<result()> init{"nvmlInit_v2"};
  symbol<result()> shutdown{"nvmlShutdown"};
  symbol<result(char*, unsigned)> driver_version{"nvmlSystemGetDriverVersion"};
  symbol<result(unsigned*)> count{"nvmlDeviceGetCount_v2"};
  symbol<result(unsigned, device*)> by_index{"nvmlDeviceGetHandleByIndex_v2"};
  symbol<result(device, char*, unsigned)> name{"nvmlDeviceGetName"};
  symbol<result(device, char*, unsigned)> uuid{"nvmlDeviceGetUUID"};
  symbol<result(device, pci_info*)> pci{"nvmlDeviceGetPciInfo_v3"};
  symbol<result(device, unsigned*)> minor{"nvmlDeviceGetMinorNumber"};
  symbol<result(device, int*, int*)> compute{"nvmlDeviceGetCudaComputeCapability"};
  symbol<result(device, int*)> compute_mode{"nvmlDeviceGetComputeMode"};
  symbol<result(device, unsigned*, unsigned*)> mig_mode{"nvmlDeviceGetMigMode"};
  symbol<result(device, unsigned*)> most_mig_devices{"nvmlDeviceGetMaxMigDeviceCount"};
  symbol<result(device, unsigned, device*)> mig_by_index{"nvmlDeviceGetMigDeviceHandleByIndex"};
  symbol<result(device, unsigned*, void*)> mps_processes{"nvmlDeviceGetMPSComputeRunningProcesses_v3"};
  symbol<result(device, int, field_value*)> fields{"nvmlDeviceGetFieldValues"};
  symbol<result(device, unsigned, unsigned*)> link_state{"nvmlDeviceGetNvLinkState"};
  symbol<result(device, unsigned, unsigned*)> link_version{"nvmlDeviceGetNvLinkVersion"};
  symbol<result(device, unsigned, unsigned, unsigned*)> link_capability{"nvmlDeviceGetNvLinkCapability"};
  symbol<result(device, unsigned, pci_info*)> link_remote_pci{"nvmlDeviceGetNvLinkRemotePciInfo_v2"};
  symbol<result(device, unsigned, legacy_pci_info*)> link_remote_pci_legacy{"nvmlDeviceGetNvLinkRemotePciInfo"};
  symbol<result(device, unsigned, remote_type*)> link_remote_type{"nvmlDeviceGetNvLinkRemoteDeviceType"};
  symbol<result(device, void*)> fabric_tagged{"nvmlDeviceGetGpuFabricInfoV"};
  symbol<result(device, fabric_info_v1*)> fabric{"nvmlDeviceGetGpuFabricInfo"};
  symbol<result(device, device, unsigned, unsigned*)> p2p{"nvmlDeviceGetP2PStatus"};
  symbol<result(device, device, unsigned*)> common_ancestor{"nvmlDeviceGetTopologyCommonAncestor"};

  template <typename Visitor>
  void each(Visitor visit) {
    visit(init), visit(shutdown), visit(driver_version), visit(count), visit(by_index), visit(name), visit(uuid);
    visit(pci), visit(minor), visit(compute), visit(compute_mode), visit(mig_mode), visit(most_mig_devices);
    visit(mig_by_index), visit(mps_processes), visit(fields), visit(link_state), visit(link_version);
    visit(link_capability), visit(link_remote_pci), visit(link_remote_pci_legacy), visit(link_remote_type);
    visit(fabric_tagged), visit(fabric), visit(p2p), visit(common_ancestor);
  }
};

}  // namespace hawser::discovery::nvml
