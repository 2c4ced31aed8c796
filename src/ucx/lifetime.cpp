// Opening and closing of a UCX endpoint.
#include <sched.h>

#include "configuration.hpp"
#include "endpoint.hpp"

namespace hawser::ucx {

ucx_endpoint::ucx_endpoint(const transport::endpoint_environment& environment, const ucx_options& options)
    : environment_(environment), options_(options) {
  if (environment.size > (1 << rank_bits))
    fail(errc::unsupported, "the UCX transport cannot serve " + std::to_string(environment.size) + " ranks",
         "the source rank has 20 bits of the tag");
  try {
    open_context();
    open_worker();
    publish_address();
  } catch (...) {
    release();
    throw;
  }
}

ucx_endpoint::~ucx_endpoint() {
  try {
    shutdown();
  } catch (...) {  // a destructor reports nothing; the completions were called or belong to a broken caller
  }
}

void ucx_endpoint::open_context() {
  ucp_params_t parameters{};
  parameters.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_REQUEST_SIZE | UCP_PARAM_FIELD_ESTIMATED_NUM_EPS |
                          UCP_PARAM_FIELD_NAME;
  parameters.features = UCP_FEATURE_TAG | UCP_FEATURE_WAKEUP;
  parameters.request_size = sizeof(record);
  parameters.estimated_num_eps = static_cast<std::size_t>(environment_.size);
  parameters.name = "hawser";
  ucp_config_t* config = configure(environment_, options_);
  const ucs_status_t status = ucp_init(&parameters, config, &context_);
  ucp_config_release(config);
  check(status, "opening a context");
}

void ucx_endpoint::open_worker() {
  ucp_worker_params_t parameters{};
  parameters.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE | UCP_WORKER_PARAM_FIELD_FLAGS;
  parameters.thread_mode = UCS_THREAD_MODE_SERIALIZED;
  parameters.flags = UCP_WORKER_FLAG_IGNORE_REQUEST_LEAK;  // receives from the dead are never released
  check(ucp_worker_create(context_, &parameters, &worker_), "opening a worker");
  check(ucp_worker_get_efd(worker_, &descriptor_), "asking for the worker's event descriptor");
}

void ucx_endpoint::publish_address() {
  ucp_address_t* address = nullptr;
  std::size_t length = 0;
  check(ucp_worker_get_address(worker_, &address, &length), "asking for the worker's address");
  const std::string value(reinterpret_cast<const char*>(address), length);
  ucp_worker_release_address(worker_, address);
  environment_.publish("ucx/" + to_string(environment_.self), value);
}

void ucx_endpoint::released(void* request, ucs_status_t, void* self) {
  --static_cast<ucx_endpoint*>(self)->releasing_;
  ucp_request_free(request);
}

/// A completed send may still sit in UCX's or the kernel's buffer, and a forced close would drop it.
void ucx_endpoint::flush_endpoints(clock::time_point deadline) {
  ucp_request_param_t parameters{};
  parameters.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA;
  parameters.cb.send = &ucx_endpoint::released;
  parameters.user_data = this;
  for (auto& [number, peer] : peers_) {
    if (peer.endpoint == nullptr || peer.health != peer_health::alive) continue;
    if (UCS_PTR_IS_PTR(ucp_ep_flush_nbx(peer.endpoint, &parameters))) ++releasing_;
  }
  drain(deadline);
}

void ucx_endpoint::close_endpoint(peer_state& peer) {
  if (peer.endpoint == nullptr) return;
  ucp_request_param_t parameters{};
  parameters.op_attr_mask = UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  parameters.cb.send = &ucx_endpoint::released;
  parameters.user_data = this;
  parameters.flags = UCP_EP_CLOSE_FLAG_FORCE;
  if (UCS_PTR_IS_PTR(ucp_ep_close_nbx(std::exchange(peer.endpoint, nullptr), &parameters))) ++releasing_;
}

void ucx_endpoint::drain(clock::time_point deadline) {
  while (releasing_ > 0 && clock::now() < deadline)
    if (ucp_worker_progress(worker_) == 0) sched_yield();
}

/// Messages of an aborted operation that nobody will receive; UCX would warn of each of their fragments.
void ucx_endpoint::discard_unexpected() {
  ucp_tag_recv_info_t info{};
  ucp_request_param_t nothing{};
  while (ucp_tag_message_h message = ucp_tag_probe_nb(worker_, 0, 0, 1, &info)) {
    void* const request = ucp_tag_msg_recv_nbx(worker_, nullptr, 0, message, &nothing);
    if (UCS_PTR_IS_PTR(request)) ucp_request_free(request);
  }
}

void ucx_endpoint::release() {
  if (worker_) ucp_worker_destroy(std::exchange(worker_, nullptr));
  if (context_) ucp_cleanup(std::exchange(context_, nullptr));
  descriptor_ = -1;
}

void ucx_endpoint::shutdown() {
  if (is_closed_) return;
  is_closed_ = true;
  for (auto& [number, peer] : peers_) cancel_receives(peer);
  flush_endpoints(clock::now() + options_.abort_timeout);
  for (auto& [number, peer] : peers_) close_endpoint(peer);
  drain(clock::now() + options_.abort_timeout);
  discard_unexpected();
  // Only without a worker is it certain that nothing touches the caller's memory; the records go with it.
  std::vector<std::pair<rank, transport::completion*>> dropped;
  const auto drop = [&](record_list& list) {
    while (record* each = list.pop_front())
      if (each->done) dropped.emplace_back(each->peer->number, each->done);
  };
  for (auto& [number, peer] : peers_) drop(peer.pending);
  drop(finished_);
  reports_.clear();
  doomed_.clear();
  release();
  for (const auto& [peer, done] : dropped) {
    const transport::failure why{errc::aborted, peer,
                                 "the UCX endpoint was shut down before the transfer was complete"};
    done->done(*done, &why);
  }
}

}  // namespace hawser::ucx
