// The TCP transport's calls, its round of progress, and how a peer ends.
#include "tcp_engine.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <hawser/core/fault_points.hpp>

namespace hawser::transport {
namespace {

constexpr std::size_t scratch_bytes = std::size_t{256} << 10;  // fits a core's second-level cache
/// With nothing pending, only every so many rounds of progress look for new connections and for the ends of old ones: a
/// rank that polls for its neighbours on the host need not make a system call each time.
constexpr int rounds_without_looking = 16;
constexpr std::size_t least_buffer_limit = std::size_t{64} << 10;

}  // namespace

tcp_transport::engine::engine(const endpoint_environment& environment, tcp_options options)
    : options_(options),
      self_(environment.self),
      size_(environment.size),
      look_up_(environment.look_up),
      secret_(environment.secret),
      keys_(environment.has_tls ? net::make_tls_keys(environment.secret, service::transport) : nullptr),
      connect_timeout_(environment.peer_timeout),
      peer_timeout_(environment.peer_timeout),
      buffer_limit_(std::clamp(environment.memory_budget / static_cast<std::size_t>(std::max(environment.size, 1)),
                               least_buffer_limit, match_queue::default_buffer_limit)),
      next_visitor_(first_visitor),
      scratch_(scratch_bytes) {
  if (!detail::is_struck(fault_point::open_descriptor)) epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) net::fail_errno(errno, "cannot open a TCP endpoint");
  listen(environment);
}

tcp_transport::engine::~engine() {
  shutdown();
}

tcp_transport::engine::peer& tcp_transport::engine::peer_of(rank who) {
  if (const auto known = peers_.find(who.value); known != peers_.end()) return *known->second;
  auto made = std::make_unique<peer>(who, buffer_limit_, pending_);  // before the entry: one without a peer must not stay
  return *peers_.emplace(who.value, std::move(made)).first->second;
}

/// Connects where that is this side's part. The lower rank waits: its peer connects when it takes part itself.
void tcp_transport::engine::use(peer& each) {
  if (each.now != stage::idle) return;
  if (each.who == self_ || each.who.value < 0 || each.who.value >= size_)
    return fail_peer(each, {errc::invalid_argument, each.who,
                            describe("rank " + to_string(each.who) + " cannot be reached over TCP",
                                     each.who == self_ ? "it is this rank" : "there is no such rank")});
  if (self_ > each.who) connect(each);
}

void tcp_transport::engine::send(rank to, tag match, std::span<const std::byte> bytes, completion& done) {
  if (closed_) return done.done(done, &*closed_);
  peer& each = peer_of(to);
  use(each);
  if (each.now == stage::lost) return done.done(done, &*each.why_lost);
  outgoing& added = each.sends.emplace_back();
  ++pending_;
  const std::uint64_t fields[2] = {match.packed(), bytes.size()};
  for (std::size_t i = 0; i < head_bytes; ++i) added.start[i] = static_cast<std::byte>(fields[i / 8] >> (8 * (i % 8)));
  added.bytes = bytes;
  added.done = &done;
  if (each.now == stage::open && !each.is_blocked) mark_dirty(each);
}

void tcp_transport::engine::receive(rank from, tag match, sink into, completion& done) {
  if (closed_) return done.done(done, &*closed_);
  peer& each = peer_of(from);
  use(each);
  each.queue.post(match, into, done);
  if (each.queue.outstanding() == 0) return;
  // What arrived before the end of a connection can still be received; nothing else will come.
  if (each.now == stage::lost) return each.queue.fail_all(failure(*each.why_lost));
  if (each.now == stage::open && (!(each.interest & EPOLLIN) || each.fd.has_unread())) watch(each);
}

void tcp_transport::engine::mark_dirty(peer& each) {
  if (std::exchange(each.is_dirty, true)) return;
  dirty_.push_back(&each);
}

void tcp_transport::engine::flush_dirty() {
  std::swap(dirty_, flushing_);
  for (peer* each : flushing_) {
    each->is_dirty = false;
    if (each->now == stage::open) write(*each);
  }
  flushing_.clear();
}

void tcp_transport::engine::read_unread() {
  std::swap(unread_, reading_);
  for (peer* each : reading_) {
    each->is_unread = false;
    if (each->now == stage::open && each->fd.has_unread()) read(*each);
  }
  reading_.clear();
}

bool tcp_transport::engine::may_look_away() noexcept {
  if (pending_ == 0 && ++looked_away_ < rounds_without_looking) return true;
  looked_away_ = 0;
  return false;
}

/// Who blocks next does so because of what the kernel may have to say.
bool tcp_transport::engine::arm() noexcept {
  looked_away_ = rounds_without_looking;
  is_look_due_ = is_look_due_ || is_look_due();
  return dirty_.empty() && unread_.empty() && !is_look_due_;
}

