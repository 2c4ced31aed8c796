// TLS by OpenSSL over the sockets of channel.hpp; without OpenSSL an error that says so.
#include <cerrno>

#include <hawser/core/error.hpp>

#include "channel.hpp"

#ifdef HAWSER_HAS_OPENSSL
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "tls_stream.hpp"

namespace hawser::net {
namespace {

/// The only cipher suite: its hash is that of the key.
constexpr unsigned char suite[] = {0x13, 0x01};  // TLS_AES_128_GCM_SHA256
constexpr const char* suite_name = "TLS_AES_128_GCM_SHA256";
constexpr std::size_t record_bytes = 16384;
constexpr std::size_t most_moved = std::size_t{1} << 20;      // by one read or write, so that others get their turn
constexpr std::size_t greeting_input = 4096;                  // of a connection that has proven nothing
constexpr std::size_t input_bytes = std::size_t{64} << 10;    // of one that has: several records per system call

/// That a handshake has failed for want of the same key, as either side learns it.
bool is_about_key(int reason) {
  return reason == SSL_R_BINDER_DOES_NOT_VERIFY || reason == SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER ||
         reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE || reason == SSL_R_TLSV1_ALERT_DECRYPT_ERROR;
}

[[noreturn]] void fail_openssl(const std::string& what) {
  char text[256] = "no reason given";
  if (const unsigned long code = ERR_get_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  fail(errc::resource, "cannot set up TLS", what + ": " + text);
}

tls_stream& stream_of(BIO* bio) {
  return *static_cast<tls_stream*>(BIO_get_data(bio));
}

int read_bio(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  return stream_of(bio).take(bio, into, size, got);
}

int write_bio(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
  return stream_of(bio).put(bio, from, size, put);
}

long control_bio(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const tls_keys& keys_of(SSL* of) {
  return *static_cast<const tls_keys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(of)));
}

int offer_key(SSL* of, const EVP_MD*, const unsigned char** identity, std::size_t* size, SSL_SESSION** session) {
  const std::string& name = keys_of(of).identity();
  *identity = reinterpret_cast<const unsigned char*>(name.data());
  *size = name.size();
  *session = keys_of(of).session(of);
  return *session ? 1 : 0;
}

int find_key(SSL* of, const unsigned char* identity, std::size_t size, SSL_SESSION** session) {
  const std::string& name = keys_of(of).identity();
  const bool is_known = size == name.size() && std::memcmp(identity, name.data(), size) == 0;
  *session = is_known ? keys_of(of).session(of) : nullptr;  // none: the handshake fails, there is no certificate
  return 1;
}

}  // namespace

tls_keys::tls_keys(std::string_view secret, service purpose, std::uint64_t records_per_key)
    : records_per_key_(records_per_key),
      identity_(purpose == service::store ? "hawser store" : "hawser transport"),
      key_(hmac_sha256(as_bytes(secret), as_bytes("hawser tls 1 " + identity_))),
      method_(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hawser socket"), &BIO_meth_free),
      context_(SSL_CTX_new(TLS_method()), &SSL_CTX_free) {
  if (!method_ || !context_) fail_openssl("no memory");
  BIO_meth_set_read_ex(method_.get(), &read_bio);
  BIO_meth_set_write_ex(method_.get(), &write_bio);
  BIO_meth_set_ctrl(method_.get(), &control_bio);
  SSL_CTX* const made = context_.get();
  SSL_CTX_set_app_data(made, this);
  if (SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) != 1 || SSL_CTX_set_ciphersuites(made, suite_name) != 1)
    fail_openssl("TLS 1.3 with AES-GCM");
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made, 0);
  SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_psk_use_session_callback(made, &offer_key);
  SSL_CTX_set_psk_find_session_callback(made, &find_key);
}

SSL_SESSION* tls_keys::session(SSL* of) const {
  SSL_SESSION* const made = SSL_SESSION_new();
  const SSL_CIPHER* const cipher = SSL_CIPHER_find(of, suite);
  const auto* const key = reinterpret_cast<const unsigned char*>(key_.data());
  if (made && cipher && SSL_SESSION_set1_master_key(made, key, key_.size()) == 1 &&
      SSL_SESSION_set_cipher(made, cipher) == 1 && SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1)
    return made;
  SSL_SESSION_free(made);
  return nullptr;
}

