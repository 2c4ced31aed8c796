// NCCL's result codes as hawser's errors.
#pragma once

#include <string>
#include <string_view>

#include <hawser/core/error.hpp>

#include "nccl/functions.hpp"

namespace hawser::nccl {

/// What kind of failure a code stands for; also codes that an older header lacks.
errc code_of(ncclResult_t result) noexcept;

/// Nothing to report: done, or on its way.
constexpr bool is_fine(ncclResult_t result) noexcept {
  return result == ncclSuccess || result == ncclInProgress;
}

/// "NCCL cannot send (remote process exited: ...); ..." with NCCL's code. `comm` may be null.
error to_error(const functions& calls, ncclComm_t comm, ncclResult_t result, std::string_view doing);

}  // namespace hawser::nccl
