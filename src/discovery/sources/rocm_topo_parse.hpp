// What `rocm-smi --showtopo` says: tables of weights, hops and link types between GPUs, and NUMA nodes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_rocm_gpus = 256;  ///< far beyond any host

struct rocm_table {
  std::vector<int> columns{};                      ///< GPU numbers
  std::map<int, std::vector<std::string>> rows{};  ///< by GPU number, a cell for each column
  std::size_t line = 0;                            ///< of the title
};

struct rocm_topo_document {
  std::map<std::string, rocm_table> tables{};  ///< by "Weight", "Hops", "Link Type"
  std::map<int, int> numa_node{};              ///< of GPUs; -1 where there is none
  std::vector<int> gpus{};                     ///< all that are named, in order
};

/// Throws errc::parse where the text has no such table, or one is cut or ragged.
rocm_topo_document parse_rocm_topo(const document& file);

}  // namespace hawser::discovery
