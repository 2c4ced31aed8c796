// The addresses of this host, and whether one of another host can be reached.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hawser::mpi {

/// Numeric addresses of the interfaces that are up, IPv4 first, loopback last; of one interface where a name or address
/// is given. Link-local addresses are left out.
std::vector<std::string> local_addresses(const std::string& interface);

/// Whether somebody accepts TCP connections there, within the bound.
bool can_connect(const std::string& address, int port, std::chrono::milliseconds bound);

}  // namespace hawser::mpi
