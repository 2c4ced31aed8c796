// Sends and receives of a UCX endpoint.
#include <algorithm>

#include "endpoint.hpp"
#include "tag.hpp"

namespace hawser::ucx {

/// The peer, connected; or null after the completion was called because it cannot be.
peer_state* ucx_endpoint::usable(rank peer, transport::tag match, transport::completion& done) {
  if (match.channel >= max_channels)
    fail(errc::unsupported, "channel " + std::to_string(match.channel) + " does not fit into a UCX tag",
         "there is room for " + std::to_string(max_channels));
  peer_state& state = state_of(peer);
  if (is_closed_) {
    const transport::failure why{errc::aborted, peer, "the UCX endpoint is shut down"};
    done.done(done, &why);
    return nullptr;
  }
  try {
    connect(state);
  } catch (const error& unreachable) {
    const transport::failure why{unreachable.code(), peer, unreachable.what()};
    done.done(done, &why);
    return nullptr;
  }
  if (state.health == peer_health::failed) {
    done.done(done, &state.why);
    return nullptr;
  }
  return &state;
}

void ucx_endpoint::send(rank peer, transport::tag match, std::span<const std::byte> bytes,
                        transport::completion& done) {
  peer_state* const state = usable(peer, match, done);
  if (state == nullptr) return;
  if (state->endpoint == nullptr) return done.done(done, &state->why);
  ucp_request_param_t parameters{};
  parameters.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
  parameters.cb.send = &ucx_endpoint::sent;
  parameters.user_data = this;
  void* const request =
      ucp_tag_send_nbx(state->endpoint, bytes.data(), bytes.size(), fold(environment_.self, match), &parameters);
  if (UCS_PTR_IS_PTR(request)) return started(*state, request, bytes.size(), false, done);
  conclude(*state, UCS_PTR_STATUS(request), false, bytes.size(), 0, done);
}

void ucx_endpoint::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  if (into.consume != nullptr)
    fail(errc::invalid_argument, "the UCX transport does not consume in place", {}, "ask consumes_in_place first");
  peer_state* const state = usable(peer, match, done);
  if (state == nullptr) return;
  ucp_request_param_t parameters{};
  // UCX 1.13 reports no length for a receive that completes at once; with this flag it calls back instead.
  parameters.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FLAG_NO_IMM_CMPL;
  parameters.cb.recv = &ucx_endpoint::received;
  parameters.user_data = this;
  constexpr std::uint64_t all_bits = ~std::uint64_t{0};
  arrival at_once;
  posting_ = &at_once;
  void* const request = ucp_tag_recv_nbx(worker_, into.data, into.bytes, fold(peer, match), all_bits, &parameters);
  posting_ = nullptr;
  if (!UCS_PTR_IS_PTR(request)) return conclude(*state, UCS_PTR_STATUS(request), true, into.bytes, 0, done);
  if (at_once.status != UCS_INPROGRESS) {
    ucp_request_free(request);
    return conclude(*state, at_once.status, true, into.bytes, at_once.bytes, done);
  }
  started(*state, request, into.bytes, true, done);
  // From a lost peer there is what had arrived before, at once, or nothing.
  if (state->health != peer_health::alive) {
    ucp_request_cancel(worker_, request);
    if (!state->pending.empty() && std::ranges::find(doomed_, state) == doomed_.end()) {
      state->give_up = clock::now() + options_.abort_timeout;
      doomed_.push_back(state);
    }
  }
}

void ucx_endpoint::started(peer_state& peer, void* request, std::size_t bytes, bool is_receive,
                           transport::completion& done) {
  auto* const added = new (request) record;
  added->done = &done;
  added->peer = &peer;
  added->bytes = bytes;
  added->is_receive = is_receive;
  peer.pending.push_back(*added);
}

void ucx_endpoint::sent(void* request, ucs_status_t status, void* self) {
  static_cast<ucx_endpoint*>(self)->finish(*static_cast<record*>(request), status);
}

void ucx_endpoint::received(void* request, ucs_status_t status, const ucp_tag_recv_info_t* info, void* self) {
  auto& mine = *static_cast<ucx_endpoint*>(self);
  if (mine.posting_ != nullptr) {  // inside ucp_tag_recv_nbx: there is no record yet
    *mine.posting_ = {status, info->length};
    return;
  }
  auto& which = *static_cast<record*>(request);
  which.received = info->length;
  mine.finish(which, status);
}

void ucx_endpoint::finish(record& which, ucs_status_t status) {
  if (which.done == nullptr) return ucp_request_free(&which);  // given up before
  which.status = status;
  which.peer->pending.remove(which);
  finished_.push_back(which);
}

bool ucx_endpoint::deliver() {
  const bool has_any = !finished_.empty();
  while (record* const each = finished_.pop_front()) {
    const record copy = *each;
    ucp_request_free(each);
    conclude(*copy.peer, copy.status, copy.is_receive, copy.bytes, copy.received, *copy.done);
  }
  return has_any;
}

/// Translates the outcome; a receive is complete only if exactly the expected bytes came.
void ucx_endpoint::conclude(peer_state& peer, ucs_status_t status, bool is_receive, std::size_t expected,
                            std::size_t received, transport::completion& done) {
  const bool is_truncated = is_receive && status == UCS_ERR_MESSAGE_TRUNCATED;
  if (status == UCS_OK && !(is_receive && received != expected)) return done.done(done, nullptr);
  if (status == UCS_OK || is_truncated) {
    const std::string came = is_truncated ? "more" : std::to_string(received);
    const transport::failure why{errc::mismatch, peer.number,
                                 describe("rank " + to_string(peer.number) + " sent another size than rank " +
                                              to_string(environment_.self) + " expects",
                                          came + " bytes instead of " + std::to_string(expected),
                                          "call the collective with the same counts on all ranks")};
    return done.done(done, &why);
  }
  if (status != UCS_ERR_CANCELED) disconnect(peer, status);
  if (peer.health != peer_health::alive) return done.done(done, &peer.why);
  const transport::failure why{errc::aborted, peer.number, "UCX cancelled the transfer"};
  done.done(done, &why);
}

bool ucx_endpoint::progress() {
  if (is_closed_) return false;
  bool has_moved = ucp_worker_progress(worker_) != 0;
  has_moved |= handle_reports();
  has_moved |= deliver();
  if (!is_closed_) has_moved |= give_up_expired();
  return has_moved;
}

bool ucx_endpoint::arm() {
  // While a deadline runs there is nothing to wake a sleeper: keep progressing.
  if (is_closed_ || !finished_.empty() || !reports_.empty() || !doomed_.empty()) return false;
  const ucs_status_t status = ucp_worker_arm(worker_);
  if (status == UCS_OK) return true;
  if (status == UCS_ERR_BUSY) progress();
  return false;
}

}  // namespace hawser::ucx
