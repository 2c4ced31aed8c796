// The MPI transport's public face.
#include <hawser/mpi/transport.hpp>

#include "endpoint.hpp"

namespace hawser::mpi {

mpi_transport::mpi_transport(MPI_Comm communicator, const transport::endpoint_environment& environment,
                             const mpi_options& options)
    : self_(std::make_unique<mpi_endpoint>(communicator, environment, options)) {}

mpi_transport::~mpi_transport() = default;

void mpi_transport::send(rank peer, transport::tag match, std::span<const std::byte> bytes,
                         transport::completion& done) {
  self_->send(peer, match, bytes, done);
}

void mpi_transport::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  self_->receive(peer, match, into, done);
}

bool mpi_transport::progress() {
  return self_->progress();
}

void mpi_transport::peer_failed(const transport::failure& why) {
  self_->peer_failed(why);
}

void mpi_transport::shutdown() {
  self_->shutdown();
}

transport::factory mpi_factory(MPI_Comm communicator, mpi_options options) {
  return {.name = "mpi",
          .reaches = transport::reach::network,
          .is_authenticated = false,
          .open =
              [communicator, options](const transport::endpoint_environment& environment) {
                return transport::any_transport(std::make_unique<mpi_transport>(communicator, environment, options));
              },
          .is_renewable = false};  // MPI's own communicator does not survive a loss
}

}  // namespace hawser::mpi
