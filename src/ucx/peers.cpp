// Connections of a UCX endpoint, and what happens when one is lost.
#include <algorithm>

#include "configuration.hpp"
#include "endpoint.hpp"

namespace hawser::ucx {

peer_state& ucx_endpoint::state_of(rank peer) {
  if (peer.value < 0 || peer.value >= environment_.size)
    fail(errc::invalid_argument, "rank " + to_string(peer) + " is not in the job",
         "its ranks are 0 to " + std::to_string(environment_.size - 1));
  const auto [entry, is_new] = peers_.try_emplace(peer.value);
  if (is_new) {
    entry->second.number = peer;
    entry->second.owner = this;
  }
  return entry->second;
}

/// Also before a mere receive: without a connection of our own UCX would not tell that the sender died.
void ucx_endpoint::connect(peer_state& peer) {
  if (peer.endpoint != nullptr || peer.health != peer_health::alive) return;
  const std::string address = environment_.look_up("ucx/" + to_string(peer.number));
  ucp_ep_params_t parameters{};
  parameters.field_mask =
      UCP_EP_PARAM_FIELD_REMOTE_ADDRESS | UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE | UCP_EP_PARAM_FIELD_ERR_HANDLER;
  parameters.address = reinterpret_cast<const ucp_address_t*>(address.data());
  parameters.err_mode = UCP_ERR_HANDLING_MODE_PEER;
  parameters.err_handler = {&ucx_endpoint::endpoint_failed, &peer};
  const ucs_status_t status = ucp_ep_create(worker_, &parameters, &peer.endpoint);
  if (status != UCS_OK) {
    peer.endpoint = nullptr;
    disconnect(peer, status);
  }
}

/// Called by UCX from inside its progress, where no endpoint may be closed: only takes a note.
void ucx_endpoint::endpoint_failed(void* state, ucp_ep_h, ucs_status_t status) {
  auto& peer = *static_cast<peer_state*>(state);
  if (peer.reported == UCS_OK) peer.owner->reports_.push_back(&peer);
  peer.reported = status;
}

bool ucx_endpoint::handle_reports() {
  const bool has_any = !reports_.empty();
  while (!reports_.empty()) {
    peer_state& peer = *reports_.back();
    reports_.pop_back();
    disconnect(peer, peer.reported);
  }
  return has_any;
}

void ucx_endpoint::disconnect(peer_state& peer, ucs_status_t status) {
  if (peer.health == peer_health::alive)
    mark(peer, peer_health::disconnected,
         {errc::peer_failed, peer.number,
          describe("the UCX connection of rank " + to_string(environment_.self) + " to rank " + to_string(peer.number) +
                       " is lost",
                   std::string(ucs_status_string(status)) + ", UCX status " + std::to_string(status))});
}

void ucx_endpoint::mark(peer_state& peer, peer_health health, transport::failure why) {
  if (peer.health == peer_health::alive) {
    peer.why = std::move(why);
    peer.give_up = clock::now() + options_.abort_timeout;
    doomed_.push_back(&peer);
  }
  peer.health = health;
  close_endpoint(peer);
  cancel_receives(peer);
}

void ucx_endpoint::peer_failed(const transport::failure& why) {
  if (is_closed_) return;
  mark(state_of(why.peer), peer_health::failed, why);
  deliver();
}

void ucx_endpoint::cancel_receives(peer_state& peer) {
  for (record* each = peer.pending.first(); each != nullptr;) {
    record* const next = each->next;  // cancelling moves `each` to the finished ones, and no other
    if (each->is_receive) ucp_request_cancel(worker_, each);
    each = next;
  }
}

/// A receive of which a part has arrived cannot be cancelled in UCX. The connection is closed, so its memory is only
/// written with what is already here; after abort_timeout of progress there is no more of that.
bool ucx_endpoint::give_up_expired() {
  if (doomed_.empty()) return false;
  const auto now = clock::now();
  bool has_any = false;
  for (std::size_t i = 0; i < doomed_.size();) {
    peer_state& peer = *doomed_[i];
    if (!peer.pending.empty() && now < peer.give_up) {
      ++i;
      continue;
    }
    doomed_.erase(doomed_.begin() + static_cast<std::ptrdiff_t>(i));
    while (record* each = peer.pending.pop_front()) {
      has_any = true;
      transport::completion& done = *std::exchange(each->done, nullptr);
      done.done(done, &peer.why);
    }
  }
  return has_any;
}

}  // namespace hawser::ucx
