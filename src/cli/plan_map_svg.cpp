// See plan_map.hpp: the drawing. A table has no edges to lay out, so it is written directly and not by Graphviz.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <hawser/core/units.hpp>

#include "describe.hpp"
#include "discovery/text.hpp"
#include "plan_map.hpp"

namespace hawser::cli {
namespace {

constexpr int cell_width = 46, cell_height = 26, left = 120, top = 56, legend_height = 20;
constexpr int legend_width = 560;

/// Paul Tol's "muted" and "bright" schemes, told apart with common kinds of colour blindness; repeated where there are
/// more algorithms, which the number in the cell then tells apart.
constexpr std::array<const char*, 14> colours{"#88ccee", "#ddcc77", "#cc6677", "#44aa99", "#aa4499",
                                              "#999933", "#117733", "#882255", "#ee6677", "#4477aa",
                                              "#66ccee", "#ccbb44", "#aa3377", "#bbbbbb"};

std::string text_at(int x, int y, const std::string& text, const char* anchor = "start", int size = 11) {
  return formatted("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" font-size=\"%d\">", x, y, anchor, size) +
         discovery::xml_escaped(text) + "</text>\n";
}

std::string size_of(std::int64_t bytes) {
  return to_string(hawser::bytes{static_cast<std::uint64_t>(bytes)});
}

class drawing {
 public:
  explicit drawing(const planner::decision_table& table) : table_(table) {
    std::set<std::int64_t> sizes;
    for (const planner::decision& each : table.decisions) {
      sizes.insert(each.least_bytes);
      if (number_.try_emplace(each.algorithm, names_.size()).second) names_.push_back(each.algorithm);
      if (rows_.empty() || rows_.back() != each.what) rows_.push_back(each.what);
    }
    sizes_.assign(sizes.begin(), sizes.end());
  }

  std::string text() {
    const int table_width = left + cell_width * static_cast<int>(sizes_.size()) + 10;
    const int legend_top = top + cell_height * static_cast<int>(rows_.size()) + 24;
    const int height = legend_top + legend_height * static_cast<int>(names_.size()) + 10;
    std::string out = formatted(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"Helvetica,sans-serif\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        std::max(table_width, legend_width), height);
    out += text_at(10, 18, table_.hierarchy + ", " + std::to_string(table_.ranks) + " ranks", "start", 13);
    out += text_at(10, 34, "number of the algorithm, and per cent of the physical bound that is predicted");
    for (std::size_t column = 0; column < sizes_.size(); ++column)
      out += text_at(x_of(column) + cell_width / 2, top - 6, size_of(sizes_[column]), "middle", 10);
    for (std::size_t row = 0; row < rows_.size(); ++row)
      out +=
          text_at(left - 8, top + cell_height * static_cast<int>(row) + 17, std::string(to_string(rows_[row])), "end");
    for (const planner::decision& each : table_.decisions) out += cell(each);
    for (std::size_t i = 0; i < names_.size(); ++i) out += legend(i, legend_top + legend_height * static_cast<int>(i));
    return out + "</svg>\n";
  }

 private:
  static int x_of(std::size_t column) { return left + cell_width * static_cast<int>(column); }

  std::string box(int x, int y, int width, int height, std::size_t algorithm) const {
    return formatted("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"white\"/>\n", x, y, width,
                     height, colours[algorithm % colours.size()]);
  }

  std::string cell(const planner::decision& each) const {
    const auto column =
        static_cast<std::size_t>(std::lower_bound(sizes_.begin(), sizes_.end(), each.least_bytes) - sizes_.begin());
    const int row = static_cast<int>(std::find(rows_.begin(), rows_.end(), each.what) - rows_.begin());
    const int x = x_of(column), y = top + cell_height * row;
    const std::size_t algorithm = number_.at(each.algorithm);
    std::string label = std::to_string(algorithm + 1);
    if (each.predicted.count() > 0) label += formatted(": %.0f%%", 100 * (each.lower_bound / each.predicted));
    const std::string tip = std::string(to_string(each.what)) + " of " + size_of(each.least_bytes) + ": " +
                            each.algorithm + ", " + std::to_string(each.segments) + " segments, " +
                            to_string(each.predicted);
    return "<g><title>" + discovery::xml_escaped(tip) + "</title>" + box(x, y, cell_width, cell_height, algorithm) +
           text_at(x + cell_width / 2, y + 17, label, "middle", 10) + "</g>\n";
  }

  std::string legend(std::size_t i, int y) const {
    return box(left, y, 24, 14, i) + text_at(left + 32, y + 11, std::to_string(i + 1) + "  " + names_[i]);
  }

  const planner::decision_table& table_;
  std::vector<std::int64_t> sizes_;
  std::vector<schedule::collective> rows_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t> number_;
};

}  // namespace

std::string draw_map(const planner::decision_table& table) {
  return drawing(table).text();
}

}  // namespace hawser::cli
