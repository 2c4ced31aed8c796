// How a connection of the TCP transport comes about: listen, accept or connect, handshake, open.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/fault_points.hpp>

#include "tcp_engine.hpp"

namespace hawser::transport {
namespace {

constexpr std::size_t most_visitors = 1024;
constexpr std::chrono::milliseconds timer_period{250};

void set_option(int fd, int level, int name, int value) {
  static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));  // a hint, not a need
}

/// The network has no way to a host, which may be so for a moment: a link that has just come up, neighbours that are
/// not known yet.
bool has_no_way(int code) {
  return code == EHOSTUNREACH || code == ENETUNREACH || code == EHOSTDOWN;
}

std::uint32_t interest_of(const net::channel& fd, const handshake& greeting) {
  return static_cast<std::uint32_t>(greeting.output().empty() ? fd.awaited_by_read() : fd.awaited_by_write());
}

/// Moves the handshake on as far as the socket allows; the result tells why that is.
net::io_result drive(net::channel& fd, handshake& greeting) {
  std::array<std::byte, handshake::longest_message> buffer;
  for (;;) {
    net::io_result done;
    if (!greeting.output().empty()) {
      done = fd.write(greeting.output());
      if (done.status == net::io_status::moved) greeting.sent(done.count);
    } else if (greeting.wanted() > 0) {
      done = fd.read(std::span(buffer).first(greeting.wanted()));
      if (done.status == net::io_status::moved) greeting.feed(std::span(buffer).first(done.count));
    } else {
      return {net::io_status::moved, 0, 0};  // it waits for a decision, or has ended
    }
    if (done.status != net::io_status::moved) return done;
  }
}

}  // namespace

void tcp_transport::engine::listen(const endpoint_environment& environment) {
  const bool is_open_to_all = secret_.empty() && environment.interface.empty() && !options_.allow_empty_secret;
  const std::string host = is_open_to_all ? "127.0.0.1" : net::interface_address(environment.interface);
  const net::address where = net::resolve(host, 0, true).front();
  if (secret_.empty() && !options_.allow_empty_secret && !where.is_loopback())
    fail(errc::authentication, "the TCP transport cannot listen on " + host + " without a secret",
         "anybody on the network could join the job",
         "set HAWSER_SECRET_FILE, or allow it with HAWSER_ALLOW_NO_SECRET=1");
  listener_ = net::listen_on(where);
  if (!detail::is_struck(fault_point::open_descriptor))
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  std::uint32_t interest = 0;
  if (!timer_ || !watch(timer_.value(), timer_key, interest, EPOLLIN))
    net::fail_errno(errno, "cannot open a TCP endpoint");
  set_listening(true);
  environment.publish("tcp/" + to_string(self_), (where.is_any() ? net::interface_address("") : host) + " " +
                                                     std::to_string(net::local_address(listener_.value()).port()));
}

void tcp_transport::engine::set_listening(bool is_listening) {
  watch(listener_.value(), listener_key, listener_interest_, is_listening ? std::uint32_t{EPOLLIN} : 0);
}

/// Ticks while anything has a deadline.
void tcp_transport::engine::set_timer() {
  if (is_timer_set_) return;
  is_timer_set_ = true;
  itimerspec when{};
  when.it_value.tv_nsec = std::chrono::nanoseconds(timer_period).count();
  ::timerfd_settime(timer_.value(), 0, &when, nullptr);
}

void tcp_transport::engine::on_timer() {
  std::uint64_t ignored;
  static_cast<void>(!::read(timer_.value(), &ignored, sizeof ignored));
  is_timer_set_ = false;
  const auto now = clock::now();
  std::erase_if(visitors_, [&](const auto& entry) { return entry.second.deadline <= now; });
  if (visitors_.size() < most_visitors) set_listening(true);
  std::vector<peer*> late;
  bool is_waiting = !visitors_.empty();
  for (const auto& [number, each] : peers_) {
    if (each->now != stage::connecting) continue;
    if (now - each->began >= connect_timeout_)
      late.push_back(each.get());
    else
      is_waiting = true;
  }
  if (is_waiting) set_timer();
  for (peer* each : late) {
    pollfd answered{each->fd.value(), POLLOUT, 0};  // while this side did not look
    if (::poll(&answered, 1, 0) == 1)
      on_connected(*each);
    else
      lose(*each, each->address + " did not answer in time");
  }
}

void tcp_transport::engine::accept_all() {
  while (visitors_.size() < most_visitors) {
    net::unique_fd fd = net::accept_from(listener_.value());
    if (!fd) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      break;  // out of descriptors: the listener stays readable, so rest until the timer ticks
    }
    has_moved_ = true;
    const std::uint64_t id = next_visitor_++;
    visitor guest{net::channel(std::move(fd), keys_, net::tls_side::accepts), handshake::accept(secret_, service::transport),
                  clock::now() + options_.handshake_timeout, 0};
    visitor& added = visitors_.emplace(id, std::move(guest)).first->second;
    set_timer();
    if (!watch(added.fd.value(), id, added.interest, EPOLLIN)) visitors_.erase(id);
  }
  set_listening(false);
  set_timer();
}

void tcp_transport::engine::on_visitor(std::uint64_t id) {
  const auto found = visitors_.find(id);
  if (found == visitors_.end()) return;
  visitor& guest = found->second;
  has_moved_ = true;
  net::io_result done = drive(guest.fd, guest.greeting);
  if (guest.greeting.current() == handshake::state::deciding) {
    const std::string reason = refusal(guest.greeting.peer());
    guest.greeting.decide(reason.empty() ? verdict::accepted : verdict::refused, reason);
    done = drive(guest.fd, guest.greeting);
  }
  if (done.status == net::io_status::would_block)
    static_cast<void>(watch(guest.fd.value(), id, guest.interest, interest_of(guest.fd, guest.greeting)));
  else if (done.status == net::io_status::moved && guest.greeting.result() == verdict::accepted)
    admit(guest, id);
  if (done.status != net::io_status::would_block) visitors_.erase(id);
}