tls_stream::tls_stream(std::shared_ptr<const tls_keys> keys, int fd, tls_side side)
    : keys_(std::move(keys)), fd_(fd), ssl_(SSL_new(keys_->context()), &SSL_free), input_(greeting_input) {
  BIO* const bio = ssl_ ? BIO_new(keys_->method()) : nullptr;
  if (!bio) fail_openssl("no memory");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  side == tls_side::connects ? SSL_set_connect_state(ssl_.get()) : SSL_set_accept_state(ssl_.get());
  // A certificate is no proof: none is trusted.
  if (side == tls_side::connects) SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER, nullptr);
}

int tls_stream::take(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  if (first_ == last_) {
    const io_result done = read_some(fd_, std::span(input_));
    if (done.status == io_status::would_block) BIO_set_retry_read(bio);
    if (done.status == io_status::closed) is_closed_ = true;
    if (done.status == io_status::failed) code_ = done.code;
    if (done.status != io_status::moved) return 0;
    first_ = 0;
    last_ = done.count;
  }
  *got = std::min(size, last_ - first_);
  std::memcpy(into, input_.data() + first_, *got);
  first_ += *got;
  return 1;
}

int tls_stream::put(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
  BIO_clear_retry_flags(bio);
  const io_result done = write_some(fd_, hawser::as_bytes(std::string_view(from, size)));
  if (done.status == io_status::would_block) BIO_set_retry_write(bio);
  if (done.status == io_status::failed) code_ = done.code;
  *put = done.count;
  return done.status == io_status::moved ? 1 : 0;
}

/// What an unsuccessful call of OpenSSL means; `awaits`: where it waits, for what.
io_result tls_stream::explain(int returned, short& awaits) {
  const int why = SSL_get_error(ssl_.get(), returned);
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (why == SSL_ERROR_WANT_READ) return awaits = POLLIN, io_result{};
  if (why == SSL_ERROR_WANT_WRITE) return awaits = POLLOUT, io_result{};
  has_ended_ = true;
  if (why == SSL_ERROR_ZERO_RETURN || is_closed_) return {io_status::closed, 0, 0};
  if (code_ != 0) return {io_status::failed, 0, code_};
  return {io_status::failed, 0, is_about_key(ERR_GET_REASON(error)) ? EKEYREJECTED : EPROTO};
}

io_result tls_stream::get_ready(short& awaits) {
  if (is_ready_) return {io_status::moved, 0, 0};
  ERR_clear_error();
  if (const int returned = SSL_do_handshake(ssl_.get()); returned != 1) return explain(returned, awaits);
  if (SSL_session_reused(ssl_.get()) != 1) return {io_status::failed, 0, EKEYREJECTED};  // not by the key
  is_ready_ = true;
  std::vector<std::byte> larger(input_bytes);
  std::copy(input_.begin() + static_cast<std::ptrdiff_t>(first_), input_.begin() + static_cast<std::ptrdiff_t>(last_),
            larger.begin());
  last_ -= first_;
  first_ = 0;
  input_.swap(larger);
  return {io_status::moved, 0, 0};
}

io_result tls_stream::read(std::span<iovec> parts) {
  awaited_by_read_ = POLLIN;
  has_moved_ = false;
  if (const io_result greeted = get_ready(awaited_by_read_); greeted.status != io_status::moved) return greeted;
  std::size_t total = 0;
  for (iovec& part : parts)
    for (std::size_t at = 0; at < part.iov_len && total < most_moved;) {
      std::size_t got = 0;
      ERR_clear_error();
      const int returned = SSL_read_ex(ssl_.get(), static_cast<char*>(part.iov_base) + at, part.iov_len - at, &got);
      if (returned != 1) {
        const io_result why = explain(returned, awaited_by_read_);
        if (total == 0) return why;
        // An end is told by the next read, which finds it again.
        has_moved_ = why.status != io_status::would_block;
        return {io_status::moved, total, 0};
      }
      at += got;
      total += got;
      has_moved_ = true;
    }
  return {io_status::moved, total, 0};
}

