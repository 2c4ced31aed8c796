// The store server's event loop, its connections and its failure detector; the protocol is in store_protocol.cpp.
#include "store_server.hpp"
#include "silence.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>

namespace hawser::bootstrap {
namespace {

constexpr std::uint64_t listener_id = 0;
constexpr std::uint64_t wake_id = 1;
constexpr std::size_t most_greeting = 1024;                  // connections that have proven nothing yet
constexpr std::size_t output_limit = std::size_t{32} << 20;  // a client that does not read is not read from
constexpr std::size_t read_bytes = std::size_t{64} << 10;
constexpr int most_reads_per_round = 16;  // so that one busy client does not starve the others
constexpr milliseconds longest_tick{1000};
constexpr milliseconds longest_tick_of_agreements{100};  // their time-outs are looked at so often
constexpr milliseconds last_flush{500};                  // for the messages of a server that ends

net::unique_fd open_listener(const store_server_options& options) {
  const std::vector<net::address> candidates = net::resolve(options.address, options.port, true);
  for (std::size_t i = 0;; ++i) {
    const net::address& where = candidates[i];
    if (options.secret.empty() && !options.allow_empty_secret && !where.is_loopback())
      fail(errc::authentication, "the store cannot listen on " + where.print() + " without a secret",
           "anybody on the network could join the job",
           "set HAWSER_SECRET_FILE, or allow it with HAWSER_ALLOW_NO_SECRET=1");
    try {
      return net::listen_on(where);
    } catch (const error&) {
      if (i + 1 == candidates.size()) throw;
    }
  }
}

}  // namespace

store_server::implementation::implementation(store_server_options options)
    : implementation(std::move(options), inheritance{.stores_before = 0}) {}

store_server::implementation::implementation(store_server_options options, inheritance inherited)
    : options_(std::move(options)),
      listener_(std::move(inherited.listener)),
      state_(std::max(options_.size, 1), options_.memory_limit, inherited.stores_before),
      standbys_(std::move(inherited.standbys)),
      stores_before_(inherited.stores_before) {
  if (options_.size < 1) fail(errc::invalid_argument, "a store for " + std::to_string(options_.size) + " ranks");
  if (options_.peer_timeout.count() < 1) fail(errc::invalid_argument, "the peer time-out must be positive");
  if (options_.has_tls) keys_ = net::make_tls_keys(options_.secret, service::store);
  state_.inherit(inherited.known);
  if (stores_before_ > 0) {
    grace_ends_ = clock::now() + inherited.grace;
    probe_missing();
  }
  if (!listener_) listener_ = open_listener(options_);
  port_ = net::local_address(listener_.value()).port();
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !wake_) net::fail_errno(errno, "cannot start the store");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_id;
  ::epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, wake_.value(), &event);
  set_accepting(true);
  thread_ = std::thread([this] { run(); });
}

store_server::implementation::~implementation() {
  close(milliseconds{-1});
}

void store_server::implementation::close(milliseconds linger) {
  if (!thread_.joinable()) return;
  linger_ms_ = linger.count();
  is_stopping_ = true;
  ::eventfd_write(wake_.value(), 1);
  thread_.join();
  for (auto& [id, each] : connections_) net::shut_down(each.fd.value());
  connections_.clear();
  listener_.reset();
}

int store_server::implementation::tick_ms() const noexcept {
  milliseconds shortest = std::min({options_.peer_timeout / 8, options_.handshake_timeout / 4, longest_tick});
  if (is_stopping_ || !probes_.is_empty()) shortest = std::min(shortest, milliseconds{10});  // the end may be near
  if (agreements_.has_open()) shortest = std::min(shortest, longest_tick_of_agreements);
  return static_cast<int>(std::max<std::int64_t>(shortest.count(), 1));
}

