// What NCCL's collectives compute, over the host memory of all ranks at once.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <hawser/executor/reduce.hpp>

#include "nccl/functions.hpp"

namespace hawser::test {

/// One rank's call.
struct collective_call {
  std::string name;
  const void* in = nullptr;
  void* out = nullptr;
  std::size_t count = 0;
  ncclDataType_t type{};
  std::optional<ncclRedOp_t> op{};
  std::optional<double> factor{};  ///< of an operator that was made
  int root = -1;

  bool matches(const collective_call& other) const {
    return name == other.name && count == other.count && type == other.type && root == other.root &&
           (op == other.op || (factor && other.factor));
  }
};

/// NCCL's numbers of types, written down a second time.
inline std::optional<data_type> type_of(ncclDataType_t native) {
  switch (static_cast<int>(native)) {
    case 0: return data_type::int8;
    case 1: return data_type::uint8;
    case 2: return data_type::int32;
    case 3: return data_type::uint32;
    case 4: return data_type::int64;
    case 5: return data_type::uint64;
    case 6: return data_type::float16;
    case 7: return data_type::float32;
    case 8: return data_type::float64;
    case 9: return data_type::bfloat16;
    case 10: return data_type::float8_e4m3;
    case 11: return data_type::float8_e5m2;
    default: return std::nullopt;
  }
}

/// The factor that an operator was made with, from an element of its type.
inline double factor_of(const void* element, data_type type) {
  if (type == data_type::float64) return *static_cast<const double*>(element);
  if (type == data_type::float16) return static_cast<float>(*static_cast<const float16*>(element));
  if (type == data_type::bfloat16) return static_cast<float>(*static_cast<const bfloat16*>(element));
  if (type == data_type::float8_e4m3) return static_cast<float>(*static_cast<const float8_e4m3*>(element));
  if (type == data_type::float8_e5m2) return static_cast<float>(*static_cast<const float8_e5m2*>(element));
  return *static_cast<const float*>(element);
}

/// The sum and the like of all inputs, in rank order.
inline std::vector<std::byte> reduce_all(const std::vector<collective_call*>& calls, std::size_t elements) {
  const data_type type = *type_of(calls[0]->type);
  constexpr reduce_kind kinds[] = {reduce_kind::sum, reduce_kind::prod, reduce_kind::max, reduce_kind::min,
                                   reduce_kind::sum};
  const reducer combine = executor::make_reducer(type, calls[0]->factor ? reduce_kind::sum : kinds[*calls[0]->op]);
  const std::size_t bytes = elements * size_of(type);
  std::vector<std::byte> result(bytes), operand(bytes);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    std::memcpy(operand.data(), calls[i]->in, bytes);
    if (calls[i]->factor) executor::make_scaler(type, *calls[i]->factor)(operand.data(), operand.data(), elements);
    if (i == 0)
      result = operand;
    else
      combine(result.data(), result.data(), operand.data(), elements);
  }
  if (!calls[0]->factor && *calls[0]->op == ncclAvg)
    executor::make_divider(type, static_cast<std::uint32_t>(calls.size()))(result.data(), result.data(), elements);
  return result;
}

/// Carries out a collective that all ranks have come to.
inline void perform(const std::vector<collective_call*>& calls) {
  const std::size_t n = calls.size(), bytes = calls[0]->count * size_of(*type_of(calls[0]->type));
  const auto at = [](const void* base, std::size_t offset) { return static_cast<const std::byte*>(base) + offset; };
  const std::string& name = calls[0]->name;
  const auto root = static_cast<std::size_t>(calls[0]->root);
  std::vector<std::vector<std::byte>> out(n);  // first all that is read, then all that is written: buffers may coincide
  const auto add = [&](std::size_t to, const void* from) {
    out[to].insert(out[to].end(), static_cast<const std::byte*>(from), at(from, bytes));
  };
  if (calls[0]->op) {
    const auto reduced = reduce_all(calls, calls[0]->count * (name == "ncclReduceScatter" ? n : 1));
    for (std::size_t r = 0; r < n; ++r)
      if (name != "ncclReduce" || r == root) add(r, at(reduced.data(), name == "ncclReduceScatter" ? r * bytes : 0));
  } else {
    for (std::size_t r = 0; r < n; ++r) {
      if (name == "ncclBroadcast") add(r, calls[root]->in);
      if (name == "ncclScatter") add(r, at(calls[root]->in, r * bytes));
      for (std::size_t s = 0; s < n; ++s) {
        if (name == "ncclAllGather" || (name == "ncclGather" && r == root)) add(r, calls[s]->in);
        if (name == "ncclAlltoAll") add(r, at(calls[s]->in, r * bytes));
      }
    }
  }
  for (std::size_t r = 0; r < n; ++r)
    if (!out[r].empty()) std::memcpy(calls[r]->out, out[r].data(), out[r].size());
}

}  // namespace hawser::test
