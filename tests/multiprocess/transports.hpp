// The transports that the multi-process tests run over, by name.
#pragma once

#include <string>
#include <vector>

#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>
#ifdef HAWSER_HAS_UCX
#include <hawser/ucx/transport.hpp>
#endif

namespace hawser::test {

/// Those of this build that connect separate processes through the store.
inline std::vector<std::string> transport_names() {
  std::vector<std::string> names{"shm", "tcp"};
#ifdef HAWSER_HAS_UCX
  names.push_back("ucx");
#endif
  return names;
}

/// "shm+tcp": shared memory inside a host, TCP between hosts.
inline transport::registry transport_named(const std::string& name) {
  if (const std::size_t plus = name.find('+'); plus != std::string::npos) {
    transport::registry both = transport_named(name.substr(0, plus));
    for (transport::factory& each : transport_named(name.substr(plus + 1))) both.push_back(std::move(each));
    return both;
  }
  if (name == "shm") return {transport::shared_memory_factory()};
  if (name == "tcp") return {transport::tcp_factory()};
#ifdef HAWSER_HAS_UCX
  if (name == "ucx") return {ucx::ucx_factory()};
#endif
  fail(errc::not_found, "unknown transport \"" + name + "\"");
}

/// The same hierarchy for every transport, so that every run has the same plans: two racks, as even as they can be.
inline std::string topology_for(int size) {
  if (size < 2) return "gpu:1";
  return "rack:[" + std::to_string(size / 2) + "," + std::to_string(size - size / 2) + "]";
}

}  // namespace hawser::test
