// The addresses of this host, and whether one of another host can be reached.
#include "addresses.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace hawser::mpi {
namespace {

/// Empty for other families and for link-local addresses, which mean nothing without a scope.
std::string numeric_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    if (!IN6_IS_ADDR_LINKLOCAL(&ipv6)) inet_ntop(AF_INET6, &ipv6, text, sizeof text);
  }
  return text;
}

struct candidate {
  int preference;
  std::string address;
};

}  // namespace

std::vector<std::string> local_addresses(const std::string& interface) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  std::vector<candidate> candidates;
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || (each->ifa_flags & IFF_UP) == 0) continue;
    std::string address = numeric_address(each->ifa_addr);
    if (address.empty() || !(interface.empty() || interface == each->ifa_name || interface == address)) continue;
    const bool is_loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
    candidates.push_back({2 * is_loopback + (each->ifa_addr->sa_family == AF_INET6), std::move(address)});
  }
  std::ranges::stable_sort(candidates, {}, &candidate::preference);
  std::vector<std::string> addresses;
  addresses.reserve(candidates.size());
  for (candidate& each : candidates) addresses.push_back(std::move(each.address));
  return addresses;
}

bool can_connect(const std::string& address, int port, std::chrono::milliseconds bound) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  int code = connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  if (code == EINPROGRESS) {
    pollfd events{descriptor, POLLOUT, 0};
    socklen_t length = sizeof code;
    if (poll(&events, 1, static_cast<int>(bound.count())) != 1 ||
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) != 0)
      code = ETIMEDOUT;
  }
  close(descriptor);
  return code == 0;
}

}  // namespace hawser::mpi
