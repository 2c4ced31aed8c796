// hawser's settings of UCX, with the user's environment on top.
#pragma once

#include <string>
#include <vector>

#include <ucp/api/ucp.h>

#include <hawser/transport/endpoint.hpp>
#include <hawser/ucx/transport.hpp>

namespace hawser::ucx {

struct setting {
  std::string name;  ///< as ucp_config_modify takes it, without the prefix UCX_
  std::string value;
  std::string variable;  ///< the environment variable that sets the same thing
};

/// Every setting that hawser makes for these options, overridden or not.
std::vector<setting> settings(const transport::endpoint_environment& environment, const ucx_options& options);

/// Reads UCX's configuration and applies `settings` that the environment does not override; release it with
/// ucp_config_release. Throws errc::io, or errc::invalid_argument that names the setting UCX refuses.
ucp_config_t* configure(const transport::endpoint_environment& environment, const ucx_options& options);

/// Whether this host has an InfiniBand or RoCE device.
bool has_rdma_device();

/// Throws errc::io with UCX's text and code unless the status is UCS_OK.
void check(ucs_status_t status, const char* what);

}  // namespace hawser::ucx
