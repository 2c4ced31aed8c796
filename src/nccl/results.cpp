// What NCCL's user guide says of each code, under "Error handling and communicator abort".
#include "nccl/results.hpp"

namespace hawser::nccl {
namespace {

/// ncclTimeout, which headers have from 2.30 on.
constexpr int timeout_result = 8;

std::string_view suggestion_of(errc code) {
  switch (code) {
    case errc::peer_failed: return "another rank has ended, or the network to it is broken";
    case errc::unsupported: return "has every rank a GPU of its own, and all the same NCCL? NCCL_DEBUG=WARN says more";
    case errc::internal: return "NCCL_DEBUG=WARN says more";
    default: return "is there a CUDA device, memory, and a network that NCCL can use? NCCL_DEBUG=WARN says more";
  }
}

}  // namespace

errc code_of(ncclResult_t result) noexcept {
  switch (static_cast<int>(result)) {
    case ncclRemoteError: return errc::peer_failed;
    case ncclUnhandledCudaError:
    case ncclSystemError: return errc::resource;
    case ncclInvalidUsage: return errc::unsupported;  // two ranks on one GPU, versions that differ
    case timeout_result: return errc::timeout;
    default: return errc::internal;
  }
}

error to_error(const functions& calls, ncclComm_t comm, ncclResult_t result, std::string_view doing) {
  const char* const text = calls.error_text(result);
  std::string reason = text != nullptr ? text : "result " + std::to_string(static_cast<int>(result));
  const char* const last = calls.last_error(comm);
  if (last != nullptr && *last != '\0') reason.append(": ").append(last);
  while (reason.back() == '\n' || reason.back() == ' ') reason.pop_back();
  const errc code = code_of(result);
  error made(code, describe("NCCL cannot " + std::string(doing), reason, suggestion_of(code)));
  made.with_native_code(result);
  return made;
}

}  // namespace hawser::nccl
