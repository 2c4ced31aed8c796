// A measured figure with its spread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace hawser::tune {

/// Median and the quantiles around it, of `samples` values; 0 samples: not measured.
struct spread {
  double median = 0;
  double p10 = 0;
  double p90 = 0;
  int samples = 0;

  bool is_measured() const noexcept { return samples > 0; }
  friend bool operator==(const spread&, const spread&) = default;
};

/// Linear between the two nearest order statistics, as numpy.quantile does by default. `sorted` is not empty.
inline double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

/// Median, p10 and p90 of any number of values; all 0 where there is none.
inline spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.1), quantile(values, 0.9), static_cast<int>(values.size())};
}

}  // namespace hawser::tune