void store_server::implementation::run() {
  std::array<epoll_event, 64> events;
  clock::time_point last_round = clock::now(), stopping_since{};
  for (;;) {
    const int count = ::epoll_wait(epoll_.value(), events.data(), static_cast<int>(events.size()),
                                   unread_.empty() ? tick_ms() : 0);
    const clock::time_point now = clock::now();
    // After a pause of this process itself (a stopped host) its clients deserve a fresh period of grace.
    if (now - last_round > options_.peer_timeout / 2)
      for (auto& [id, each] : connections_) each.last_heard = now;
    last_round = now;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == listener_id) {
        accept_all();
      } else if (event.data.u64 == wake_id) {
        eventfd_t ignored;
        ::eventfd_read(wake_.value(), &ignored);
      } else {
        on_event(event.data.u64, event.events);
      }
    }
    if (!unread_.empty()) read_unread();
    check_deadlines();
    check_missing();
    decide_agreements();
    reap();
    if (!is_stopping_) continue;
    if (linger_ms_ < 0) return;
    if (stopping_since == clock::time_point{}) stopping_since = now;
    if (!state_.has_active() || now - stopping_since >= milliseconds(linger_ms_)) return end_gracefully();
  }
}

/// Tells the members that remain, and gives what is queued a moment to get out.
void store_server::implementation::end_gracefully() {
  for (auto& [id, each] : connections_)
    if (!each.greeting) queue(each, wire::writer(wire::message::closing).finish());
  const auto deadline = clock::now() + last_flush;
  const auto has_unsent = [&] {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& each) { return !each.second.greeting && each.second.unsent() > 0; });
  };
  std::array<epoll_event, 64> events;
  while (has_unsent() && clock::now() < deadline) {
    const int count = ::epoll_wait(epoll_.value(), events.data(), static_cast<int>(events.size()), tick_ms());
    for (int i = 0; i < count; ++i)
      if (const auto found = connections_.find(events[static_cast<std::size_t>(i)].data.u64);
          found != connections_.end())
        flush(found->second);
    reap();
  }
}

void store_server::implementation::set_accepting(bool is_accepting) {
  if (is_accepting == is_accepting_) return;
  is_accepting_ = is_accepting;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = listener_id;
  ::epoll_ctl(epoll_.value(), is_accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_.value(), &event);
}

void store_server::implementation::accept_all() {
  while (greeting_ < most_greeting) {
    net::unique_fd fd = net::accept_from(listener_.value());
    if (!fd) {
      // Out of descriptors: the listener stays readable, so rest until the next round of deadlines.
      if (errno != EAGAIN && errno != EWOULDBLOCK) set_accepting(false);
      return;
    }
    connection& added = connections_[next_id_];
    added.id = next_id_++;
    added.fd = net::channel(std::move(fd), keys_, net::tls_side::accepts);
    added.greeting = handshake::accept(options_.secret, service::store);
    added.last_heard = clock::now();
    ++greeting_;
    epoll_event event{};
    event.data.u64 = added.id;
    ::epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, added.fd.value(), &event);
    update_interest(added);
  }
  set_accepting(false);
}

void store_server::implementation::check_deadlines() {
  const auto now = clock::now();
  for (auto& [id, each] : connections_) {
    if (!each.fd) continue;
    const auto silence = now - each.last_heard;
    if (each.greeting || each.closes_when_flushed) {
      if (silence > options_.handshake_timeout) drop(each);
    } else if (each.is_member) {
      check_member(each, silence);
    }
  }
  if (greeting_ < most_greeting) set_accepting(true);
}

/// Half way to the time-out it is sent something, so that its host has something to acknowledge.
void store_server::implementation::check_member(connection& each, clock::duration silence) {
  if (silence > options_.peer_timeout / 2 && !std::exchange(each.is_probed, true))
    queue(each, wire::writer(wire::message::heartbeat).finish());
  if (!each.fd || silence <= options_.peer_timeout) return;
  const auto [kind, words] = judge_silence(each.fd.value());
  fail_member(each, "no sign of life for " + to_string(seconds(options_.peer_timeout)) + words, kind);
  each.closes_when_flushed = true;
  each.last_heard = clock::now();  // the time to take what was queued
  flush(each);
}

void store_server::implementation::on_event(std::uint64_t id, std::uint32_t events) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || !found->second.fd) return;
  connection& each = found->second;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) flush(each);
  // TLS may read to write, and write to read.
  if (each.fd && ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || each.fd.awaited_by_read() != POLLIN)) read_from(each);
}

void store_server::implementation::read_unread() {
  for (const std::uint64_t id : std::exchange(unread_, {}))
    if (const auto found = connections_.find(id); found != connections_.end() && found->second.fd)
      read_from(found->second);
}