/// Why a connection that has proven the secret is not wanted; empty where it is.
std::string tcp_transport::engine::refusal(const introduction& who) const {
  if (who.to != self_) return "this is rank " + to_string(self_) + ", not rank " + to_string(who.to);
  if (who.size != size_) return "this job has " + std::to_string(size_) + " ranks, not " + std::to_string(who.size);
  if (who.from <= self_ || who.from.value >= size_) return "rank " + to_string(who.from) + " may not connect here";
  const auto known = peers_.find(who.from.value);
  if (known == peers_.end() || known->second->now == stage::idle) return {};
  if (known->second->now == stage::lost) return "rank " + to_string(who.from) + " has failed or gone";
  return "rank " + to_string(who.from) + " is connected already";
}

void tcp_transport::engine::admit(visitor& guest, std::uint64_t id) {
  watch(guest.fd.value(), id, guest.interest, 0);
  peer& each = peer_of(guest.greeting.peer().from);
  // The refusal may be older than the last bytes of the answer.
  if (each.now == stage::idle) open(each, std::move(guest.fd));
}

void tcp_transport::engine::connect(peer& each) {
  try {
    const std::string published = look_up_("tcp/" + to_string(each.who));
    const std::size_t space = published.find(' ');
    int port = 0;
    if (space != std::string::npos)
      std::from_chars(published.data() + space + 1, published.data() + published.size(), port);
    const net::address to = net::resolve(published.substr(0, space), port, false).front();
    each.address = to.print();
    each.fd = net::channel(net::begin_connect(to), keys_, net::tls_side::connects);
  } catch (const error& raised) {
    return fail_peer(each, {raised.code(), each.who, raised.what()});
  }
  if (!each.fd) return lose(each, each.address + ": " + net::describe_errno(errno));
  watch_over(each.fd.value());
  each.now = stage::connecting;
  each.began = clock::now();
  set_timer();
  if (!watch(each.fd.value(), static_cast<std::uint64_t>(each.who.value), each.interest, EPOLLOUT))
    lose(each, net::describe_errno(errno));
}

void tcp_transport::engine::on_connected(peer& each) {
  has_moved_ = true;
  if (const int code = detail::is_struck(fault_point::connect) ? errno : net::pending_error(each.fd.value())) {
    if (!has_no_way(code) || std::exchange(each.has_tried_again, true))
      return lose(each, each.address + ": " + net::describe_errno(code));
    close(each);
    return connect(each);
  }
  each.now = stage::greeting;
  each.greeting = handshake::initiate(secret_, {service::transport, self_, each.who, size_});
  on_greeting(each);
}

/// The answer may take as long as the peer computes: its kernel has taken the connection, and whether its process
/// lives is the failure detector's to say.
void tcp_transport::engine::on_greeting(peer& each) {
  has_moved_ = true;
  const net::io_result done = drive(each.fd, *each.greeting);
  switch (done.status) {
    case net::io_status::moved: return finish_greeting(each);
    case net::io_status::closed: return greet_again(each, " closed the connection during the handshake");
    case net::io_status::failed:
      if (done.code == EKEYREJECTED) return fail_strange(each);
      return greet_again(each, ": " + net::describe_errno(done.code));
    case net::io_status::would_block: break;
  }
  if (!watch(each.fd.value(), static_cast<std::uint64_t>(each.who.value), each.interest, interest_of(each.fd, *each.greeting)))
    lose(each, net::describe_errno(errno));
}

/// The peer ended a handshake. Where this side was slow, because it computed meanwhile, the peer may only have lost its
/// patience, so this side tries once more; where it was not, the peer is gone.
void tcp_transport::engine::greet_again(peer& each, std::string_view how_it_ended) {
  if (clock::now() - each.began < options_.handshake_timeout)
    return lose(each, each.address + std::string(how_it_ended));
  close(each);
  connect(each);
}

/// The other side has not proven the secret, or does not believe that this one has.
void tcp_transport::engine::fail_strange(peer& each) {
  each.greeting.reset();
  fail_peer(each, {errc::authentication, each.who,
                   describe("cannot connect to rank " + to_string(each.who) + " at " + each.address,
                            "it does not have this job's secret", "give every rank the same HAWSER_SECRET_FILE")});
}

void tcp_transport::engine::finish_greeting(peer& each) {
  const handshake ended = std::move(*each.greeting);
  each.greeting.reset();
  const std::string problem = "cannot connect to rank " + to_string(each.who) + " at " + each.address;
  if (!ended.is_malformed() && ended.result() == verdict::accepted) return open(each, std::move(each.fd));
  if (ended.is_malformed())
    return fail_peer(each, {errc::mismatch, each.who, describe(problem, "what listens there is not hawser")});
  if (ended.result() == verdict::not_believed) return fail_strange(each);
  const errc code = ended.result() == verdict::other_version ? errc::mismatch : errc::peer_failed;
  fail_peer(each, {code, each.who, describe(problem, ended.reason())});
}

void tcp_transport::engine::open(peer& each, net::channel fd) {
  has_moved_ = true;
  each.fd = std::move(fd);
  each.now = stage::open;
  watch_over(each.fd.value());
  if (options_.send_buffer > 0)
    set_option(each.fd.value(), SOL_SOCKET, SO_SNDBUF,
               static_cast<int>(std::min<std::size_t>(options_.send_buffer, 1 << 30)));
  if (!each.sends.empty()) mark_dirty(each);
  watch(each);
}

}  // namespace hawser::transport
