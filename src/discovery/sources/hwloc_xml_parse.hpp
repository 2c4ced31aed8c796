// What an hwloc topology says: the tree of objects and the matrices between them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/bus_id.hpp>

#include "../text.hpp"

namespace hawser::discovery::hwloc {

/// What an OS device is, one bit each, as version 3 writes `osdev_type`.
enum osdev : std::uint64_t {
  storage = 1,
  memory = 2,
  gpu = 4,
  coprocessor = 8,
  network = 16,
  openfabrics = 32,
  dma = 64
};

/// Version 2 writes a number: block, GPU, network, OpenFabrics, DMA, co-processor. Of OpenFabrics and co-processors
/// version 3 also says that they are network and GPU (hwloc_internal_osdev_types in its sources).
std::uint64_t osdev_of_version_2(std::uint64_t type);

struct object {
  std::string type;
  std::optional<std::size_t> parent;  ///< index into document::objects, smaller than its own
  std::optional<int> os_index;
  std::uint64_t gp_index = 0;  ///< unique among the objects of a type, where matrices refer to them
  std::string name;
  std::string subtype;
  std::optional<topology::bus_id> pci;
  std::string pci_class;   ///< "0302"
  std::string pci_vendor;  ///< "10de"
  std::string pci_device;
  double link_gigabytes = 0;     ///< per second; 0: unknown
  std::uint64_t osdev_type = 0;  ///< as in the file
  std::uint64_t osdev = 0;       ///< bits of enum osdev
  std::map<std::string, std::string> info;
};

struct matrix {
  std::string element;  ///< "distances2" or "distances2hetero"
  std::string name;
  std::vector<std::string> indexes;                 ///< as in the file: "0", "OSDev:802"
  std::vector<std::optional<std::size_t>> objects;  ///< indexes into document::objects, empty where there is none
  std::vector<std::uint64_t> values;                ///< row by row
};

struct document {
  int major = 0, minor = 0;
  std::vector<object> objects;  ///< depth first
  std::vector<matrix> matrices;
};

inline constexpr std::size_t max_objects = 200'000;
inline constexpr std::size_t max_values = 4'000'000;  ///< of all matrices

/// Reads versions 2 and 3. Throws errc::parse.
document parse(const discovery::document& file);

}  // namespace hawser::discovery::hwloc
