// One collective as the command line describes it, and how bytes translate into elements.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <hawser/core/reduce_op.hpp>
#include <hawser/schedule/request.hpp>

namespace CLI {
class App;
}

namespace hawser::cli {

/// The options as text; `add_to` declares them.
struct workload_options {
  std::string collective;
  std::string type = "float32";
  std::string op = "sum";
  std::string mode = "fast";
  int root = 0;
  bool in_place = false;
  bool in_host_memory = false;

  /// `has_name`: declares the collective itself, too.
  void add_to(CLI::App& app, bool has_in_place, bool has_name = true);
};

/// What is to be done, sizes apart.
struct workload {
  schedule::collective what = schedule::collective::all_reduce;
  data_type type = data_type::float32;
  reduce_kind op = reduce_kind::sum;
  schedule::mode mode = schedule::mode::fast;
  rank root = 0;
  bool in_place = false;
  bool in_host_memory = false;  ///< buffers from host_memory(), which ranks of the same host read directly
};

/// Throws errc::parse, errc::not_found for unknown names (of modes, too), errc::unsupported for an operator that is not
/// defined on the type, errc::invalid_argument for a negative root.
workload parse(const workload_options& options);

/// The root must be one of the ranks. Throws errc::invalid_argument.
void check_root(const workload& work, std::int64_t ranks);

/// Sizes count as in nccl-tests: the bytes of the larger of a rank's two buffers. That is the vector of all_reduce,
/// reduce and broadcast, and all n blocks together of the others; barrier has none.
/// Elements per block, rounded down.
std::int64_t count_of(const workload& work, std::uint64_t bytes, std::int64_t ranks);
/// The same, for one size that the user chose. Throws errc::invalid_argument where a size above 0 is less than one
/// element per block.
std::int64_t checked_count_of(const workload& work, std::uint64_t bytes, std::int64_t ranks);
/// The bytes of `count` elements per block, by the same rule.
std::int64_t bytes_of(const workload& work, std::int64_t count, std::int64_t ranks);

/// The request that a communicator makes of such a call; `algorithm` forces one.
schedule::request request_of(const workload& work, std::int64_t count, const std::string& algorithm = {});

/// Elements of all_to_all_v's block from `from` to `to`: a quarter more or less than the mean, so that blocks differ,
/// and equal in both directions.
std::int64_t ragged_count(std::int64_t mean, rank from, rank to);

/// What nccl-tests multiplies algbw with to get busbw.
double bus_factor(schedule::collective what, std::int64_t ranks);

}  // namespace hawser::cli
