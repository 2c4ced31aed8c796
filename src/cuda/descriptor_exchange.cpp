// One datagram socket per rank, under a random abstract name; one datagram with a descriptor from each peer.
#include "cuda/descriptor_exchange.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include <hawser/core/error.hpp>

namespace hawser::cuda {
namespace {

constexpr std::size_t token_bytes = 16;

/// What a datagram says: to whom, as proof that the sender read the job's store, and from whom.
struct greeting {
  unsigned char token[token_bytes];
  std::int32_t from;
};

[[noreturn]] void fail_io(const std::string& problem) {
  throw error(errc::io, describe(problem, std::generic_category().message(errno))).with_native_code(errno);
}

/// An abstract name: a zero byte, a prefix, the token.
std::pair<sockaddr_un, socklen_t> address_of(const std::string& token) {
  constexpr std::string_view prefix = "hawser-";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, prefix.data(), prefix.size());
  std::memcpy(address.sun_path + 1 + prefix.size(), token.data(), token.size());
  return {address, static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + prefix.size() + token.size())};
}

std::string random_token() {
  std::string token(token_bytes, '\0');
  if (getrandom(token.data(), token.size(), 0) != static_cast<ssize_t>(token.size()))
    fail_io("cannot get random bytes");
  return token;
}

union control_buffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

/// False where the receiver's queue is full (ten datagrams by default): it may be waiting to send to us.
bool try_to_send(int socket, const std::string& token, std::int32_t self, int descriptor) {
  greeting hello{.token = {}, .from = self};
  std::memcpy(hello.token, token.data(), token_bytes);
  iovec part{&hello, sizeof hello};
  control_buffer control{};
  auto [address, length] = address_of(token);
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control.bytes;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno == EAGAIN) return false;
    if (errno != EINTR) fail_io("cannot pass a file descriptor to a rank");
  }
  return true;
}

/// One datagram; nothing where it is not from a rank of this job.
std::pair<std::int32_t, net::unique_fd> receive_descriptor(int socket, const std::string& own_token) {
  greeting hello{};
  iovec part{&hello, sizeof hello};
  control_buffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control.bytes;
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got < 0) {
    if (errno == EINTR || errno == EAGAIN) return {-1, net::unique_fd()};
    fail_io("cannot receive a file descriptor");
  }
  net::unique_fd descriptor;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    descriptor.reset(fd);
  }
  const bool is_ours = got == sizeof hello && std::memcmp(hello.token, own_token.data(), token_bytes) == 0;
  return {is_ours && descriptor ? hello.from : -1, std::move(descriptor)};
}

std::string missing_ranks(const std::vector<net::unique_fd>& given) {
  std::string text;
  for (std::size_t r = 0; r < given.size(); ++r)
    if (!given[r]) text.append(text.empty() ? "" : ", ").append(std::to_string(r));
  return text;
}

/// Takes what has come within `patience`.
void receive_some(int socket, const std::string& own_token, std::vector<net::unique_fd>& given,
                  bootstrap::milliseconds patience) {
  pollfd ready{socket, POLLIN, 0};
  if (poll(&ready, 1, static_cast<int>(patience.count())) <= 0) return;
  auto [from, descriptor] = receive_descriptor(socket, own_token);
  if (from >= 0 && static_cast<std::size_t>(from) < given.size() && !given[static_cast<std::size_t>(from)])
    given[static_cast<std::size_t>(from)] = std::move(descriptor);
}

}  // namespace

std::vector<net::unique_fd> exchange_descriptors(bootstrap::bootstrap& job, std::string_view name, int own,
                                                 bootstrap::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const int self = job.self().value;
  net::unique_fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail_io("cannot make a socket for file descriptors");
  const std::string token = random_token();
  const auto [address, length] = address_of(token);
  if (bind(socket.value(), reinterpret_cast<const sockaddr*>(&address), length) != 0) fail_io("cannot bind a socket");
  const auto key = [&](int r) { return std::string(name) + "/descriptors/" + std::to_string(r); };
  job.put(key(self), token);

  std::vector<net::unique_fd> given(static_cast<std::size_t>(job.size()));
  given[static_cast<std::size_t>(self)].reset(fcntl(own, F_DUPFD_CLOEXEC, 0));
  if (!given[static_cast<std::size_t>(self)]) fail_io("cannot duplicate a file descriptor");
  const auto left = [&] {
    return std::chrono::duration_cast<bootstrap::milliseconds>(deadline - std::chrono::steady_clock::now());
  };
  std::vector<std::string> to_send;
  for (int i = 1; i < job.size(); ++i)
    to_send.push_back(job.get(key((self + i) % job.size()), std::max(left(), bootstrap::milliseconds(1))));
  for (std::string missing = missing_ranks(given); !missing.empty() || !to_send.empty();
       missing = missing_ranks(given)) {
    if (left().count() <= 0)
      fail(errc::timeout, "no file descriptor from ranks " + (missing.empty() ? "(none)" : missing), {},
           "do all ranks make the same call, on one host?");
    std::erase_if(to_send, [&](const std::string& peer) { return try_to_send(socket.value(), peer, self, own); });
    const bool only_waits = to_send.empty() && !missing.empty();
    receive_some(socket.value(), token, given,
                 only_waits ? std::max(left(), bootstrap::milliseconds(0)) : bootstrap::milliseconds(5));
  }
  return given;
}

}  // namespace hawser::cuda
