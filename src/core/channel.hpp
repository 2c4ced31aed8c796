// A connected socket, in the clear or with TLS over it: what the store and the TCP transport read from and write to.
#pragma once

#include <poll.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <hawser/core/handshake.hpp>

#include "socket.hpp"

namespace hawser::net {

/// What the TLS connections of one secret and service share: a key that is made from the secret. Thread-safe.
class tls_keys;
/// TLS 1.3 by a pre-shared key with ephemeral Diffie-Hellman, so that both sides prove the secret and no certificate is
/// needed. Each side changes its keys after so many records of its own, of at most 16 KiB; RFC 8446, section 5.5, allows
/// 2^24.5. Throws errc::unsupported where hawser was built without OpenSSL, errc::authentication for an empty secret.
std::shared_ptr<const tls_keys> make_tls_keys(std::string_view secret, service purpose,
                                              std::uint64_t records_per_key = std::uint64_t{1} << 20);
/// Whether this build has TLS.
bool has_tls() noexcept;

/// Which side of TLS's handshake a process is.
enum class tls_side { connects, accepts };

/// One connection's TLS; inside of `channel`.
class tls_stream;
struct tls_stream_end {
  void operator()(tls_stream* ended) const noexcept;
};

/// An owned, non-blocking, connected socket. With keys it is encrypted, and its first read or write begins TLS's
/// handshake; until that has ended, and proven the secret, nothing of the caller's leaves. Failures of TLS are
/// io_status::failed with EKEYREJECTED (the other side has another secret) or EPROTO (it does not speak TLS); an end
/// without TLS's farewell is io_status::closed as any other, so that who reads must know when all has come.
class channel {
 public:
  channel() = default;
  /// In the clear.
  explicit channel(unique_fd fd) noexcept : fd_(std::move(fd)) {}
  /// With TLS, unless the keys are null.
  channel(unique_fd fd, const std::shared_ptr<const tls_keys>& keys, tls_side side);

  int value() const noexcept { return fd_.value(); }
  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  void reset() noexcept {
    tls_.reset();
    fd_.reset();
  }

  io_result read(std::span<std::byte> into) {
    if (!tls_) return read_some(fd_.value(), into);
    iovec part{into.data(), into.size()};
    return read_tls(std::span(&part, 1));
  }
  io_result read(std::span<iovec> parts) { return tls_ ? read_tls(parts) : read_some(fd_.value(), parts); }
  io_result write(std::span<const std::byte> from) {
    if (!tls_) return write_some(fd_.value(), from);
    iovec part{const_cast<std::byte*>(from.data()), from.size()};
    return write_tls(std::span(&part, 1));
  }
  /// What was offered and not taken must be offered again by the next write, which may offer more behind it.
  io_result write(std::span<iovec> parts) { return tls_ ? write_tls(parts) : write_some(fd_.value(), parts); }

  /// The next read may have something although the socket has nothing: poll does not tell.
  bool has_unread() const noexcept { return tls_ && has_unread_tls(); }
  /// What to wait for (POLLIN or POLLOUT, which are also epoll's numbers) before the next read or write.
  short awaited_by_read() const noexcept { return tls_ ? awaited(true) : POLLIN; }
  short awaited_by_write() const noexcept { return tls_ ? awaited(false) : POLLOUT; }

 private:
  io_result read_tls(std::span<iovec> parts);
  io_result write_tls(std::span<iovec> parts);
  bool has_unread_tls() const noexcept;
  short awaited(bool by_read) const noexcept;

  unique_fd fd_;
  std::unique_ptr<tls_stream, tls_stream_end> tls_;
};

}  // namespace hawser::net
