// An opened NCCL: its functions and what they amount to.
#pragma once

#include <memory>
#include <string>

#include <hawser/nccl/library.hpp>

#include "nccl/functions.hpp"

namespace hawser::nccl {

class library {
 public:
  library(functions calls, std::string file);

  const functions& calls() const noexcept { return calls_; }
  const capabilities& can() const noexcept { return can_; }

 private:
  functions calls_;
  capabilities can_;
};

/// A table as a library, with the checks of `open_library`; `file` is for messages.
std::shared_ptr<const library> make_library(functions calls, const std::string& file);

/// Makes a CUDA device current through the driver, which is opened by name: NCCL's own copy of the CUDA runtime takes
/// the thread's current primary context for its device, as cudaSetDevice leaves it.
int choose_cuda_device(int device);

}  // namespace hawser::nccl