bool tcp_transport::engine::progress() {
  if (closed_) return false;
  has_moved_ = false;
  if (is_look_due_) look_at_links();
  if (!unread_.empty()) read_unread();
  flush_dirty();
  // An answer to what has just gone out is not there yet: the next round looks, whatever that one sends.
  if (has_moved_ && !std::exchange(has_only_sent_, true)) return true;
  has_only_sent_ = false;
  if (may_look_away()) return has_moved_;
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(epoll_.value(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count && !closed_; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    on_event(event.data.u64, event.events);
  }
  flush_dirty();  // what completions have posted
  return has_moved_;
}

void tcp_transport::engine::on_event(std::uint64_t key, std::uint32_t events) {
  if (key == listener_key) return accept_all();
  if (key == timer_key) return on_timer();
  if (key >= first_visitor) return on_visitor(key);
  peer& each = peer_of(static_cast<std::int32_t>(key));
  if (each.now == stage::connecting) return on_connected(each);
  if (each.now == stage::greeting) return on_greeting(each);
  if (each.now == stage::open && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) read(each);
  if (each.now == stage::open && (events & EPOLLOUT)) write(each);
}

/// Sets what the epoll set reports; nothing at all means that even a broken connection is not reported, else a
/// connection that nobody reads would wake the owner without end.
bool tcp_transport::engine::watch(int fd, std::uint64_t key, std::uint32_t& current, std::uint32_t wanted) {
  if (current == wanted) return true;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = key;
  const int operation = current == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  current = wanted;
  return ::epoll_ctl(epoll_.value(), operation, fd, &event) == 0;
}

void tcp_transport::engine::watch(peer& each) {
  const bool reads = each.queue.wants_data();
  if (reads && each.fd.has_unread() && !std::exchange(each.is_unread, true)) unread_.push_back(&each);
  const std::uint32_t wanted = (reads ? std::uint32_t{EPOLLIN} : 0) | (each.is_blocked ? std::uint32_t{EPOLLOUT} : 0);
  if (!watch(each.fd.value(), static_cast<std::uint64_t>(each.who.value), each.interest, wanted))
    lose(each, net::describe_errno(errno));
}

/// Also out of the epoll set, in which a descriptor stays as long as a forked child holds a copy of it.
void tcp_transport::engine::close(peer& each) {
  each.greeting.reset();
  if (!each.fd) return;
  watch(each.fd.value(), static_cast<std::uint64_t>(each.who.value), each.interest, 0);
  each.fd.reset();
}

void tcp_transport::engine::fail_peer(peer& each, const failure& why) {
  if (each.now != stage::lost) {
    has_moved_ = true;
    each.now = stage::lost;
    each.why_lost = why;
    net::shut_down(each.fd.value());
    close(each);
  }
  const std::deque<outgoing> dropped = std::exchange(each.sends, {});
  pending_ -= dropped.size();
  each.queue.fail_all(why);
  for (const outgoing& each_send : dropped) each_send.done->done(*each_send.done, &why);
}

/// The connection is of no use any more. What was received whole stays; everything that is pending fails.
void tcp_transport::engine::lose(peer& each, std::string_view reason) {
  const failure why{
      errc::peer_failed, each.who,
      describe("the connection to rank " + to_string(each.who) + " is lost", reason, "look at that rank's output")};
  if (each.queue.outstanding() > 0 || each.current) return fail_peer(each, why);
  has_moved_ = true;
  each.now = stage::lost;
  each.why_lost = why;
  close(each);
  const std::deque<outgoing> dropped = std::exchange(each.sends, {});
  pending_ -= dropped.size();
  for (const outgoing& each_send : dropped) each_send.done->done(*each_send.done, &why);
}

void tcp_transport::engine::peer_failed(const failure& why) {
  if (!closed_) fail_peer(peer_of(why.peer), why);
}

void tcp_transport::engine::shutdown() {
  if (closed_) return;
  closed_ = failure{errc::aborted, self_, "the TCP endpoint was shut down"};
  const failure why = *closed_;
  for (const auto& [number, each] : peers_) {
    if (each->now == stage::lost) continue;
    // Unread bytes at the close would reset the connection, and with it what the kernel has still to send.
    if (each->now == stage::open) {
      for (int i = 0; i < 64 && net::read_some(each->fd.value(), scratch_).status == net::io_status::moved;) ++i;
      close(*each);
    }
    fail_peer(*each, why);
  }
  visitors_.clear();
  listener_.reset();
  timer_.reset();
  dirty_.clear();
  unread_.clear();
}

tcp_transport::tcp_transport(const endpoint_environment& environment, tcp_options options)
    : self_(std::make_unique<engine>(environment, options)) {}
tcp_transport::~tcp_transport() = default;
void tcp_transport::send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  self_->send(peer, match, bytes, done);
}
void tcp_transport::receive(rank peer, tag match, sink into, completion& done) {
  self_->receive(peer, match, into, done);
}
bool tcp_transport::progress() {
  return self_->progress();
}
bool tcp_transport::arm() {
  return self_->arm();
}
int tcp_transport::wait_descriptor() const noexcept {
  return self_->wait_descriptor();
}
void tcp_transport::peer_failed(const failure& why) {
  self_->peer_failed(why);
}
void tcp_transport::shutdown() {
  self_->shutdown();
}

factory tcp_factory(tcp_options options) {
  factory made{"tcp", reach::network, true, [options](const endpoint_environment& environment) {
                 return any_transport(std::make_unique<tcp_transport>(environment, options));
               }};
  made.can_encrypt = true;
  return made;
}

}  // namespace hawser::transport
