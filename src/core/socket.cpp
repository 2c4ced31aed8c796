// POSIX calls behind socket.hpp.
#include "socket.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <hawser/core/error.hpp>
#include <hawser/core/fault_points.hpp>

namespace hawser::net {
namespace {

constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

void set_option(int fd, int level, int name, int value) {
  // Only a hint to the kernel: without it the connection is slower, not wrong.
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));
}

address copy_of(const sockaddr* from, socklen_t length) {
  address out;
  std::memcpy(&out.storage, from, length);
  out.length = length;
  return out;
}

/// A socket, or -1 with errno.
int open_socket(int family) {
  return detail::is_struck(fault_point::open_descriptor)
             ? -1
             : ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/// What a system call is to transfer: the parts, or, where a test wants little of it, the first byte.
class transfer {
 public:
  transfer(fault_point at, std::span<iovec> parts) : answer_(detail::ask_fault_hook(at)) {
    message_.msg_iov = parts.data();
    message_.msg_iovlen = parts.size();
    if (answer_ != short_transfer || parts.empty() || parts[0].iov_len == 0) return;
    first_ = {parts[0].iov_base, 1};
    message_.msg_iov = &first_;
    message_.msg_iovlen = 1;
  }
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;
  bool is_struck() const noexcept { return answer_ > 0; }
  msghdr* message() noexcept { return &message_; }

 private:
  int answer_;
  msghdr message_{};
  iovec first_{};
};

}  // namespace

void unique_fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

int address::port() const noexcept {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

bool address::is_loopback() const noexcept {
  if (family() == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
  return ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool address::is_any() const noexcept {
  if (family() == AF_INET6) return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
  return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr == INADDR_ANY;
}

std::string address::host() const {
  char text[NI_MAXHOST] = "?";
  ::getnameinfo(get(), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return text;
}

std::string address::print() const {
  const std::string numeric = host();
  return (family() == AF_INET6 ? "[" + numeric + "]" : numeric) + ":" + std::to_string(port());
}

std::vector<address> resolve(const std::string& host, int port, bool is_passive) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (is_passive ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) fail(errc::io, "cannot find the host \"" + host + "\"", ::gai_strerror(status));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<address> out;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next)
    out.push_back(copy_of(each->ai_addr, each->ai_addrlen));
  return out;
}

std::string interface_address(const std::string& name) {
  in6_addr ignored;
  if (::inet_pton(AF_INET, name.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1)
    return name;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) fail_errno(errno, "cannot list the network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  std::string known;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != family || !(each->ifa_flags & IFF_UP)) continue;
      const address at = copy_of(each->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      if (name.empty() ? !(each->ifa_flags & IFF_LOOPBACK) : name == each->ifa_name) return at.host();
      known.append(known.empty() ? "" : ", ").append(each->ifa_name);
    }
  }
  if (name.empty()) return "127.0.0.1";
  fail(errc::not_found, "there is no network interface \"" + name + "\" that is up and has an address",
       "there are " + known);
}

std::string interface_with(const std::string& address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return address;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    const int family = each->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    if (copy_of(each->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)).host() == address)
      return each->ifa_name;
  }
  return address;
}

address local_address(int fd) {
  address out;
  out.length = sizeof out.storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&out.storage), &out.length) != 0)
    fail_errno(errno, "cannot read a socket's own address");
  return out;
}

unique_fd listen_on(const address& where) {
  unique_fd fd(open_socket(where.family()));
  const std::string problem = "cannot listen on " + where.print();
  if (!fd) fail_errno(errno, problem);
  set_option(fd.value(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (::bind(fd.value(), where.get(), where.length) != 0 || ::listen(fd.value(), backlog) != 0)
    fail_errno(errno, problem, errno == EADDRINUSE ? "does an earlier run still use the port? choose another" : "");
  return fd;
}

unique_fd accept_from(int listener) {
  for (;;) {
    const bool is_struck = detail::is_struck(fault_point::accept);
    unique_fd fd(is_struck ? -1 : ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd) set_option(fd.value(), IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
  }
}

unique_fd begin_connect(const address& to) {
  unique_fd fd(open_socket(to.family()));
  if (!fd) return fd;
  set_option(fd.value(), IPPROTO_TCP, TCP_NODELAY, 1);
  // An interrupted non-blocking connect goes on by itself, as EINPROGRESS does.
  if (::connect(fd.value(), to.get(), to.length) != 0 && errno != EINPROGRESS && errno != EINTR) {
    const int code = errno;
    fd.reset();
    errno = code;
  }
  return fd;
}

int pending_error(int fd) {
  int code = 0;
  socklen_t length = sizeof code;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &length) != 0 ? errno : code;
}

io_result read_some(int fd, std::span<iovec> parts) {
  for (;;) {
    transfer wanted(fault_point::receive, parts);
    const ssize_t got = wanted.is_struck() ? -1 : ::recvmsg(fd, wanted.message(), 0);
    if (got > 0) return {io_status::moved, static_cast<std::size_t>(got), 0};
    if (got == 0) return {io_status::closed, 0, 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    return {io_status::failed, 0, errno};
  }
}

io_result read_some(int fd, std::span<std::byte> into) {
  iovec part{into.data(), into.size()};
  return read_some(fd, std::span(&part, 1));
}

io_result write_some(int fd, std::span<iovec> parts) {
  for (;;) {
    transfer offered(fault_point::send, parts);
    const ssize_t put = offered.is_struck() ? -1 : ::sendmsg(fd, offered.message(), MSG_NOSIGNAL);
    if (put >= 0) return {io_status::moved, static_cast<std::size_t>(put), 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
    return {io_status::failed, 0, errno};
  }
}

io_result write_some(int fd, std::span<const std::byte> from) {
  iovec part{const_cast<std::byte*>(from.data()), from.size()};
  return write_some(fd, std::span(&part, 1));
}

bool has_unacknowledged(int fd) noexcept {
  tcp_info told{};
  socklen_t length = sizeof told;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &told, &length) == 0 && told.tcpi_unacked > 0;
}

void shut_down(int fd) noexcept {
  if (fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

std::string describe_errno(int code) {
  return std::generic_category().message(code);
}

void fail_errno(int code, const std::string& problem, const std::string& suggestion) {
  const bool is_resource = code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS;
  error raised(is_resource ? errc::resource : errc::io, describe(problem, describe_errno(code), suggestion));
  throw raised.with_native_code(code);
}

}  // namespace hawser::net
