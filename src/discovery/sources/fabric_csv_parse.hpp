// Lines of cluster UUID and clique id, as nvidia-smi prints one per GPU, with the host before them where several
// answered.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_fabric_hosts = 1'000'000;

struct fabric_line {
  std::string_view host{};  ///< empty: the host that the file is of
  std::string_view uuid{}, clique{};
  bool is_of_host = false;  ///< "host,uuid,clique": a line for each host, not for each GPU
};

/// "uuid, 7", "host: uuid, 7" or "host,uuid,7"; nothing for other lines.
std::optional<fabric_line> parse_fabric_line(std::string_view line);
/// True for the header that nvidia-smi prints without "noheader", for comments and empty lines.
bool is_fabric_blank(std::string_view line);
bool names_fabric_domain(const fabric_line& line);  ///< neither a zero UUID nor N/A

struct fabric_partition {
  std::string uuid{}, clique{};  ///< the UUID in lower case; empty: none
  friend bool operator==(const fabric_partition&, const fabric_partition&) = default;
};
struct fabric_host {
  std::string name{};    ///< empty: not told
  std::size_t gpus = 0;  ///< 0 where the lines are of hosts
  std::size_t line = 0;
  fabric_partition partition{};
  std::string reported{};  ///< the last UUID that names no domain
};

/// The hosts in the order of the file. Throws errc::parse for a line of another form, and where one host reports two
/// partitions.
std::vector<fabric_host> parse_fabric_csv(const document& file);

}  // namespace hawser::discovery
