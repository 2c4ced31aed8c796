// How much memory a piece of code takes at its peak: the program's operator new counts while a meter is active.
#pragma once

#include <cstdint>

namespace hawser::cli {

/// Counts what this thread allocates from its construction on. One at a time per thread.
class memory_meter {
 public:
  memory_meter() noexcept;
  memory_meter(const memory_meter&) = delete;
  memory_meter& operator=(const memory_meter&) = delete;
  ~memory_meter();

  /// Most bytes that were allocated and not yet released at one time.
  std::int64_t peak_bytes() const noexcept;
};

}  // namespace hawser::cli
