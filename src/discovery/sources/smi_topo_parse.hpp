// What `nvidia-smi topo -m` says: the path between each two devices, and where NVLink joins GPUs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "smi_matrix.hpp"

namespace hawser::discovery {

/// How far apart two devices are, nearest first. SOC is how older drivers write SYS, N/A where they cannot tell.
enum class pci_path : std::uint16_t { self, pix, pxb, phb, node, sys, soc, untold };

inline constexpr std::uint16_t nvlink_code = 0x100;  ///< a cell of at least this is NV#, with # above it
inline constexpr int most_nvlinks = 72;              ///< NV# beyond is no cell; twice what any GPU has

constexpr bool is_nvlink_cell(std::uint16_t code) noexcept {
  return code > nvlink_code;
}
constexpr int nvlinks_of_cell(std::uint16_t code) noexcept {
  return is_nvlink_cell(code) ? code - nvlink_code : 0;
}

matrix_cell topo_cell_at(std::string_view text);
/// "X", "PIX", "NV18".
std::string topo_cell_name(std::uint16_t code);

/// GPUs that NVLink joins, and how.
struct nvlink_group {
  std::vector<std::size_t> gpus;  ///< columns
  bool is_switched = false;       ///< through NVSwitches; else by direct links
  bool is_certain = true;         ///< the cells allow one reading only
};

/// The matrix with the relation of each two devices, whichever of their rows tells it.
class topo_document {
 public:
  /// Throws errc::parse where the path between two GPUs is not told.
  topo_document(const document& file, found_matrix found);

  const matrix& cells() const noexcept { return found_.best; }
  const found_matrix& found() const noexcept { return found_; }
  const std::vector<std::size_t>& gpus() const noexcept { return gpus_; }
  const std::vector<std::size_t>& nics() const noexcept { return nics_; }
  bool is_gpu(std::size_t column) const { return gpu_number(found_.best.columns[column]).has_value(); }

  /// The cell of two columns, of whichever row tells it. Empty where neither does.
  std::optional<std::uint16_t> cell(std::size_t row, std::size_t column) const;
  /// NVLinks between two GPUs: the smaller number where their rows differ.
  int nvlinks(std::size_t a, std::size_t b) const;
  /// Pairs of devices whose two cells differ: the first of them.
  const std::optional<std::pair<std::size_t, std::size_t>>& asymmetry() const noexcept { return asymmetry_; }
  /// Two GPUs between which the matrix has "N/A" only: the first of them.
  const std::optional<std::pair<std::size_t, std::size_t>>& untold() const noexcept { return untold_; }
  std::vector<std::string> missing_rows() const;
  /// Groups of two or more GPUs.
  std::vector<nvlink_group> nvlink_groups() const;
  /// The NICs nearest to a GPU, and their path in `nearest`; none where no path is known.
  std::vector<std::size_t> nearest_nics(std::size_t gpu, std::uint16_t& nearest) const;
  /// What the affinity columns say of a GPU; empty where they say nothing or "N/A".
  struct affinity {
    std::string cpus{};
    std::string numa{};
    bool is_numa_absent = false;  ///< "N/A" where the NUMA node stands
  };
  affinity affinity_of(std::size_t gpu) const;

 private:
  const matrix_row* row_of(std::size_t column) const;
  void check_gpus(const document& file);
  /// What the row itself has; empty where it ends before.
  std::optional<std::uint16_t> written(std::size_t row, std::size_t column) const;
  void judge(nvlink_group& group) const;

  found_matrix found_;
  std::vector<const matrix_row*> rows_;  // by column, complete or cut; null where there is none
  std::vector<std::size_t> gpus_, nics_;
  std::optional<std::pair<std::size_t, std::size_t>> asymmetry_, untold_;
};

}  // namespace hawser::discovery
