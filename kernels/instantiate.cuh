// Instantiates the kernels of a type and operator, and finds them.
#pragma once

#include "kernels.cuh"
#include "table.hpp"

namespace hawser::cuda::kernels {

/// The kernels of one type and operator.
template <class T, class Op>
const void* find_one(reducing what) noexcept {
  switch (what) {
    case reducing::local: return reinterpret_cast<const void*>(&local_kernel<T, T, Op>);
    case reducing::one_shot: return reinterpret_cast<const void*>(&reduce_kernel<on_peers::one_shot, T, Op>);
    case reducing::two_shot: return reinterpret_cast<const void*>(&reduce_kernel<on_peers::two_shot, T, Op>);
    case reducing::low_latency: return reinterpret_cast<const void*>(&reduce_kernel<on_peers::low_latency, T, Op>);
    case reducing::reduce_scatter:
      return reinterpret_cast<const void*>(&reduce_kernel<on_peers::reduce_scatter, T, Op>);
  }
  return nullptr;
}

/// Those of the operators that floats have.
template <class T>
const void* find_arithmetic(reducing what, reduce_kind kind) noexcept {
  switch (kind) {
    case reduce_kind::sum:
    case reduce_kind::avg:
    case reduce_kind::premul_sum: return find_one<T, add>(what);
    case reduce_kind::prod: return find_one<T, multiply>(what);
    case reduce_kind::min: return find_one<T, lesser>(what);
    case reduce_kind::max: return find_one<T, greater>(what);
    default: return nullptr;
  }
}

/// Those of integers of one size, but the bitwise ones.
template <class Signed, class Unsigned>
const void* find_integer(reducing what, reduce_kind kind, bool is_signed) noexcept {
  switch (kind) {
    case reduce_kind::min: return is_signed ? find_one<Signed, lesser>(what) : find_one<Unsigned, lesser>(what);
    case reduce_kind::max: return is_signed ? find_one<Signed, greater>(what) : find_one<Unsigned, greater>(what);
    case reduce_kind::logical_and: return find_one<Unsigned, truth_and>(what);
    case reduce_kind::logical_or: return find_one<Unsigned, truth_or>(what);
    case reduce_kind::logical_xor: return find_one<Unsigned, truth_xor>(what);
    case reduce_kind::sum:
    case reduce_kind::avg: return find_one<Unsigned, add>(what);
    case reduce_kind::prod: return find_one<Unsigned, multiply>(what);
    default: return nullptr;
  }
}

}  // namespace hawser::cuda::kernels
