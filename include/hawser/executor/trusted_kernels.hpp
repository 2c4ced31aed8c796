// Which of a processor's vector kernels passed their self-test.
#pragma once

#include <string>

namespace hawser::executor {

/// Why kernels for instructions that this processor claims to have are not used, as "avx2: sum of float32 differs";
/// empty where all of them passed. The sets that are used: `instruction_sets()` (executor/reduce.hpp).
const std::string& refused_kernels();

}  // namespace hawser::executor
