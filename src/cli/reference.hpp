// Test data and what a collective must make of it: integers exactly, floats within a bound from the reduction's order.
#pragma once

#include <cstdint>

#include "workload.hpp"

namespace hawser::cli {

/// Writes `count` elements of what rank `from` contributes as block `block`: a function of rank, block, index, type
/// and operator only. Integers use all their bits; floats lie in [-1, 1), or near 1 for products.
void fill_block(const workload& work, rank from, std::int64_t block, std::int64_t count, void* elements);

/// How many of the elements of a moved block differ from what `from` contributed as block `block`, bit by bit.
std::int64_t count_wrong_moved(const workload& work, rank from, std::int64_t block, std::int64_t count,
                               const void* elements);

/// How many elements are not the reduction of what all ranks contributed as block `block`. Integers, and min and max,
/// must be exact; the rest is held against a sum in double (long double for float64) within
/// n * eps(accumulation type) * sum of |x| + eps(type) * |result| + the smallest subnormal number: Higham, Accuracy and
/// Stability of Numerical Algorithms (2002), section 4.2; it holds for every order of the n operands.
std::int64_t count_wrong_reduced(const workload& work, std::int64_t ranks, std::int64_t block, std::int64_t count,
                                 const void* elements);

/// This rank's factor of a premultiplied sum: a power of two, so that the product is exact.
constexpr double premultiplier_of(rank r) noexcept {
  return r.value % 2 == 0 ? 2.0 : 0.5;
}

}  // namespace hawser::cli
