// Non-blocking TCP sockets: owned descriptors, name resolution, reads and writes that survive signals.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hawser::net {

/// An owned file descriptor.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~unique_fd() { reset(); }

  int value() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// A socket address of either family.
struct address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const noexcept { return storage.ss_family; }
  int port() const noexcept;
  bool is_loopback() const noexcept;
  bool is_any() const noexcept;  ///< 0.0.0.0 or ::
  std::string host() const;      ///< numeric
  std::string print() const;     ///< "10.0.0.1:29500", "[::1]:29500"
};

/// The addresses of a name or a numeric address, for connecting or (passive) for listening, where "" means all.
/// Throws errc::io that names the host.
std::vector<address> resolve(const std::string& host, int port, bool is_passive);

/// The address of the named interface, or `name` itself where it is a numeric address; "" gives the first interface
/// that is up and not loopback, else loopback. Throws errc::not_found that lists the interfaces.
std::string interface_address(const std::string& name);

/// The name of the interface that has this numeric address; the argument itself where none has, as a name.
std::string interface_with(const std::string& address);

/// Both ends of a connected or listening socket.
address local_address(int fd);

/// A listening, non-blocking socket. Throws errc::io.
unique_fd listen_on(const address& where);
/// One waiting connection, non-blocking, with `TCP_NODELAY`; empty with errno where there is none.
unique_fd accept_from(int listener);
/// Begins to connect; empty with errno on failure at once.
unique_fd begin_connect(const address& to);
/// The result of a connection attempt whose socket became writable: an errno, 0 for success.
int pending_error(int fd);

/// What one read or write did.
enum class io_status { moved, would_block, closed, failed };
struct io_result {
  io_status status = io_status::would_block;
  std::size_t count = 0;  ///< bytes, when moved
  int code = 0;           ///< errno, when failed
};
io_result read_some(int fd, std::span<std::byte> into);
io_result read_some(int fd, std::span<iovec> parts);
io_result write_some(int fd, std::span<const std::byte> from);
io_result write_some(int fd, std::span<iovec> parts);

/// Whether something that was sent has not been acknowledged by the other side's kernel; false where that is not known.
bool has_unacknowledged(int fd) noexcept;

/// Says goodbye at once, also where a forked child still holds the descriptor.
void shut_down(int fd) noexcept;

/// "Connection refused".
std::string describe_errno(int code);
/// Throws errc::io (errc::resource when descriptors or memory ran out) with the native code.
[[noreturn]] void fail_errno(int code, const std::string& problem, const std::string& suggestion = {});

}  // namespace hawser::net
