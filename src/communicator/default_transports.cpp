// The transport registry of hawser::runtime. To add a back end: its header, and its line here.
#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/shared_memory.hpp>
#include <hawser/transport/tcp.hpp>

namespace hawser {

transport::registry default_transports() {
  return {transport::shared_memory_factory(), transport::tcp_factory()};
}

}  // namespace hawser
