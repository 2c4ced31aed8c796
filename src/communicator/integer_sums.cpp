// See integer_sums.hpp.
#include "integer_sums.hpp"

#include <algorithm>
#include <array>

#include <hawser/core/integer_sum.hpp>

namespace hawser::detail {

namespace {

constexpr std::size_t block = 1024;  // elements converted at a time, in the first-level cache

constexpr int digits_of(data_type type) {
  switch (type) {
    case data_type::float16: return 11;
    case data_type::bfloat16: return 8;
    default: return 24;
  }
}

}  // namespace

integer_sums::integer_sums(data_type type, const reduce_op& op, std::int64_t input_elements)
    : to_float_(executor::make_converter(type, data_type::float32)),
      from_float_(executor::make_converter(data_type::float32, type)),
      element_bytes_(size_of(type)),
      digits_(digits_of(type)),
      scales_(static_cast<std::size_t>(input_elements)) {
  if (op.kind == reduce_kind::premul_sum) premultiply_ = executor::make_scaler(type, op.factor);
}

/// Calls f(first element, floats, how many).
template <class F>
void integer_sums::each_block(const void* input, F&& f) const {
  std::array<float, block> floats;
  std::array<std::byte, block * sizeof(float)> scaled;
  for (std::size_t first = 0; first < scales_.size(); first += block) {
    const std::size_t count = std::min(block, scales_.size() - first);
    const void* from = static_cast<const std::byte*>(input) + first * element_bytes_;
    if (premultiply_.function != nullptr) {
      premultiply_(scaled.data(), from, count);
      from = scaled.data();
    }
    to_float_(floats.data(), from, count);
    f(first, floats, count);
  }
}

void integer_sums::take_scales(const void* input) {
  each_block(input, [this](std::size_t first, const auto& floats, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) scales_[first + i] = integer_scale_of(floats[i]);
  });
}

void integer_sums::encode(const void* input, std::int64_t* integers) const {
  each_block(input, [&](std::size_t first, const auto& floats, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) integers[first + i] = to_integer(floats[i], scales_[first + i]);
  });
}

void integer_sums::decode(const std::int64_t* sums, std::int64_t first, std::int64_t count, void* output) const {
  std::array<float, block> floats;
  const std::uint8_t* const scales = scales_.data() + first;
  const auto all = static_cast<std::size_t>(count);
  for (std::size_t done = 0; done < all; done += block) {
    const std::size_t now = std::min(block, all - done);
    for (std::size_t i = 0; i < now; ++i) floats[i] = from_integer(sums[done + i], scales[done + i], digits_);
    from_float_(static_cast<std::byte*>(output) + done * element_bytes_, floats.data(), now);
  }
}

}  // namespace hawser::detail
