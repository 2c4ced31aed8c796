// See reduction_speed.hpp.
#include <hawser/tune/reduction_speed.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

#include <hawser/executor/reduce.hpp>

namespace hawser::tune {

double measure_reduction() {
  constexpr std::size_t elements = std::size_t{1} << 20;
  constexpr int tries = 5;
  const reducer sum = executor::make_reducer(data_type::float32, reduce_kind::sum);
  std::vector<float> total(elements, 0.0F), added(elements, 1.0F);
  double best = 0;
  for (int i = 0; i < tries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    sum(total.data(), total.data(), added.data(), elements);
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = std::max(best, static_cast<double>(elements * sizeof(float)) / std::max(took, 1e-9));
  }
  return best;
}

}  // namespace hawser::tune
