// Reads /sys/class/net and /sys/class/infiniband.
#include "network_scan.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "sysfs.hpp"

namespace hawser::discovery {

namespace {

// GIDs of a port that are looked at; RoCE ports with many VLANs have hundreds.
constexpr int most_gids = 16;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// "4: ACTIVE", "5: LinkUp"
std::string state_in(const std::string& file) {
  const std::string text = sysfs::line(file).value_or("");
  const std::string_view told = text;
  return lower(std::string(trimmed(told.substr(told.find(':') + 1))));  // without a colon all of it: npos + 1 is 0
}

// The last PCI function on the way to a device: that of virtio2 in ".../0000:00:03.0/virtio2".
std::optional<topology::bus_id> pci_of(const std::string& device_path) {
  const auto functions = sysfs::pci_functions_in(device_path);
  if (functions.empty()) return std::nullopt;
  return functions.back();
}

interface_kind kind_of(const std::string& folder, const std::string& path) {
  if (!sysfs::exists(folder + "/device")) return interface_kind::software;
  if (path.find("/usb") != std::string::npos) return interface_kind::usb;
  return sysfs::exists(folder + "/device/physfn") ? interface_kind::virtual_function : interface_kind::device;
}

network_interface read_interface(const std::string& classes, const std::string& name) {
  const std::string folder = classes + "/" + name;
  const std::string path = sysfs::link(folder);  // "../../devices/pci0000:16/.../0000:19:00.0/net/eth0"
  network_interface found{.name = name};
  found.kind = kind_of(folder, path);
  found.pci = pci_of(path);
  found.state = sysfs::line(folder + "/operstate").value_or("");
  if (found.kind != interface_kind::device) return found;
  // -1 and 2^32 - 1 are how drivers say that they do not know
  const auto mbit = sysfs::number<std::int64_t>(folder + "/speed");
  if (mbit && *mbit > 0 && *mbit < 0xffffffffLL) found.mbit = mbit;
  found.master = sysfs::link_name(folder + "/master");
  found.driver = sysfs::link_name(folder + "/device/driver");
  return found;
}

std::vector<std::string> gids_in(const std::string& folder) {
  std::vector<std::string> found;
  for (int number = 0; number < most_gids; ++number) {
    const auto gid = sysfs::line(folder + "/" + std::to_string(number));
    if (!gid) break;
    // The last half is zero where the entry is free; the first one is a prefix of the subnet.
    if (gid->find_last_not_of("0:") >= 20 && gid->find_last_not_of("0:") != std::string::npos) found.push_back(*gid);
  }
  return found;
}

rdma_port read_port(const std::string& folder, int number) {
  rdma_port found{.number = number};
  found.state = state_in(folder + "/state");
  found.physical_state = state_in(folder + "/phys_state");
  found.link_layer = sysfs::line(folder + "/link_layer").value_or("");
  read_rate(sysfs::line(folder + "/rate").value_or(""), found);
  found.lid = sysfs::line(folder + "/lid").value_or("");
  found.sm_lid = sysfs::line(folder + "/sm_lid").value_or("");
  found.gids = gids_in(folder + "/gids");
  return found;
}

// "506b:4b03:00c8:ae42" as other tools write it.
std::string guid_in(const std::string& file) {
  std::string digits = lower(sysfs::line(file).value_or(""));
  std::erase(digits, ':');
  const bool is_guid = digits.size() == 16 && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_guid && digits.find_first_not_of('0') != std::string::npos ? "0x" + digits : "";
}

rdma_device read_device(const std::string& classes, const std::string& name) {
  const std::string folder = classes + "/" + name;
  rdma_device found{.name = name};
  found.pci = pci_of(sysfs::link(folder));
  found.is_virtual_function = sysfs::exists(folder + "/device/physfn");
  found.guid = guid_in(folder + "/node_guid");
  found.model = sysfs::line(folder + "/hca_type").value_or("");
  found.board = sysfs::line(folder + "/board_id").value_or("");
  for (const std::string& port : sysfs::names(folder + "/ports"))
    if (const auto number = to_integer<int>(port)) found.ports.push_back(read_port(folder + "/ports/" + port, *number));
  return found;
}

}  // namespace

void read_rate(const std::string& text, rdma_port& port) {
  const std::vector<std::string_view> parts = words(text);  // "400", "Gb/sec", "(4X", "NDR)"
  if (parts.size() < 2 || parts[1] != "Gb/sec") return;
  const auto gigabits = to_number(parts[0]);
  if (gigabits && *gigabits > 0 && *gigabits < 1e6) port.mbit = std::llround(*gigabits * 1000);
  if (parts.size() < 3 || !parts[2].starts_with('(')) return;
  std::string width = lower(std::string(parts[2].substr(1)));
  std::erase(width, ')');
  port.width = width;
  if (parts.size() < 4) return;
  port.speed = std::string(parts[3].substr(0, parts[3].find(')')));
}

network_scan scan_network(const std::string& root) {
  const std::string classes = root + "/sys/class";
  network_scan found;
  found.has_interfaces = sysfs::exists(classes + "/net");
  for (const std::string& name : sysfs::names(classes + "/net"))
    if (!sysfs::link(classes + "/net/" + name).empty())  // "bonding_masters" is a file
      found.interfaces.push_back(read_interface(classes + "/net", name));
  for (const std::string& name : sysfs::names(classes + "/infiniband"))
    found.devices.push_back(read_device(classes + "/infiniband", name));
  return found;
}

}  // namespace hawser::discovery
