// hawser's settings of UCX, with the user's environment on top.
#include "configuration.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "interface.hpp"

namespace hawser::ucx {
namespace {

constexpr std::string_view prefix = "UCX_";
constexpr const char* devices_variable = "UCX_NET_DEVICES";

}  // namespace

bool has_rdma_device() {
  std::error_code ignored;
  const std::filesystem::directory_iterator devices("/sys/class/infiniband", ignored);
  return !ignored && devices != std::filesystem::directory_iterator{};
}

void check(ucs_status_t status, const char* what) {
  if (status == UCS_OK) return;
  throw error(errc::io, describe(std::string("UCX failed: ") + what, ucs_status_string(status),
                                 "set UCX_LOG_LEVEL=info for UCX's own account"))
      .with_native_code(status);
}

std::vector<setting> settings(const transport::endpoint_environment& environment, const ucx_options& options) {
  std::vector<setting> all;
  const auto set = [&](const std::string& name, std::string value) {
    all.push_back({name, std::move(value), std::string(prefix) + name});
  };
  if (!options.transports.empty()) set("TLS", options.transports);
  if (!options.devices.empty())
    set("NET_DEVICES", options.devices);
  else if (!environment.interface.empty())
    set("NET_DEVICES", interface_name(environment.interface));
  // Eager over TCP: with rendezvous a segment waits for a round trip, and the lab's uplinks stay at 0.90 of the wire
  // instead of 0.99. RDMA needs rendezvous to avoid copies.
  if (options.rendezvous_threshold)
    set("RNDV_THRESH", std::to_string(*options.rendezvous_threshold));
  else if (!has_rdma_device())
    set("RNDV_THRESH", "inf");
  // UCX 1.13 ends the process by an assertion (uct_invoke_completion, count > 0) when a peer is lost in the middle of
  // an eager message of several zero-copy fragments over TCP.
  if (!has_rdma_device()) set("ZCOPY_THRESH", "inf");
  // ucp_config_modify of UCX 1.13 takes the settings of a UCT transport without the transport's name (openucx/ucx issue
  // 8649): TCP_SNDBUF makes it warn "invalid configuration" and do nothing; SNDBUF takes effect, and would win over the
  // user's UCX_TCP_SNDBUF. UCX reads no variable UCX_SNDBUF. Seen by getsockopt(SO_SNDBUF) and ss -tmi on sockets of
  // UCX 1.13.1: 65536, twice the 32 KiB as Linux counts, where the kernel by itself goes up to 3.9 MB.
  if (options.tcp_send_buffer > 0) all.push_back({"SNDBUF", std::to_string(options.tcp_send_buffer), "UCX_TCP_SNDBUF"});
  // Larger pieces of the stream: 16 MiB over four racks of four nodes took 505 ms with 128 KiB, 750 ms with UCX's 8
  // KiB. The receiver's must be as large as the sender's. Named without the transport, as SNDBUF.
  if (options.tcp_segment > 0)
    for (const char* name : {"TX_SEG_SIZE", "RX_SEG_SIZE"})
      all.push_back({name, std::to_string(options.tcp_segment), "UCX_TCP_" + std::string(name)});
  // Two probes within the time-out, so that one lost or late probe is no death.
  const auto interval = std::max<long long>(environment.peer_timeout.count() / 2, 1);
  set("KEEPALIVE_INTERVAL", std::to_string(interval) + "ms");
  return all;
}

std::vector<std::string> ucx_overrides(const ucx_options& options) {
  std::vector<std::string> variables;
  for (const setting& each : settings({}, options)) variables.push_back(each.variable);
  // Set by hawser only where the environment of the endpoint names an interface, which is not known here.
  if (options.devices.empty()) variables.emplace_back(devices_variable);
  std::vector<std::string> overrides;
  for (const std::string& each : variables)
    if (const char* value = std::getenv(each.c_str())) overrides.push_back(each + "=" + value);
  return overrides;
}

ucp_config_t* configure(const transport::endpoint_environment& environment, const ucx_options& options) {
  ucp_config_t* config = nullptr;
  check(ucp_config_read(nullptr, nullptr, &config), "reading its configuration");
  for (const setting& each : settings(environment, options)) {
    if (std::getenv(each.variable.c_str())) continue;
    const ucs_status_t status = ucp_config_modify(config, each.name.c_str(), each.value.c_str());
    if (status == UCS_OK) continue;
    ucp_config_release(config);
    throw error(errc::invalid_argument, describe("UCX refuses " + each.name + "=" + each.value,
                                                 ucs_status_string(status), "change ucx_options"))
        .with_native_code(status);
  }
  return config;
}

}  // namespace hawser::ucx
