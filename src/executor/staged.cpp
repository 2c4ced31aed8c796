// See staged.hpp.
#include <hawser/executor/staged.hpp>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "staged_receiver.hpp"
#include "staged_sender.hpp"
#include "staged_wire.hpp"

namespace hawser::executor {
namespace {

/// Buffers of `staging_options::eager_bytes` for each direction; one is held for as long as one copy takes.
constexpr int small_buffers = 32;

class staged_transport {
 public:
  staged_transport(transport::any_transport inner, stream_device& device, int buffers, const staging_options& options)
      : ground_{std::move(inner), device, options},
        outgoing_(device, buffers, options.buffer_bytes),
        incoming_(device, buffers, options.buffer_bytes),
        small_outgoing_(device, small_buffers, options.eager_bytes),
        small_incoming_(device, small_buffers, options.eager_bytes),
        sender_(ground_, outgoing_, small_outgoing_),
        receiver_(ground_, incoming_, small_incoming_) {}
  staged_transport(const staged_transport&) = delete;
  staged_transport& operator=(const staged_transport&) = delete;
  ~staged_transport() { shutdown(); }  // before what completions point to is gone

  std::string_view name() const { return ground_.inner.name(); }
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
    sender_.send(peer, match, bytes, done);
  }
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
    receiver_.receive(peer, match, into, done);
  }

  bool progress() {
    const bool moved = ground_.inner.progress();
    const bool has_sent = sender_.copies().poll();
    return receiver_.copies().poll() || has_sent || moved;
  }
  /// No descriptor tells of the end of a copy, which is near.
  bool arm() { return sender_.copies().is_empty() && receiver_.copies().is_empty() && ground_.inner.arm(); }
  int wait_descriptor() const { return ground_.inner.wait_descriptor(); }
  bool consumes_in_place(rank peer) const { return ground_.inner.consumes_in_place(peer); }
  bool reaches(rank peer) const { return ground_.inner.reaches(peer); }

  void peer_failed(const transport::failure& why) {
    sender_.fail_peer(why);
    receiver_.fail_peer(why);
    ground_.inner.peer_failed(why);
    drain();
  }
  void shutdown() {
    if (!ground_.closed) ground_.closed = {errc::aborted, rank(-1), "the endpoint was shut down"};
    sender_.fail_all(*ground_.closed);
    receiver_.fail_all(*ground_.closed);
    ground_.inner.shutdown();
    drain();
  }

 private:
  /// Copies end by themselves: they wait for nobody.
  void drain() {
    sender_.copies().drain();
    receiver_.copies().drain();
  }

  staged_ground ground_;
  pinned_pool outgoing_, incoming_, small_outgoing_, small_incoming_;
  staged_sender sender_;
  staged_receiver receiver_;
};

static_assert(transport::transport<staged_transport>);

}  // namespace

transport::any_transport with_staging(transport::any_transport endpoint, stream_device& device, int ranks,
                                      const staging_options& options) {
  if (options.buffer_bytes == 0 || options.eager_bytes == 0 || options.pieces_per_peer < 1 || options.most_buffers < 1)
    fail(errc::invalid_argument, "staging needs buffers", "a size or a number in staging_options is 0");
  const int all = std::clamp(ranks - 1, 1, options.most_buffers) * options.pieces_per_peer;
  const int buffers = std::min(all, options.most_buffers);
  return transport::any_transport(std::make_unique<staged_transport>(std::move(endpoint), device, buffers, options));
}

}  // namespace hawser::executor
