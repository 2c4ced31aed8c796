// What an NCCL (or RCCL, FlagCX) topology XML says, as it says it: CPUs, the PCI tree, GPUs, nets and links.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/topology/bus_id.hpp>

#include "../generated_parts.hpp"
#include "../text.hpp"

namespace hawser::discovery::nccl {

using attributes = std::map<std::string, std::string>;  ///< as in the file, by the names of the file

/// <nvlink> or <xgmi>: parallel links of a GPU to one target.
struct link {
  std::optional<topology::bus_id> target;  ///< empty: a device that is not visible ("fffffff:ff:ff.0")
  int count = 0;
  std::string target_class;
  bool is_xgmi = false;
};

/// <c2c>: links between a GPU and its CPU.
struct chip_link {
  std::int64_t megabytes_per_second = 0;  ///< of one link and direction
  int count = 0;
};

/// <gpu> or <apu>; several in one PCI device are its partitions, or ranks that share it.
struct gpu {
  attributes given;
  std::optional<int> dev;
  std::optional<int> sm;
  std::vector<link> links;
  std::vector<chip_link> chip_links;
};

struct net {
  attributes given;
  std::string name;  ///< never empty: "net3" or "net" where the file names it by number or not at all
  std::optional<std::int64_t> megabits_per_second;  ///< empty: absent, zero or negative
};

/// <pci>, or the <nic> of a CPU, which has no bus id and no parent.
struct device {
  std::size_t cpu = 0;                ///< index into document::cpus
  std::optional<std::size_t> parent;  ///< index into document::devices, smaller than its own
  std::optional<topology::bus_id> id;
  attributes given;
  std::vector<gpu> gpus;
  std::vector<net> nets;
  std::vector<std::string> peers;  ///< targets of <pcilink>
  bool has_devices = false;        ///< PCI devices below it
};

struct cpu {
  std::string host;         ///< `host_hash`; empty where absent
  std::optional<int> numa;  ///< -1: the system reports none
  attributes given;
};

struct document {
  int version = 1;  ///< 1 of NCCL, 2 of RCCL
  std::vector<cpu> cpus;
  std::vector<device> devices;                  ///< in the order of the file, parents first
  std::map<std::string, int> unknown_elements;  ///< by name, how often
};

enum class device_kind { gpu, nic, bridge, nvswitch, other, unknown };

/// GPU and NIC by their elements or PCI class (0x03.., 0x12.. and 0x02..), a bridge by class 0x0604 or PCI devices
/// below it, an NVSwitch by class 0x0680; `other` by the classes of storage, USB and the like.
device_kind kind_of(const device& each);

/// A PCI class as sysfs writes it, "0x030200" or "0x0302", of any spelling: "030200", " 0X0302 ". Empty where the text
/// is none.
std::string class_of(std::string_view text);

/// Throws errc::parse.
document parse(const discovery::document& file);

inline constexpr std::size_t max_elements = 200'000;  ///< NCCL itself stops at 256 per rank
inline constexpr int max_links = 1024;                ///< of one element; 18 are real
inline constexpr std::size_t max_all_links = generated_parts(1'000'000);

/// The attributes that the graph keeps under another name, so that they can be written again.
using attribute_names = std::pair<const char*, const char*>;  // in the file, in the graph
inline constexpr std::array<attribute_names, 5> cpu_attributes = {{{"affinity", "affinity"},
                                                                   {"arch", "arch"},
                                                                   {"vendor", "cpu_vendor"},
                                                                   {"familyid", "cpu_family"},
                                                                   {"modelid", "cpu_model"}}};
inline constexpr std::array<attribute_names, 5> pci_attributes = {{{"class", "pci_class"},
                                                                   {"vendor", "pci_vendor"},
                                                                   {"device", "pci_device"},
                                                                   {"subsystem_vendor", "pci_subsystem_vendor"},
                                                                   {"subsystem_device", "pci_subsystem_device"}}};
inline constexpr std::array<attribute_names, 7> gpu_attributes = {{{"dev", "gpu_dev"},
                                                                   {"sm", "sm"},
                                                                   {"gcn", "gcn"},
                                                                   {"arch", "gpu_arch"},
                                                                   {"rank", "nccl_rank"},
                                                                   {"gdr", "gdr"},
                                                                   {"mlopart", "mlopart"}}};
inline constexpr std::array<attribute_names, 13> net_attributes = {{{"dev", "net_dev"},
                                                                    {"latency", "net_latency"},
                                                                    {"speed", "rate_mbit"},
                                                                    {"port", "net_port"},
                                                                    {"guid", "net_guid"},
                                                                    {"maxconn", "net_maxconn"},
                                                                    {"gdr", "gdr"},
                                                                    {"coll", "net_coll"},
                                                                    {"net", "net_net"},
                                                                    {"gin", "net_gin"},
                                                                    {"rma", "net_rma"},
                                                                    {"rail", "net_rail"},
                                                                    {"plane", "net_plane"}}};

}  // namespace hawser::discovery::nccl
