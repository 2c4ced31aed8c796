// From a launcher's variables to a joined job.
#include <memory>
#include <string>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/core/error.hpp>

#include "../core/socket.hpp"

namespace hawser::bootstrap {
namespace {

/// MASTER_ADDR itself where it is an address of this host; all addresses where it is not (a container, a NAT).
bool is_own_address(const std::string& host) {
  for (const net::address& each : net::resolve(host, 0, false)) {
    try {
      net::listen_on(each);
      return true;
    } catch (const error&) {  // not this one
    }
  }
  return false;
}

std::unique_ptr<store_server> start_server(const launch& from) {
  store_server_options options;
  options.size = *from.size;
  options.address = is_own_address(from.master_address) ? from.master_address : "";
  options.port = from.master_port;
  options.secret = from.secret;
  options.has_tls = from.has_tls;
  options.allow_empty_secret = from.allow_empty_secret;
  if (from.peer_timeout) options.peer_timeout = *from.peer_timeout;
  return std::make_unique<store_server>(options);
}

void check(const launch& from) {
  if (from.has_store()) return;
  std::string missing;
  const auto need = [&](bool is_there, const char* name) {
    if (!is_there) missing.append(missing.empty() ? "" : ", ").append(name);
  };
  need(from.rank.has_value(), "RANK");
  need(from.size.has_value(), "WORLD_SIZE");
  need(!from.master_address.empty(), "MASTER_ADDR");
  need(from.master_port != 0, "MASTER_PORT");
  fail(errc::invalid_argument, "cannot join a job over the TCP store", "not set: " + missing,
       "start the program with torchrun, or set them; MASTER_ADDR and MASTER_PORT name rank 0's host and a free port");
}

}  // namespace

std::unique_ptr<store_bootstrap> join_store(const launch& from, milliseconds connect_timeout) {
  check(from);
  store_options options;
  options.self = *from.rank;
  options.size = *from.size;
  options.address = from.master_address;
  options.port = from.master_port;
  options.secret = from.secret;
  options.has_tls = from.has_tls;
  options.connect_timeout = connect_timeout;
  if (from.peer_timeout) options.peer_timeout = *from.peer_timeout;
  std::unique_ptr<store_server> server;
  if (from.is_store_external)
    options.server_rank.reset();
  else if (*from.rank == 0)
    server = start_server(from);
  auto joined = std::make_unique<store_bootstrap>(options, std::move(server));
  try {
    joined->rendezvous(connect_timeout);
  } catch (const error& incomplete) {
    // The others learn the cause, instead of taking this rank for dead.
    if (incomplete.code() == errc::timeout) joined->abort(incomplete.what());
    joined->leave();
    throw;
  }
  return joined;
}

}  // namespace hawser::bootstrap
