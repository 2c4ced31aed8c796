// The table of `hawser bench`: text as nccl-tests prints it, CSV, or JSON "hawser.bench/1".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <hawser/topology/hierarchy.hpp>

#include "communicator/measure.hpp"
#include "describe.hpp"
#include "workload.hpp"

namespace hawser::cli {

/// One size and one algorithm.
struct bench_row {
  std::int64_t count = 0;  ///< elements per block
  std::string algorithm;
  std::int64_t segments = 1;
  seconds predicted{};
  hawser::detail::timing time{};
  std::optional<std::int64_t> wrong;  ///< elements over all ranks; none where data was not checked
  bool is_chosen = false;             ///< told where algorithms took turns
};

/// What the rows have in common.
struct bench_setting {
  workload work;
  int ranks = 1;
  std::string hierarchy;
  std::string fingerprint;
  std::string host;
  std::string launcher;
  std::vector<transport_use> transports;
  std::vector<std::string> overrides;
  bool rewrites = false;     ///< the input is written anew before each iteration
  bool is_in_turn = false;   ///< all algorithms of a size took turns; one row of each size is the choice
  bool has_samples = false;  ///< JSON lists the time of each iteration
};

/// Prints rows as they come (text, CSV), or all at the end (JSON).
class bench_table {
 public:
  bench_table(format form, bench_setting setting);

  void add(const bench_row& row);
  /// Algorithms of one size that time was not left for.
  void leave_out(const std::vector<bench_row>& rows);
  void finish();

 private:
  void print_header() const;
  nlohmann::ordered_json to_json(const bench_row& row) const;
  double algorithm_bandwidth(const bench_row& row) const;
  double bus_bandwidth(const bench_row& row) const;

  format form_;
  bench_setting setting_;
  std::string op_;  // "none" where nothing is reduced
  int root_;        // -1 where there is none
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json left_out_ = nlohmann::ordered_json::array();
};

}  // namespace hawser::cli
