// How the ranks of an MPI job find each other: rank 0 starts hawser's store, MPI tells the others where.
#include <hawser/mpi/bootstrap.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/bootstrap/store.hpp>
#include <hawser/core/error.hpp>

#include "addresses.hpp"
#include "check.hpp"

namespace hawser::mpi {
namespace {

constexpr std::size_t max_addresses = 64;              // one bit of the vote each
constexpr bootstrap::milliseconds probe_bound{1'000};  // a filtered address must not hold up the job for long

/// What rank 0 tells the others; `problem` if there is no store.
struct invitation {
  std::vector<std::string> addresses;
  int port = 0;
  std::string secret;
  std::string problem;
};

void broadcast(std::string& text, MPI_Comm communicator) {
  int length = static_cast<int>(text.size());
  check(MPI_Bcast(&length, 1, MPI_INT, 0, communicator), "broadcasting the store's address");
  text.resize(static_cast<std::size_t>(length));
  check(MPI_Bcast(text.data(), length, MPI_CHAR, 0, communicator), "broadcasting the store's address");
}

void broadcast(invitation& told, MPI_Comm communicator) {
  int numbers[2] = {told.port, static_cast<int>(told.addresses.size())};
  check(MPI_Bcast(numbers, 2, MPI_INT, 0, communicator), "broadcasting the store's address");
  told.port = numbers[0];
  told.addresses.resize(static_cast<std::size_t>(numbers[1]));
  for (std::string& each : told.addresses) broadcast(each, communicator);
  broadcast(told.secret, communicator);
  broadcast(told.problem, communicator);
}

std::unique_ptr<bootstrap::store_server> start_server(invitation& told, int size, const bootstrap_options& options) {
  try {
    told.addresses = local_addresses(options.interface);
    if (told.addresses.empty())
      fail(errc::not_found, "rank 0 has no network address to offer the store on",
           options.interface.empty() ? "" : "interface \"" + options.interface + "\"");
    if (told.addresses.size() > max_addresses) told.addresses.resize(max_addresses);
    told.secret = bootstrap::make_secret();
    bootstrap::store_server_options server;
    server.size = size;
    server.address = told.addresses.size() == 1 ? told.addresses.front() : "";
    server.secret = told.secret;
    server.has_tls = options.has_tls;
    server.peer_timeout = options.peer_timeout;
    auto started = std::make_unique<bootstrap::store_server>(server);
    told.port = started->port();
    return started;
  } catch (const error& failed) {  // the others wait in the broadcast and must hear of it
    told.problem = failed.what();
    return nullptr;
  }
}

/// The first address that every rank can connect to.
std::string choose_address(const invitation& told, MPI_Comm communicator) {
  std::uint64_t reachable = 0;
  for (std::size_t i = 0; i < told.addresses.size(); ++i)
    if (can_connect(told.addresses[i], told.port, probe_bound)) reachable |= std::uint64_t{1} << i;
  std::uint64_t common = 0;
  check(MPI_Allreduce(&reachable, &common, 1, MPI_UINT64_T, MPI_BAND, communicator), "choosing the store's address");
  if (common != 0) return told.addresses[static_cast<std::size_t>(std::countr_zero(common))];
  std::string offered;
  for (const std::string& each : told.addresses) offered += (offered.empty() ? "" : ", ") + each;
  fail(errc::io, "no address of rank 0 can be reached from all ranks",
       "it offers " + offered + ", port " + std::to_string(told.port), "open that network to hawser's TCP store");
}

}  // namespace

std::unique_ptr<bootstrap::bootstrap> mpi_bootstrap(MPI_Comm communicator, const bootstrap_options& options) {
  int self = 0;
  bootstrap::store_options joining;
  check(MPI_Comm_rank(communicator, &self), "asking for the rank");
  check(MPI_Comm_size(communicator, &joining.size), "asking for the size");
  joining.self = self;
  invitation told;
  std::unique_ptr<bootstrap::store_server> server;
  if (self == 0) server = start_server(told, joining.size, options);
  broadcast(told, communicator);
  if (!told.problem.empty()) fail(errc::io, "rank 0 could not start the store", told.problem);
  joining.address = choose_address(told, communicator);
  joining.port = told.port;
  joining.secret = told.secret;
  joining.has_tls = options.has_tls;
  joining.connect_timeout = options.connect_timeout;
  joining.peer_timeout = options.peer_timeout;
  auto joined = server ? std::make_unique<bootstrap::store_bootstrap>(joining, std::move(server))
                       : std::make_unique<bootstrap::store_bootstrap>(joining);
  joined->rendezvous(options.connect_timeout);
  return joined;
}

}  // namespace hawser::mpi
