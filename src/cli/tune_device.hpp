// hawser tune --device: the table of launch policies, and what the GPU at hand measures.
#pragma once

namespace hawser::cli {

/// Prints the built-in policies, then measures the device and prints its line, or says why not. Returns an exit code: 1
/// where nothing was measured.
int tune_device(int device);

}  // namespace hawser::cli
