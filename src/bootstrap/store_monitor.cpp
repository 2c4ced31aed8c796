// The store client's monitor thread: it owns the socket, sends heartbeats, receives answers and failure notices.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <hawser/core/error.hpp>
#include <hawser/core/hmac.hpp>
#include <hawser/core/units.hpp>

#include "silence.hpp"
#include "store_client.hpp"

namespace hawser::bootstrap {
namespace {

constexpr milliseconds last_flush{1000};  // what was queued may still leave when the object ends
constexpr int heartbeats_per_timeout = 4;

}  // namespace

void store_bootstrap::implementation::monitor() {
  do {
    clock::time_point last_heartbeat{}, last_heard = clock::now(), last_round = clock::now();
    while (monitor_once(last_heartbeat, last_heard)) {
      const auto now = clock::now();
      // After a pause of this process itself the store deserves a fresh period of grace.
      if (now - last_round > peer_timeout_ / 2) last_heard = now;
      last_round = now;
      if (now - last_heard <= peer_timeout_) continue;
      const auto [kind, words] = judge_silence(fd_.value());
      lose("the store gave no sign of life for " + to_string(seconds(peer_timeout_)) + words, kind);
      break;
    }
  } while (recover());
}

/// One round; false when the thread is to end.
bool store_bootstrap::implementation::monitor_once(clock::time_point& last_heartbeat, clock::time_point& last_heard) {
  bool is_ending = false;
  {
    std::lock_guard lock(mutex_);
    outgoing_.append(output_);
    output_.clear();
    is_ending = is_ending_;
  }
  const auto period = peer_timeout_ / heartbeats_per_timeout;  // shorter after the welcome
  if (clock::now() >= last_heartbeat + period) {
    outgoing_.append(wire::writer(wire::message::heartbeat).finish());
    last_heartbeat = clock::now();
  }
  write_all();
  if (is_ending) {
    for (const auto deadline = clock::now() + last_flush; !outgoing_.empty() && clock::now() < deadline;) {
      pollfd writable{fd_.value(), POLLOUT, 0};
      if (::poll(&writable, 1, 100) < 0 && errno != EINTR) break;
      write_all();
    }
    return false;
  }
  if (fd_.has_unread()) return read_all(last_heard);
  const auto pause = std::chrono::ceil<milliseconds>(last_heartbeat + period - clock::now());
  pollfd events[2] = {{fd_.value(), static_cast<short>(outgoing_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                      {wake_.value(), POLLIN, 0}};
  if (::poll(events, 2, static_cast<int>(std::max<std::int64_t>(pause.count(), 0))) < 0 && errno != EINTR)
    return lose("poll failed: " + net::describe_errno(errno), failure_kind::unknown), false;
  if (events[1].revents) {
    eventfd_t ignored;
    ::eventfd_read(wake_.value(), &ignored);
  }
  return events[0].revents == 0 || read_all(last_heard);
}

void store_bootstrap::implementation::write_all() {
  std::size_t sent = 0;
  while (sent < outgoing_.size()) {
    const net::io_result put = fd_.write(hawser::as_bytes(std::string_view(outgoing_).substr(sent)));
    if (put.status == net::io_status::would_block) break;
    // The reading side judges a broken connection: a failure notice may be waiting there. That it is broken must be
    // seen there, also where only this write has failed (no memory): else a request would wait for nothing.
    if (put.status == net::io_status::failed) net::shut_down(fd_.value());
    sent = put.status == net::io_status::moved ? sent + put.count : outgoing_.size();
  }
  outgoing_.erase(0, sent);
}

bool store_bootstrap::implementation::read_all(clock::time_point& last_heard) {
  std::array<std::byte, 65536> buffer;
  for (;;) {
    const net::io_result got = fd_.read(buffer);
    if (got.status == net::io_status::would_block) return true;
    if (got.status != net::io_status::moved)
      return lose("the connection to the store closed, the process that runs it was killed or crashed",
                  failure_kind::dead),
             false;
    last_heard = clock::now();
    input_.append(reinterpret_cast<const char*>(buffer.data()), got.count);
    try {
      while (const auto body = input_.next()) handle(*body);
    } catch (const error& malformed) {
      return lose(std::string("the store broke its protocol: ") + malformed.what(), failure_kind::unknown), false;
    }
  }
}

void store_bootstrap::implementation::handle(std::string_view body) {
  wire::reader fields(body);
  switch (fields.type()) {
    case wire::message::heartbeat: return;
    case wire::message::welcome: return welcome(fields);
    case wire::message::answer:
    case wire::message::is_waiting: {
      const bool is_answer = wire::reader(body).type() == wire::message::answer;
      const auto id = fields.number<std::uint64_t>();
      std::lock_guard lock(mutex_);
      const auto found = requests_.find(id);
      if (found == requests_.end()) return;  // given up meanwhile
      (is_answer ? found->second.is_answered : found->second.is_waiting) = true;
      if (is_answer) found->second.status = fields.number<std::uint8_t>(), found->second.text = fields.text();
      return changed_.notify_all();
    }
    case wire::message::failure: {
      failure_notice notice;
      notice.code = static_cast<errc>(fields.number<std::uint8_t>());
      if (const auto peer = fields.number<std::int32_t>(); peer >= 0) notice.peer = rank(peer);
      notice.reason = fields.text();
      notice.kind = static_cast<failure_kind>(fields.number<std::uint8_t>());
      notice.scope = fields.text();
      notice.is_certain = fields.number<std::uint8_t>() != 0;
      return board_.post(std::move(notice));
    }
    case wire::message::closing: {
      std::lock_guard lock(mutex_);
      is_closing_ = true;
      return changed_.notify_all();
    }
    case wire::message::standbys: {
      std::lock_guard lock(mutex_);
      return learn_standbys(std::string(fields.text()));
    }
    default: fail(errc::mismatch, "an unknown message of the store");
  }
}

void store_bootstrap::implementation::welcome(wire::reader& fields) {
  peer_timeout_ = std::min(peer_timeout_, milliseconds(fields.number<std::uint32_t>()));
  std::lock_guard lock(mutex_);
  self_ = rank(fields.number<std::int32_t>());
  stores_before_ = std::max(stores_before_, static_cast<int>(fields.number<std::uint32_t>()));
  changed_.notify_all();
}

/// Whether a store has said that this rank has failed.
bool store_bootstrap::implementation::is_given_up() {
  const rank own = self();
  for (const failure_notice& known : board_.since(0))
    if (known.peer == own) return true;
  return false;
}

/// The connection is gone: unless that was to be expected, it is the failure of the rank that runs the server. The
/// notice comes first, so that a request that fails for this finds its reason. The board is never used with the lock
/// held, since it calls `wake` with its own lock held.
void store_bootstrap::implementation::lose(const std::string& reason, failure_kind kind) {
  bool is_expected = is_given_up();
  std::optional<rank> server;
  {
    std::lock_guard lock(mutex_);
    is_expected = is_expected || is_closing_ || has_left_;
    server = options_.server_rank;
  }
  const failure_notice notice{errc::peer_failed, server, reason, kind};
  if (!is_expected) board_.post(notice);
  std::lock_guard lock(mutex_);
  if (!is_expected) lost_ = notice;
  link_ = is_expected || is_ending_ || standbys_.empty() ? link::down : link::recovering;
  for (auto& [id, each] : requests_) each.is_cut = true;
  changed_.notify_all();
}

}  // namespace hawser::bootstrap
