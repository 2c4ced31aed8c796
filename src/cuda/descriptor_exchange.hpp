// Passes a file descriptor from every rank of a host to every other one (SCM_RIGHTS).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/bootstrap/bootstrap.hpp>

#include "core/socket.hpp"

namespace hawser::cuda {

/// What every rank gives, as this rank's own descriptors, in the order of ranks; this rank's own is a duplicate.
/// Collective. Datagrams go to sockets of random abstract names that the job's store tells; what does not begin with
/// the receiver's name is dropped. Throws errc::timeout that names the ranks that are missing, errc::io.
std::vector<net::unique_fd> exchange_descriptors(bootstrap::bootstrap& job, std::string_view name, int own,
                                                 bootstrap::milliseconds timeout);

}  // namespace hawser::cuda
