// The matrices that nvidia-smi prints for pairs of devices: found in any text, however it was copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_matrix_columns = 1024;               ///< far beyond any host
inline constexpr std::size_t max_matrix_line = std::size_t{1} << 16;  ///< longer lines are no part of a matrix

/// What one kind of matrix may have in a cell: its length at the front of a text (0: no cell) and a number for it.
struct matrix_cell {
  std::size_t length = 0;
  std::uint16_t code = 0;
};
using cell_reader = matrix_cell (*)(std::string_view text);

struct matrix_row {
  std::string name;
  std::vector<std::uint16_t> cells;
  std::vector<std::string> fields;  ///< the words after the cells
  std::size_t line = 0;
  bool is_fused = false;  ///< two cells have no blank between them
};

struct matrix {
  std::size_t line = 0;              ///< of the header
  std::vector<std::string> columns;  ///< "GPU0", "NIC3", "mlx5_0"
  std::vector<std::string> fields;   ///< of the header, after the devices: "CPU Affinity"
  bool is_header_fused = false;
  std::vector<matrix_row> rows;                  ///< with a cell for each column
  std::vector<matrix_row> cut_rows;              ///< with fewer
  std::map<std::string, std::string> nic_names;  ///< the legend: "NIC0" is "mlx5_0"
  std::vector<std::string> contradictory_rows;   ///< that occur again with other cells
};

/// The matrix of a text: the first complete one, else the most complete.
struct found_matrix {
  matrix best;
  std::size_t count = 0;       ///< of matrices with at least one row
  bool others_differ = false;  ///< a complete one does not say the same
};

/// Escapes of terminals removed (also where the escape byte was lost or replaced); table borders and other blanks as '
/// '.
std::string plain_line(std::string_view line);

/// The devices and fields of a header line, or nothing. `line` is plain.
std::optional<matrix> matrix_header(std::string_view line, cell_reader cell_at);

/// A row of one of the header's columns; other words may stand before its name.
std::optional<matrix_row> matrix_row_of(std::string_view line, const matrix& header, cell_reader cell_at);

/// Throws errc::parse where the text has no matrix, one of more than `max_matrix_columns` or with a column twice.
found_matrix find_matrix(const document& file, cell_reader cell_at);

/// A number as in "GPU12"; nothing for other names.
std::optional<int> gpu_number(std::string_view name);

}  // namespace hawser::discovery
