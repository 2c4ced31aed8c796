// The loop that `hawser bench` times (src/cli/measure.cpp), for other libraries: a barrier before each iteration, the
// slowest rank's time of each, data checked before the measurement and after it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace compare {

/// From the command line, as name=value.
struct options {
  std::string collective = "all_reduce";  ///< or all_to_all
  std::string variant;                    ///< an algorithm of the library
  std::size_t bytes = 1024;               ///< as nccl-tests counts: of a rank's input
  int iterations = 5;
  int warmup = 2;
  bool rewrites = false;  ///< the input is written anew before each iteration
};

/// Throws std::invalid_argument for an unknown name.
inline options read(int argc, char** argv) {
  options made;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t at = word.find('=');
    const std::string name = word.substr(0, at), value = at == std::string::npos ? "" : word.substr(at + 1);
    if (name == "collective")
      made.collective = value;
    else if (name == "variant")
      made.variant = value;
    else if (name == "bytes")
      made.bytes = std::stoull(value);
    else if (name == "iterations")
      made.iterations = std::stoi(value);
    else if (name == "warmup")
      made.warmup = std::stoi(value);
    else if (name == "rewrite")
      made.rewrites = value == "1";
    else
      throw std::invalid_argument("unknown option \"" + word + "\"");
  }
  if (made.collective != "all_reduce" && made.collective != "all_to_all")
    throw std::invalid_argument("unknown collective \"" + made.collective + "\"");
  return made;
}

/// A rank's view of the library.
struct library {
  std::string name;  ///< with its version
  int rank = 0;
  int size = 1;
  std::function<void()> barrier{};
  std::function<void(std::vector<double>&)> max_over_ranks{};  ///< in place, on all ranks
};

/// Small whole numbers: sums are exact in any order.
inline float element(std::size_t i, int rank) {
  return static_cast<float>((i + 7 * static_cast<std::size_t>(rank)) % 61);
}

/// The buffers of a rank. All-to-all has `size` blocks of `block` elements each.
class buffers {
 public:
  buffers(const options& told, const library& members)
      : rank_(members.rank), size_(members.size), reduces_(told.collective == "all_reduce") {
    block_ = told.bytes / sizeof(float) / (reduces_ ? 1 : static_cast<std::size_t>(size_));
    const std::size_t count = block_ * (reduces_ ? 1 : static_cast<std::size_t>(size_));
    input.resize(count);
    output.assign(count, -1.0F);
    fill();
  }

  void fill() {
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = element(i, rank_);
  }

  double count_wrong() const {
    double wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) wrong += output[i] != expected(i) ? 1 : 0;
    return wrong;
  }

  std::size_t block() const { return block_; }

  std::vector<float> input, output;

 private:
  float expected(std::size_t i) const {
    if (!reduces_) {
      const auto from = static_cast<int>(i / block_);
      return element(i % block_ + static_cast<std::size_t>(rank_) * block_, from);
    }
    float sum = 0;
    for (int r = 0; r < size_; ++r) sum += element(i, r);
    return sum;
  }

  int rank_, size_;
  bool reduces_;
  std::size_t block_ = 0;
};

/// Measures `once`; `before` precedes each call outside the time (an in-place library copies its input there). Rank 0
/// prints the times as JSON.
inline void measure(const options& told, const library& members, buffers& data, const std::function<void()>& before,
                    const std::function<void()>& once) {
  using clock = std::chrono::steady_clock;
  const auto time_once = [&] {
    if (told.rewrites) data.fill();
    if (before) before();
    members.barrier();
    const auto begin = clock::now();
    once();
    return std::chrono::duration<double>(clock::now() - begin).count();
  };
  time_once();
  std::vector<double> wrong{data.count_wrong()};
  for (int i = 0; i < told.warmup; ++i) time_once();
  std::fill(data.output.begin(), data.output.end(), -1.0F);
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(told.iterations));
  for (int i = 0; i < told.iterations; ++i) times.push_back(time_once());
  wrong[0] += data.count_wrong();
  members.max_over_ranks(times);
  members.max_over_ranks(wrong);
  if (members.rank != 0) return;
  std::printf(R"({"library": "%s", "ranks": %d, "wrong": %.0f, "times_seconds": [)", members.name.c_str(), members.size,
              wrong[0]);
  for (std::size_t i = 0; i < times.size(); ++i) std::printf("%s%.9g", i == 0 ? "" : ", ", times[i]);
  std::printf("]}\n");
  std::fflush(stdout);
}

}  // namespace compare
