// A set of kernels is trusted once it has given the same bits as the baseline on this processor.
#pragma once

#include <string>

#include "reduce_kernels.hpp"

namespace hawser::executor {

/// Runs each kernel of `tested` beside that of `trusted` on a few hundred bytes, some of them a tail. Which differs, as
/// "sum of float32"; empty where none does. Microseconds for a table.
std::string find_difference(const kernel_table& tested, const kernel_table& trusted);

}  // namespace hawser::executor
