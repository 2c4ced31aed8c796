// A reduction in mode order_invariant: scales are agreed on first, then integers are summed (core/integer_sum.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <hawser/core/data_type.hpp>
#include <hawser/core/reduce_op.hpp>
#include <hawser/executor/reduce.hpp>

namespace hawser::detail {

/// Between a call's floats and what travels instead of them; one scale per element of the input, so that the bits of an
/// element depend on its contributions alone.
class integer_sums {
 public:
  /// `type` is float32, float16 or bfloat16, `op` a sum, an average or a premultiplied sum.
  integer_sums(data_type type, const reduce_op& op, std::int64_t input_elements);

  /// The scales: this rank's after `take_scales`, all ranks' once their maximum has been taken in place.
  std::vector<std::uint8_t>& scales() noexcept { return scales_; }

  void take_scales(const void* input);
  void encode(const void* input, std::int64_t* integers) const;
  /// `first`: the element of the input that the first sum is of.
  void decode(const std::int64_t* sums, std::int64_t first, std::int64_t count, void* output) const;

 private:
  template <class F>
  void each_block(const void* input, F&& f) const;

  executor::converter to_float_, from_float_;
  executor::scaler premultiply_;
  std::size_t element_bytes_;
  int digits_;
  std::vector<std::uint8_t> scales_;
};

}  // namespace hawser::detail
