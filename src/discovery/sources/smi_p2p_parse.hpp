// What `nvidia-smi topo -p2p` says: a status for each two GPUs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "smi_matrix.hpp"

namespace hawser::discovery {

inline constexpr std::uint16_t p2p_self = 0;
inline constexpr std::uint16_t p2p_ok = 1;

matrix_cell p2p_cell_at(std::string_view text);
std::string p2p_cell_name(std::uint16_t code);          ///< "CNS"
std::string_view p2p_cell_meaning(std::uint16_t code);  ///< "chipset not supported"

struct p2p_document {
  found_matrix found;
  std::string capability;  ///< "read", "write", "nvlink", "atomics", "pcie"; "access" where no command line names it
};

/// Throws errc::parse where the text has no such matrix, or a column is no GPU.
p2p_document parse_p2p(const document& file);

}  // namespace hawser::discovery
