// libFuzzer target of everything that reads from a socket; HAWSER_FUZZ_KIND is handshake, store or transport.
#include <cstdlib>
#include <cstring>

#include "wire_inputs.hpp"

namespace {

void (*feed)(hawser::fuzz::input) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const kind = std::getenv("HAWSER_FUZZ_KIND");
  if (kind && std::strcmp(kind, "handshake") == 0) feed = &hawser::fuzz::feed_handshake;
  if (kind && std::strcmp(kind, "store") == 0) feed = &hawser::fuzz::feed_store;
  if (kind && std::strcmp(kind, "transport") == 0) feed = &hawser::fuzz::feed_transport;
  if (!feed) hawser::fuzz::broken("HAWSER_FUZZ_KIND must be handshake, store or transport");
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  feed(std::as_bytes(std::span(data, size)));
  return 0;
}
