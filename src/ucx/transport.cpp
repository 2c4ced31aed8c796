// The UCX transport's public face.
#include <hawser/ucx/transport.hpp>

#include "configuration.hpp"
#include "endpoint.hpp"

namespace hawser::ucx {

ucx_transport::ucx_transport(const transport::endpoint_environment& environment, const ucx_options& options)
    : self_(std::make_unique<ucx_endpoint>(environment, options)) {}

ucx_transport::~ucx_transport() = default;

void ucx_transport::send(rank peer, transport::tag match, std::span<const std::byte> bytes,
                         transport::completion& done) {
  self_->send(peer, match, bytes, done);
}

void ucx_transport::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  self_->receive(peer, match, into, done);
}

bool ucx_transport::progress() {
  return self_->progress();
}

bool ucx_transport::arm() {
  return self_->arm();
}

int ucx_transport::wait_descriptor() const noexcept {
  return self_->wait_descriptor();
}

void ucx_transport::peer_failed(const transport::failure& why) {
  self_->peer_failed(why);
}

void ucx_transport::shutdown() {
  self_->shutdown();
}

transport::factory ucx_factory(ucx_options options) {
  return {.name = "ucx",
          .reaches = transport::reach::network,
          .is_authenticated = false,
          .open =
              [options = std::move(options)](const transport::endpoint_environment& environment) {
                return transport::any_transport(std::make_unique<ucx_transport>(environment, options));
              },
          .suits_host = &has_rdma_device};
}

}  // namespace hawser::ucx
