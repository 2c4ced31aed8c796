// The name of a network interface, given its name or one of its addresses.
#include "interface.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include <hawser/core/error.hpp>

namespace hawser::ucx {
namespace {

std::string numeric_address(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address == nullptr) return {};
  if (address->sa_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  else if (address->sa_family == AF_INET6)
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text, sizeof text);
  return text;
}

bool is_ucx_device(const std::string& text) {
  in6_addr ignored{};
  return text.find(':') != std::string::npos && inet_pton(AF_INET6, text.c_str(), &ignored) != 1;
}

}  // namespace

std::string interface_name(const std::string& name_or_address) {
  if (is_ucx_device(name_or_address)) return name_or_address;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0)
    fail(errc::io, "cannot list the network interfaces", std::generic_category().message(errno));
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  std::string known;
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    const std::string address = numeric_address(each->ifa_addr);
    if (name_or_address == each->ifa_name || name_or_address == address) return each->ifa_name;
    if (!address.empty()) known += (known.empty() ? "" : ", ") + std::string(each->ifa_name) + " " + address;
  }
  fail(errc::not_found, "no network interface is called \"" + name_or_address + "\" or has this address",
       "there are " + known);
}

}  // namespace hawser::ucx