/// The bytes of the next record: those of the first part where they fill it, else as many parts as do, copied.
std::span<const std::byte> tls_stream::gather(std::span<iovec> parts, std::size_t skipped) {
  std::size_t filled = 0;
  for (const iovec& part : parts) {
    if (skipped >= part.iov_len) {
      skipped -= part.iov_len;
      continue;
    }
    const std::span<const std::byte> rest(static_cast<const std::byte*>(part.iov_base) + skipped,
                                          part.iov_len - skipped);
    skipped = 0;
    if (filled == 0 && rest.size() >= record_bytes) return rest.first(record_bytes);
    record_.resize(record_bytes);
    const std::size_t piece = std::min(rest.size(), record_bytes - filled);
    std::memcpy(record_.data() + filled, rest.data(), piece);
    filled += piece;
    if (filled == record_bytes) break;
  }
  return std::span<const std::byte>(record_).first(filled);
}

io_result tls_stream::write(std::span<iovec> parts) {
  awaited_by_write_ = POLLOUT;
  if (const io_result greeted = get_ready(awaited_by_write_); greeted.status != io_status::moved) return greeted;
  std::size_t total = 0;
  while (total < most_moved) {
    const std::span<const std::byte> next = gather(parts, total);
    if (next.empty()) break;
    if (records_ >= keys_->records_per_key() && !is_write_pending_) {
      records_ = 0;
      if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return {io_status::failed, 0, EPROTO};
    }
    std::size_t put = 0;
    ERR_clear_error();
    const int returned = SSL_write_ex(ssl_.get(), next.data(), next.size(), &put);
    is_write_pending_ = returned != 1;
    if (returned != 1) {
      const io_result why = explain(returned, awaited_by_write_);
      return total > 0 && why.status == io_status::would_block ? io_result{io_status::moved, total, 0} : why;
    }
    ++records_;
    total += put;
  }
  return {io_status::moved, total, 0};
}

bool tls_stream::has_unread() const noexcept {
  return has_moved_ && (first_ < last_ || SSL_pending(ssl_.get()) > 0 || has_ended_);
}

bool has_tls() noexcept {
  return true;
}

std::shared_ptr<const tls_keys> make_tls_keys(std::string_view secret, service purpose, std::uint64_t records_per_key) {
  if (secret.empty())
    fail(errc::authentication, "TLS is asked for without a secret", "its keys are made from the job's secret",
         "set HAWSER_SECRET_FILE");
  return std::make_shared<const tls_keys>(secret, purpose, records_per_key);
}

channel::channel(unique_fd fd, const std::shared_ptr<const tls_keys>& keys, tls_side side) : fd_(std::move(fd)) {
  if (keys && fd_) tls_.reset(new tls_stream(keys, fd_.value(), side));
}
io_result channel::read_tls(std::span<iovec> parts) {
  return tls_->read(parts);
}
io_result channel::write_tls(std::span<iovec> parts) {
  return tls_->write(parts);
}
bool channel::has_unread_tls() const noexcept {
  return tls_->has_unread();
}
short channel::awaited(bool by_read) const noexcept {
  return by_read ? tls_->awaited_by_read() : tls_->awaited_by_write();
}
void tls_stream_end::operator()(tls_stream* ended) const noexcept {
  delete ended;
}

}  // namespace hawser::net

#else

namespace hawser::net {

class tls_stream {};

bool has_tls() noexcept {
  return false;
}

std::shared_ptr<const tls_keys> make_tls_keys(std::string_view, service, std::uint64_t) {
  fail(errc::unsupported, "TLS is asked for (HAWSER_TLS, has_tls)", "hawser was built without OpenSSL",
       "install libssl-dev and build again, or do without TLS");
}

channel::channel(unique_fd fd, const std::shared_ptr<const tls_keys>&, tls_side) : fd_(std::move(fd)) {}
io_result channel::read_tls(std::span<iovec>) {
  return {io_status::failed, 0, EPROTO};
}
io_result channel::write_tls(std::span<iovec>) {
  return {io_status::failed, 0, EPROTO};
}
bool channel::has_unread_tls() const noexcept {
  return false;
}
short channel::awaited(bool by_read) const noexcept {
  return by_read ? POLLIN : POLLOUT;
}
void tls_stream_end::operator()(tls_stream* ended) const noexcept {
  delete ended;
}

}  // namespace hawser::net

#endif
