// All-reduce of few bytes: data and flag travel in one line, so that nobody waits for a second message.
#pragma once

#include <cstring>

#include <hawser/cuda/device/call.hpp>

namespace hawser::cuda::device {

/// Payload of a line.
inline constexpr std::size_t line_payload = 8;

/// Whether elements of T fill the payload of lines.
template <class T>
constexpr bool fits_lines() {
  return line_payload % sizeof(T) == 0;
}

/// The payload of line `i` of a buffer of `bytes`; what is beyond its end is 0.
template <class T>
HAWSER_DEVICE lanes<T, line_payload / sizeof(T)> load_payload(const std::byte* from, std::uint64_t count,
                                                              std::uint64_t line) {
  constexpr int per_line = line_payload / sizeof(T);
  lanes<T, per_line> value{};
  HAWSER_UNROLL
  for (int l = 0; l < per_line; ++l) {
    const std::uint64_t i = line * per_line + static_cast<std::uint64_t>(l);
    if (i < count) value.at[l] = load_element<T>(from + i * sizeof(T));
  }
  return value;
}

/// Polls a line until it is of this call; false after a fault.
template <class T, block_policy Block>
HAWSER_DEVICE bool receive_payload(const Block& block, const rank_view& view, int peer, const flagged_line* from,
                                   std::uint32_t flag, lanes<T, line_payload / sizeof(T)>& value) {
  flagged_line line;
  const bool has_come = wait_until(block, view, peer, [&] {
    line = block.load_line(from);
    return line.flag0 == flag && line.flag1 == flag;
  });
  const std::uint32_t data[2] = {line.data0, line.data1};
  std::memcpy(static_cast<void*>(&value), data, sizeof data);
  return has_come;
}

/// Reduces line `i` from what all ranks sent, in rank order, and stores it. False after a fault.
template <class T, class Op, class Epilogue, block_policy Block>
HAWSER_DEVICE bool reduce_line(const Block& block, const reduce_call& call, call_number number, std::uint64_t i,
                               const Op& op, const Epilogue& finish) {
  constexpr int per_line = line_payload / sizeof(T);
  const rank_view& view = call.view;
  accumulator_of<T> sum[per_line] = {};
  for (int r = 0; r < view.size; ++r) {
    lanes<T, per_line> value;
    const auto* from = view.at<flagged_line>(view.rank, view.layout.lines(number.parity(), r)) + i;
    if (!receive_payload<T>(block, view, r, from, number.sequence, value)) return false;
    HAWSER_UNROLL
    for (int l = 0; l < per_line; ++l) {
      const auto wide = element<T>::widen(value.at[l]);
      sum[l] = r == 0 ? wide : op(sum[l], wide);
    }
  }
  HAWSER_UNROLL
  for (int l = 0; l < per_line; ++l) {
    const std::uint64_t at = i * per_line + static_cast<std::uint64_t>(l);
    if (at < call.count) store_element(call.output + at * sizeof(T), element<T>::narrow(finish(sum[l], at)));
  }
  return true;
}

/// Low-latency one-shot: every rank sends its input in lines to every rank, and reduces what it gets. A line's flag is
/// the call's number, so a line that is left from call n - 2 is not taken for one of call n. No meeting, no phases.
/// `count * sizeof(T)` is at most the window's `low_latency_bytes`, `count` at least 1; the output may be the input.
template <class T, class Op, class Epilogue, block_policy Block>
requires(fits_lines<T>()) HAWSER_DEVICE
    void low_latency_all_reduce(const Block& block, const reduce_call& call, const Op& op, const Epilogue& finish) {
  const rank_view& view = call.view;
  const call_number number = begin_call(block, view, {});
  announce(block, view, number);  // lines order nothing but themselves
  const std::uint64_t lines = (call.count * sizeof(T) + line_payload - 1) / line_payload;
  const std::uint64_t first = static_cast<std::uint64_t>(block.cta()) * block.threads() + block.thread();
  const std::uint64_t step = static_cast<std::uint64_t>(block.ctas()) * block.threads();
  for (std::uint64_t i = first; i < lines; i += step) {
    auto value = load_payload<T>(call.input, call.count, i);
    if constexpr (std::same_as<Op, add> && std::floating_point<accumulator_of<T>>) {
      const auto factor = static_cast<accumulator_of<T>>(call.factor);
      for (T& each : value.at) each = factor == 1 ? each : element<T>::narrow(element<T>::widen(each) * factor);
    }
    std::uint32_t data[2];
    std::memcpy(data, static_cast<const void*>(&value), sizeof data);
    for (int j = 0; j < view.size; ++j) {
      const int peer = (view.rank + 1 + j) % view.size;
      block.store_line(view.at<flagged_line>(peer, view.layout.lines(number.parity(), view.rank)) + i,
                       {data[0], number.sequence, data[1], number.sequence});
    }
  }
  bool has_failed = false;
  for (std::uint64_t i = first; i < lines && !has_failed; i += step)
    has_failed = !reduce_line<T>(block, call, number, i, op, finish);
  if (!block.any(has_failed)) end_call(block, view, {}, number);
}

}  // namespace hawser::cuda::device
