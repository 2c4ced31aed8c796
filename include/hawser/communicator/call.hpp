// One collective call with its types erased: what the typed edge hands to the compiled part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <hawser/communicator/options.hpp>
#include <hawser/core/reduce_op.hpp>

namespace hawser::detail {

/// Who drives a call: its caller, who waits for it next, or whoever does so in the background.
enum class attendance { caller, background };

struct call {
  schedule::collective what = schedule::collective::all_reduce;
  data_type type = data_type::float32;
  std::size_t element_bytes = 4;
  const void* input = nullptr;
  std::int64_t input_elements = 0;  ///< size of the whole input span
  void* output = nullptr;
  std::int64_t output_elements = 0;  ///< size of the whole output span
  rank root = 0;
  reduce_op op{};
  bool is_ragged = false;                     ///< a v-collective
  std::vector<std::int64_t> input_counts{};   ///< per rank, of the v-collectives with blocks in the input
  std::vector<std::int64_t> output_counts{};  ///< per rank, of those with blocks in the output
  call_options options{};
};

}  // namespace hawser::detail
