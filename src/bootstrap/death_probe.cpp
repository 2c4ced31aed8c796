// See death_probe.hpp.
#include "death_probe.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <hawser/core/error.hpp>

namespace hawser::bootstrap {
namespace {

/// A process that ends closes its descriptors one after the other: for a moment its listener still accepts.
constexpr std::chrono::milliseconds longest_probe{500};

bool is_ready(int fd, short events) {
  pollfd each{fd, events, 0};
  return ::poll(&each, 1, 0) > 0;
}

}  // namespace

net::address address_of(const std::string& where) {
  const std::size_t space = where.find(' ');
  int port = 0;
  try {
    if (space != std::string::npos) port = std::stoi(where.substr(space + 1));
  } catch (const std::exception&) {  // said below
  }
  if (port < 1 || port > 65535) fail(errc::io, "\"" + where + "\" is not the address of a store");
  return net::resolve(where.substr(0, space), port, false).front();
}

void death_probes::add(rank suspect, const std::string& where, clock::time_point now) {
  try {
    probes_.push_back({suspect, address_of(where), {}, now + longest_probe, false});
  } catch (const error&) {  // nobody to ask: nothing is proven
  }
}

death_probes::finding death_probes::look_at(probe& each) {
  if (!each.fd) {
    each.is_connected = false;
    each.fd = net::begin_connect(each.where);
    if (!each.fd) return errno == ECONNREFUSED ? finding::refused : finding::unknown;
  }
  if (!each.is_connected) {
    if (!is_ready(each.fd.value(), POLLOUT)) return finding::unknown;
    const int code = net::pending_error(each.fd.value());
    if (code == 0) return each.is_connected = true, finding::unknown;
    each.fd.reset();
    return code == ECONNREFUSED ? finding::refused : finding::unknown;
  }
  if (!is_ready(each.fd.value(), POLLIN)) return finding::unknown;
  std::array<std::byte, 64> ignored;
  const net::io_result got = net::read_some(each.fd.value(), ignored);
  if (got.status == net::io_status::moved) return finding::lives;
  if (got.status != net::io_status::would_block) each.fd.reset();  // closed: ask again whether anybody listens
  return finding::unknown;
}

std::vector<rank> death_probes::advance(clock::time_point now) {
  std::vector<rank> dead;
  std::erase_if(probes_, [&](probe& each) {
    const finding found = look_at(each);
    if (found == finding::refused) dead.push_back(each.suspect);
    return found != finding::unknown || now >= each.deadline;
  });
  return dead;
}

void death_probes::drop(rank suspect) {
  std::erase_if(probes_, [&](const probe& each) { return each.suspect == suspect; });
}

bool death_probes::asks_for(rank suspect) const {
  return std::any_of(probes_.begin(), probes_.end(), [&](const probe& each) { return each.suspect == suspect; });
}

}  // namespace hawser::bootstrap
