// See nvtx.hpp.
#include "nvtx.hpp"

#ifdef HAWSER_HAS_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace hawser::diagnosis {

#ifdef HAWSER_HAS_NVTX

namespace {

nvtxDomainHandle_t domain() noexcept {
  static const nvtxDomainHandle_t made = nvtxDomainCreateA("hawser");
  return made;
}

}  // namespace

std::uint64_t begin_range(const char* name, std::uint64_t bytes) noexcept {
  nvtxEventAttributes_t shown{};
  shown.version = NVTX_VERSION;
  shown.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  shown.payloadType = NVTX_PAYLOAD_TYPE_UNSIGNED_INT64;
  shown.payload.ullValue = bytes;
  shown.messageType = NVTX_MESSAGE_TYPE_ASCII;
  shown.message.ascii = name;
  return nvtxDomainRangeStartEx(domain(), &shown);
}

void end_range(std::uint64_t range) noexcept {
  nvtxDomainRangeEnd(domain(), range);
}

#else

std::uint64_t begin_range(const char*, std::uint64_t) noexcept {
  return 0;
}
void end_range(std::uint64_t) noexcept {}

#endif

}  // namespace hawser::diagnosis
