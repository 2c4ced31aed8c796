// A /sys made for a test, in a temporary folder: hosts with the PCI devices, interfaces and RDMA devices that it names.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <hawser/discovery/live.hpp>

namespace hawser::testing {

class sysfs_tree {
 public:
  sysfs_tree() { std::filesystem::create_directories(root_ / "sys/devices/system/cpu"); }
  ~sysfs_tree() { std::filesystem::remove_all(root_); }
  sysfs_tree(const sysfs_tree&) = delete;
  sysfs_tree& operator=(const sysfs_tree&) = delete;

  discovery::live_environment environment() const {
    return {.host = "n1", .root = root_.string(), .nvml = "/nowhere/libnvidia-ml.so.1", .variable = [](const char*) {
              return std::optional<std::string>();
            }};
  }

  void write(const std::string& file, const std::string& line) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << line << '\n';
  }
  void link(const std::string& file, const std::string& target) {
    const auto path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(target, path);
  }

  void numa(int number, const std::string& cpus) {
    write("sys/devices/system/node/node" + std::to_string(number) + "/cpulist", cpus);
  }

  /// A PCI function at "pci0000:16/0000:16:01.0/0000:17:00.0" below devices.
  void pci(const std::string& path, const std::string& class_code, const std::string& vendor, int numa_node) {
    const std::string folder = "sys/devices/" + path;
    const std::string id = path.substr(path.rfind('/') + 1);
    write(folder + "/class", class_code);
    write(folder + "/vendor", vendor);
    write(folder + "/device", "0x1234");
    write(folder + "/numa_node", std::to_string(numa_node));
    link("sys/bus/pci/devices/" + id, "../../../devices/" + path);
  }
  void pci_link(const std::string& path, const std::string& speed, int width, const std::string& max_speed,
                int max_width) {
    const std::string folder = "sys/devices/" + path;
    write(folder + "/current_link_speed", speed);
    write(folder + "/current_link_width", std::to_string(width));
    write(folder + "/max_link_speed", max_speed);
    write(folder + "/max_link_width", std::to_string(max_width));
  }
  void driver(const std::string& path, const std::string& name) {
    link("sys/devices/" + path + "/driver", "../../../bus/pci/drivers/" + name);
  }

  /// An interface of the device at a path below devices; of none ("virtual") for what software makes.
  void interface(const std::string& name, const std::string& device, const std::string& state,
                 const std::string& speed) {
    const std::string folder = "sys/devices/" + device + "/net/" + name;
    write(folder + "/operstate", state);
    write(folder + "/speed", speed);
    if (device != "virtual") link(folder + "/device", "../..");
    link("sys/class/net/" + name, "../../devices/" + device + "/net/" + name);
  }

  void rdma(const std::string& name, const std::string& device, const std::string& guid) {
    const std::string folder = "sys/devices/" + device + "/infiniband/" + name;
    write(folder + "/node_guid", guid);
    write(folder + "/hca_type", "MT4129");
    if (!device.starts_with("virtual")) link(folder + "/device", "../..");
    link("sys/class/infiniband/" + name, "../../devices/" + device + "/infiniband/" + name);
  }
  void port(const std::string& name, int number, const std::string& layer, const std::string& state,
            const std::string& physical, const std::string& rate) {
    const std::string folder = "sys/class/infiniband/" + name + "/ports/" + std::to_string(number);
    write(folder + "/link_layer", layer);
    write(folder + "/state", state);
    write(folder + "/phys_state", physical);
    write(folder + "/rate", rate);
    write(folder + "/lid", "0x2a");
    write(folder + "/sm_lid", "0x1");
    write(folder + "/gids/0", "fe80:0000:0000:0000:946d:ae03:0012:3456");
    write(folder + "/gids/1", "0000:0000:0000:0000:0000:0000:0000:0000");
  }

 private:
  std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("hawser_sysfs_" + std::to_string(::getpid()));
};

/// Two sockets, four PCIe switches, at each two GPUs and two InfiniBand NICs, as a DGX H100 has them.
inline void make_dgx(sysfs_tree& tree) {
  const auto hex = [](int number) {
    return std::string(1, "0123456789abcdef"[number / 16]) + "0123456789abcdef"[number % 16];
  };
  tree.numa(0, "0-55,112-167");
  tree.numa(1, "56-111,168-223");
  tree.pci("pci0000:00/0000:00:1f.0", "0x060100", "0x8086", 0);
  tree.pci("pci0000:00/0000:00:02.0", "0x030000", "0x1a03", 0);  // the console
  int rdma = 0;
  for (int each = 0; each < 4; ++each) {
    const int first = 0x10 + 0x20 * each, socket = each / 2;
    const std::string root_bus = "0000:" + hex(first);
    const std::string port = "pci" + root_bus + "/" + root_bus + ":01.0";
    const std::string chip = port + "/0000:" + hex(first + 1) + ":00.0";
    tree.pci(port, "0x060400", "0x8086", socket);
    tree.pci_link(port, "32.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16);
    tree.pci(chip, "0x060400", "0x1000", socket);
    tree.pci_link(chip, "32.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16);
    for (int slot = 0; slot < 4; ++slot) {
      const std::string down = chip + "/0000:" + hex(first + 2) + ":0" + std::to_string(slot) + ".0";
      const std::string device = down + "/0000:" + hex(first + 3 + slot) + ":00.0";
      tree.pci(down, "0x060400", "0x1000", socket);
      tree.pci_link(down, "32.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16);
      tree.pci(device, slot < 2 ? "0x030200" : "0x020700", slot < 2 ? "0x10de" : "0x15b3", socket);
      tree.driver(device, slot < 2 ? "nvidia" : "mlx5_core");
      tree.pci_link(device, slot < 2 ? "2.5 GT/s PCIe" : "32.0 GT/s PCIe", 16, "32.0 GT/s PCIe", 16);
      if (slot < 2) continue;
      const std::string name = "mlx5_" + std::to_string(rdma);
      tree.rdma(name, device, "946d:ae03:0012:340" + std::to_string(rdma));
      tree.port(name, 1, "InfiniBand", "4: ACTIVE", "5: LinkUp", "400 Gb/sec (4X NDR)");
      tree.interface("ib" + std::to_string(rdma), device, "up", "400000");
      ++rdma;
    }
  }
}

}  // namespace hawser::testing
