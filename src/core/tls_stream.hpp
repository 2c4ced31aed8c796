// Inside of tls.cpp: OpenSSL's objects of a secret, and of one connection.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/hmac.hpp>

#include "channel.hpp"

namespace hawser::net {

class tls_keys {
 public:
  tls_keys(std::string_view secret, service purpose, std::uint64_t records_per_key);
  tls_keys(const tls_keys&) = delete;
  tls_keys& operator=(const tls_keys&) = delete;

  std::uint64_t records_per_key() const noexcept { return records_per_key_; }
  /// The pre-shared key's name; a key of one service is none of another.
  const std::string& identity() const noexcept { return identity_; }
  /// The key as OpenSSL wants it, the caller's; null where memory ran out.
  SSL_SESSION* session(SSL* of) const;
  SSL_CTX* context() const noexcept { return context_.get(); }
  BIO_METHOD* method() const noexcept { return method_.get(); }

 private:
  std::uint64_t records_per_key_;
  std::string identity_;
  digest key_;
  std::unique_ptr<BIO_METHOD, void (*)(BIO_METHOD*)> method_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

class tls_stream {
 public:
  tls_stream(std::shared_ptr<const tls_keys> keys, int fd, tls_side side);
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  io_result read(std::span<iovec> parts);
  io_result write(std::span<iovec> parts);
  bool has_unread() const noexcept;
  short awaited_by_read() const noexcept { return awaited_by_read_; }
  short awaited_by_write() const noexcept { return awaited_by_write_; }

  // OpenSSL's reads and writes of the socket: 1 where bytes moved.
  int take(BIO* bio, char* into, std::size_t size, std::size_t* got);
  int put(BIO* bio, const char* from, std::size_t size, std::size_t* put);

 private:
  io_result explain(int returned, short& awaits);
  io_result get_ready(short& awaits);
  std::span<const std::byte> gather(std::span<iovec> parts, std::size_t skipped);

  std::shared_ptr<const tls_keys> keys_;
  int fd_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  std::vector<std::byte> input_;  // what the socket gave and OpenSSL has not taken: from first_ to last_
  std::size_t first_ = 0, last_ = 0;
  std::vector<std::byte> record_;
  std::uint64_t records_ = 0;  // written by this key
  short awaited_by_read_ = POLLIN, awaited_by_write_ = POLLOUT;
  bool is_ready_ = false;          // the handshake has ended
  bool has_moved_ = false;         // the last read did not end for want of bytes
  bool is_write_pending_ = false;  // OpenSSL wants the same bytes again
  bool is_closed_ = false;         // the socket
  bool has_ended_ = false;         // nothing moves any more
  int code_ = 0;  // errno of the socket
};

}  // namespace hawser::net