void store_server::implementation::read_from(connection& from) {
  std::array<std::byte, read_bytes> buffer;
  for (int i = 0; i < most_reads_per_round && from.fd && from.unsent() < output_limit; ++i) {
    // A peer that has proven nothing is read piece by piece, as far as the handshake wants.
    const std::size_t wanted = from.greeting ? from.greeting->wanted() : buffer.size();
    const net::io_result got = from.fd.read(std::span(buffer).first(wanted));
    if (got.status == net::io_status::would_block) return update_interest(from);
    if (got.status != net::io_status::moved) {
      if (from.is_member)
        fail_member(from, "its process closed the connection without leaving (killed or crashed)", failure_kind::dead);
      return drop(from);
    }
    if (from.closes_when_flushed) continue;
    if (from.greeting) {
      from.greeting->feed(std::span(buffer).first(got.count));
      if (!greet(from)) return;
      continue;
    }
    from.last_heard = clock::now();
    from.is_probed = false;
    if (!lost_links_.empty()) testify(from);
    from.input.append(reinterpret_cast<const char*>(buffer.data()), got.count);
    try {
      while (const auto body = from.input.next()) handle(from, *body);
    } catch (const error& malformed) {
      if (from.is_member)
        fail_member(from, std::string("it broke the store's protocol: ") + malformed.what(), failure_kind::unknown);
      return drop(from);
    }
  }
  update_interest(from);
}

void store_server::implementation::queue(connection& to, std::string_view bytes) {
  if (!to.fd) return;
  to.output.append(bytes);
  flush(to);
}

void store_server::implementation::flush(connection& to) {
  while (to.fd && to.unsent() > 0) {
    const net::io_result put =
        to.fd.write(hawser::as_bytes(std::string_view(to.output).substr(to.sent)));
    if (put.status == net::io_status::would_block) break;
    // A broken connection is found, and judged, by reading: what the peer sent before its end still counts. Also where
    // only this write has failed.
    if (put.status == net::io_status::failed) net::shut_down(to.fd.value());
    to.sent = put.status == net::io_status::moved ? to.sent + put.count : to.output.size();
  }
  if (to.unsent() == 0) {
    to.output.clear();
    to.sent = 0;
    if (to.closes_when_flushed) return drop(to);
  } else if (to.sent > read_bytes && to.sent * 2 > to.output.size()) {
    to.output.erase(0, to.sent);
    to.sent = 0;
  }
  update_interest(to);
}

void store_server::implementation::update_interest(connection& of) {
  if (!of.fd) return;
  const bool reads = of.unsent() < output_limit;
  if (reads && of.fd.has_unread()) unread_.push_back(of.id);
  const auto interest = (reads ? static_cast<std::uint32_t>(of.fd.awaited_by_read()) : 0) |
                        (of.unsent() > 0 ? static_cast<std::uint32_t>(of.fd.awaited_by_write()) : 0);
  if (interest == of.interest) return;
  of.interest = interest;
  epoll_event event{};
  event.events = interest;
  event.data.u64 = of.id;
  ::epoll_ctl(epoll_.value(), EPOLL_CTL_MOD, of.fd.value(), &event);
}

void store_server::implementation::drop(connection& gone) {
  if (!gone.fd) return;
  if (gone.greeting) --greeting_;
  net::shut_down(gone.fd.value());
  gone.fd.reset();
  gone.is_member = false;
  state_.forget(gone.id);
  std::erase_if(rendezvous_, [&](const waiting_request& each) { return each.connection == gone.id; });
  std::erase(lobby_, gone.peer);
  admissions_.erase(gone.peer.value);
  dropped_.push_back(gone.id);
}

void store_server::implementation::reap() {
  for (const std::uint64_t id : dropped_) connections_.erase(id);
  dropped_.clear();
}

store_server::store_server(store_server_options options)
    : self_(std::make_unique<implementation>(std::move(options))) {}
store_server::~store_server() = default;
store_server::store_server(std::unique_ptr<implementation> self) : self_(std::move(self)) {}
int store_server::port() const noexcept {
  return self_->port();
}
void store_server::close(milliseconds linger) {
  self_->close(std::max(linger, milliseconds{0}));
}

}  // namespace hawser::bootstrap
