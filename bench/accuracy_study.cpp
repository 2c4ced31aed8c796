// How far all-reduce sums in modes fast, canonical and order_invariant are from float64, over ranks and data: CSV.
// Usage: accuracy_study [elements, default 20000]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <hawser/communicator/in_process.hpp>
#include <hawser/hawser.hpp>

namespace {

using namespace hawser;

enum class data { uniform, mixed, cancelling };
constexpr data all_data[] = {data::uniform, data::mixed, data::cancelling};

const char* name_of(data which) {
  switch (which) {
    case data::uniform: return "uniform";
    case data::mixed: return "mixed magnitudes";
    case data::cancelling: return "cancelling";
  }
  return "?";
}

/// Uniform: in [0, 1). Mixed: both signs, 2^-15 to 2^15. Cancelling: ranks of either half hold x and -x,
/// and a little each.
template <class T>
std::vector<T> contribution(data which, int self, int ranks, std::size_t count) {
  const bool is_first_half = self < ranks / 2;
  const int partner = which == data::cancelling && !is_first_half ? self - ranks / 2 : self;
  std::mt19937_64 shared(static_cast<std::uint64_t>(partner) * 7919 + static_cast<std::uint64_t>(which)), own(self + 1);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<T> values(count);
  for (T& each : values) {
    float value = unit(shared);
    if (which == data::mixed) value = std::ldexp(2 * value - 1, static_cast<int>(own() % 31) - 15);
    if (which == data::cancelling) value = (is_first_half ? value : -value) * 1024 + unit(own);
    each = static_cast<T>(value);
  }
  return values;
}

struct errors {
  double largest = 0, squares = 0;  ///< in units of the type's epsilon times the sum of |x|
  double relative = 0;              ///< the largest, in units of epsilon times |sum|
  std::size_t nearest = 0;          ///< results that are the exact sum rounded once
};

/// Rounded to nearest even, once.
long double rounded(long double value, int digits) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(std::rint(std::ldexp(value, digits - exponent)), exponent - digits);
}

/// The reference is a sum in long double, exact but for the last of its 64 digits.
template <class T>
errors compare(data which, int ranks, const std::vector<T>& got, int digits) {
  const double eps = std::ldexp(1.0, -digits);
  std::vector<long double> exact(got.size()), sizes(got.size());
  for (int r = 0; r < ranks; ++r) {
    const std::vector<T> values = contribution<T>(which, r, ranks, got.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      exact[i] += static_cast<float>(values[i]);
      sizes[i] += std::abs(static_cast<float>(values[i]));
    }
  }
  errors found;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const long double error = std::abs(static_cast<float>(got[i]) - exact[i]);
    const auto off = static_cast<double>(error / sizes[i]) / eps;
    found.relative = std::max(found.relative, static_cast<double>(error / std::abs(exact[i])) / eps);
    found.largest = std::max(found.largest, off);
    found.squares += off * off;
    found.nearest += static_cast<float>(got[i]) == rounded(exact[i], digits) ? 1 : 0;
  }
  return found;
}

template <class T>
void study(const char* type, int digits, int ranks, std::size_t count) {
  for (const data which : all_data)
    for (const schedule::mode how :
         {schedule::mode::fast, schedule::mode::canonical, schedule::mode::order_invariant}) {
      communicator_options options;
      options.topology = "rack:4 gpu:" + std::to_string(ranks / 4);
      options.reproducibility = how;
      run_in_process(ranks, options, [&](communicator& members) {
        std::vector<T> sums = contribution<T>(which, members.rank().value, ranks, count);
        persistent call = members.persistent().all_reduce(sums);
        call.start();
        call.wait();
        if (members.rank() != rank(0)) return;
        const errors found = compare(which, ranks, sums, digits);
        const auto n = static_cast<double>(count);
        std::printf("%s,%s,%d,%s,\"%s\",%.3g,%.3g,%.3g,%.1f\n", type, name_of(which), ranks,
                    std::string(to_string(how)).c_str(), call.plan().algorithm.c_str(), found.largest,
                    std::sqrt(found.squares / n), found.relative, 100 * static_cast<double>(found.nearest) / n);
      });
    }
}

}  // namespace

int main(int argc, char** argv) {
  const auto count = static_cast<std::size_t>(argc > 1 ? std::max(1, std::atoi(argv[1])) : 20'000);
  std::printf("type,data,ranks,mode,algorithm,largest_error,rms_error,largest_relative_error,percent_nearest\n");
  for (const int ranks : {4, 16, 48}) {
    study<float>("float32", 24, ranks, count);
    study<bfloat16>("bfloat16", 8, ranks, count);
  }
  return 0;
}
