// Reading the small files and links of /sys and /proc; nothing there is an error, only absent.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/topology/bus_id.hpp>

#include "../text.hpp"

namespace hawser::discovery::sysfs {

/// The first line of a file without blanks at its ends; empty where it cannot be read (many files of /sys exist and
/// refuse: the speed of a port that is down). At most 4 KiB are read.
std::optional<std::string> line(const std::string& file);

/// A whole number in a file: "-1", "0x10de" and "10" in base 10.
template <typename Integer>
std::optional<Integer> number(const std::string& file) {
  const auto text = line(file);
  if (!text) return std::nullopt;
  return text->starts_with("0x") ? to_integer<Integer>(std::string_view(*text).substr(2), 16)
                                 : to_integer<Integer>(*text);
}

/// The names in a folder, shorter ones first, so that mlx5_2 comes before mlx5_10; empty where there is none.
std::vector<std::string> names(const std::string& folder);

bool exists(const std::string& file);

/// What a symbolic link says; empty where there is none.
std::string link(const std::string& file);
/// The last part of what a link says: "mlx5_core" of ".../drivers/mlx5_core".
std::string link_name(const std::string& file);

/// The PCI functions in a path below the last host bridge, outermost first: the bridges and, last, the function itself
/// of "../../../devices/pci0000:16/0000:16:01.0/0000:17:00.0/net/eth0".
std::vector<topology::bus_id> pci_functions_in(std::string_view path);

}  // namespace hawser::discovery::sysfs
