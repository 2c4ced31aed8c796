// What the transport remembers of one transfer. It lives inside UCX's own request, so a transfer allocates nothing.
#pragma once

#include <chrono>
#include <cstddef>

#include <ucp/api/ucp.h>

#include <hawser/transport/transport.hpp>

namespace hawser::ucx {

class ucx_endpoint;
struct peer_state;

/// UCX gives each request this much room in front (UCP_PARAM_FIELD_REQUEST_SIZE) and a pointer to it.
struct record {
  record* previous = nullptr;
  record* next = nullptr;
  transport::completion* done = nullptr;  ///< null once it was called before UCX released the request
  peer_state* peer = nullptr;
  std::size_t bytes = 0;     ///< what the caller gave
  std::size_t received = 0;  ///< what UCX reports of a receive
  ucs_status_t status = UCS_INPROGRESS;
  bool is_receive = false;
};

/// An intrusive list: a record is in one list at most.
class record_list {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  record* first() const noexcept { return first_; }

  void push_back(record& added) noexcept {
    added.previous = last_;
    added.next = nullptr;
    (last_ ? last_->next : first_) = &added;
    last_ = &added;
  }
  void remove(record& removed) noexcept {
    (removed.previous ? removed.previous->next : first_) = removed.next;
    (removed.next ? removed.next->previous : last_) = removed.previous;
    removed.previous = removed.next = nullptr;
  }
  record* pop_front() noexcept {
    record* popped = first_;
    if (popped) remove(*popped);
    return popped;
  }

 private:
  record* first_ = nullptr;
  record* last_ = nullptr;
};

/// How far gone a peer is.
enum class peer_health {
  alive,
  disconnected,  ///< UCX lost it; what had arrived before may still be received
  failed,        ///< declared failed by `peer_failed`
};

struct peer_state {
  rank number;
  ucp_ep_h endpoint = nullptr;
  peer_health health = peer_health::alive;
  transport::failure why;
  record_list pending;
  /// When transfers that UCX does not release are given up; set when health changes.
  std::chrono::steady_clock::time_point give_up{};
  ucs_status_t reported = UCS_OK;  ///< by UCX's error handler, not yet acted upon
  ucx_endpoint* owner = nullptr;
};

}  // namespace hawser::ucx
