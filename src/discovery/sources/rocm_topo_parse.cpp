// Reads the text of `rocm-smi --showtopo`.
#include "rocm_topo_parse.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace hawser::discovery {

namespace {

constexpr std::array<std::string_view, 3> titles = {"Weight", "Hops", "Link Type"};

std::optional<int> gpu_of(std::string_view word) {
  if (!word.starts_with("GPU")) return std::nullopt;
  return to_integer<int>(word.substr(3));
}

class reader {
 public:
  explicit reader(const document& file) : file_(file) {}

  rocm_topo_document run() {
    for (line_reader lines(file_.text); lines.next();) take(trimmed(lines.line()), lines.number());
    finish();
    if (all_.tables.empty() && all_.numa_node.empty())
      fail_in(file_, {}, "it has no table of GPUs", "give the whole text that rocm-smi --showtopo printed");
    std::set<int> named;
    for (const auto& [title, table] : all_.tables) named.insert(table.columns.begin(), table.columns.end());
    for (const auto& [gpu, node] : all_.numa_node) named.insert(gpu);
    if (named.size() > max_rocm_gpus) fail_in(file_, {}, "more than " + std::to_string(max_rocm_gpus) + " GPUs");
    all_.gpus.assign(named.begin(), named.end());
    return std::move(all_);
  }

 private:
  void take(std::string_view line, std::size_t number) {
    if (line.find("between two GPUs") != std::string_view::npos || line.starts_with("==")) {
      finish();
      open(line, number);
    } else if (line.find("Numa Node:") != std::string_view::npos) {
      take_numa(line);
    } else if (now_) {
      take_row(words(line), number);
    }
  }

  // Tables that are not known, as of bandwidth or accessibility, are passed over.
  void open(std::string_view line, std::size_t number) {
    for (std::string_view title : titles)
      if (line.find(std::string(title) + " between two GPUs") != std::string_view::npos &&
          !all_.tables.contains(std::string(title))) {
        title_ = title;
        now_ = rocm_table{.line = number};
      }
  }

  void take_row(const std::vector<std::string_view>& cells, std::size_t number) {
    if (cells.empty()) return;
    const auto gpu = gpu_of(cells.front());
    if (!gpu) return;
    if (now_->columns.empty()) {
      read_header(cells, number);
      return;
    }
    if (cells.size() != now_->columns.size() + 1)
      fail_at_line(file_, number,
                   "the row of GPU" + std::to_string(*gpu) + " has " + std::to_string(cells.size() - 1) + " of " +
                       std::to_string(now_->columns.size()) + " cells");
    if (std::ranges::find(now_->columns, *gpu) == now_->columns.end())
      fail_at_line(file_, number, "GPU" + std::to_string(*gpu) + " has a row and no column");
    now_->rows.try_emplace(*gpu, cells.begin() + 1, cells.end());
  }

  void read_header(const std::vector<std::string_view>& cells, std::size_t number) {
    if (cells.size() > max_rocm_gpus)
      fail_at_line(file_, number, "more than " + std::to_string(max_rocm_gpus) + " GPUs");
    for (std::string_view each : cells) {
      const auto column = gpu_of(each);
      if (!column || *column < 0 || std::ranges::find(now_->columns, *column) != now_->columns.end())
        fail_at_line(file_, number, "\"" + shortened(each) + "\" is no column of its own");
      now_->columns.push_back(*column);
    }
  }

  void finish() {
    if (!now_) return;
    rocm_table done = std::move(*now_);
    now_.reset();
    for (int column : done.columns)
      if (!done.rows.contains(column))
        fail_at_line(file_, done.line, "the table \"" + title_ + "\" has no row for GPU" + std::to_string(column));
    if (!done.columns.empty()) all_.tables.emplace(title_, std::move(done));
  }

  // "GPU[0] : (Topology) Numa Node: 0", also "GPU 0 : ..."
  void take_numa(std::string_view line) {
    if (!line.starts_with("GPU")) return;
    const std::size_t first = line.find_first_not_of(" [", 3);
    if (first == std::string_view::npos) return;
    const std::size_t end = line.find_first_of(" ]\t:", first);
    const auto gpu = to_integer<int>(line.substr(first, end - first));
    const auto node = to_integer<std::int64_t>(trimmed(line.substr(line.rfind(':') + 1)));
    if (!gpu || *gpu < 0 || !node || all_.numa_node.size() > max_rocm_gpus) return;
    constexpr std::int64_t most_nodes = 65536;  // an unsigned -1 is printed where there is none
    all_.numa_node.try_emplace(*gpu, *node < 0 || *node > most_nodes ? -1 : static_cast<int>(*node));
  }

  const document& file_;
  rocm_topo_document all_;
  std::optional<rocm_table> now_;
  std::string title_;
};

}  // namespace

rocm_topo_document parse_rocm_topo(const document& file) {
  return reader(file).run();
}

}  // namespace hawser::discovery
