// The name of a network interface, given its name or one of its addresses.
#pragma once

#include <string>

namespace hawser::ucx {

/// Throws errc::not_found that lists what there is. A name with a colon ("mlx5_0:1") is a device of UCX's own naming.
std::string interface_name(const std::string& name_or_address);

}  // namespace hawser::ucx
