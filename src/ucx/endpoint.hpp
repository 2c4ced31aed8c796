// The state of one UCX endpoint. UCX's callbacks only move records to `finished_`; completions are called from outside
// of UCX, so that they may start transfers.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ucp/api/ucp.h>

#include <hawser/ucx/transport.hpp>

#include "record.hpp"

namespace hawser::ucx {

class ucx_endpoint {
 public:
  ucx_endpoint(const transport::endpoint_environment& environment, const ucx_options& options);
  ~ucx_endpoint();

  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done);
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done);
  bool progress();
  bool arm();
  int wait_descriptor() const noexcept { return descriptor_; }
  void peer_failed(const transport::failure& why);
  void shutdown();

 private:
  using clock = std::chrono::steady_clock;

  /// A receive that completed while it was being posted.
  struct arrival {
    ucs_status_t status = UCS_INPROGRESS;
    std::size_t bytes = 0;
  };

  // lifetime.cpp
  void open_context();
  void open_worker();
  void publish_address();
  void flush_endpoints(clock::time_point deadline);
  void close_endpoint(peer_state& peer);
  void drain(clock::time_point deadline);
  void discard_unexpected();
  void release();
  static void released(void* request, ucs_status_t status, void* self);

  // peers.cpp
  peer_state& state_of(rank peer);
  void connect(peer_state& peer);
  void disconnect(peer_state& peer, ucs_status_t status);
  void mark(peer_state& peer, peer_health health, transport::failure why);
  bool handle_reports();
  bool give_up_expired();
  void cancel_receives(peer_state& peer);
  static void endpoint_failed(void* state, ucp_ep_h endpoint, ucs_status_t status);

  // transfers.cpp
  peer_state* usable(rank peer, transport::tag match, transport::completion& done);
  void started(peer_state& peer, void* request, std::size_t bytes, bool is_receive, transport::completion& done);
  void finish(record& which, ucs_status_t status);
  bool deliver();
  void conclude(peer_state& peer, ucs_status_t status, bool is_receive, std::size_t expected, std::size_t received,
                transport::completion& done);
  static void sent(void* request, ucs_status_t status, void* self);
  static void received(void* request, ucs_status_t status, const ucp_tag_recv_info_t* info, void* self);

  transport::endpoint_environment environment_;
  ucx_options options_;
  ucp_context_h context_ = nullptr;
  ucp_worker_h worker_ = nullptr;
  int descriptor_ = -1;
  std::unordered_map<std::int32_t, peer_state> peers_;  // nodes are stable: records and UCX point to them
  record_list finished_;
  std::vector<peer_state*> reports_;  // peers with a new report of the error handler
  std::vector<peer_state*> doomed_;   // peers whose pending transfers wait for give_up
  arrival* posting_ = nullptr;        // while a receive is being posted
  int releasing_ = 0;                 // flushes and closes under way
  bool is_closed_ = false;
};

}  // namespace hawser::ucx
