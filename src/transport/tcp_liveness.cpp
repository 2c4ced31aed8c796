// Links that carry nothing any more, which no end of a connection is told of by itself.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include <hawser/core/units.hpp>

#include "tcp_engine.hpp"

namespace hawser::transport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int looks_per_timeout = 4;
constexpr int probes = 4;  // that are not answered before an idle connection counts as lost

int in_seconds(milliseconds time) {
  return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<seconds>(time).count(), 1));
}

/// Something has been sent, and for so long nothing came back, not even word that the other side takes no more: a
/// process that is slow, or stopped, has a host that says so.
bool is_cut(int fd, milliseconds patience) {
  tcp_info told{};
  socklen_t length = sizeof told;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &told, &length) != 0) return false;
  const bool waits_for_word = told.tcpi_unacked > 0 || told.tcpi_probes > 0;
  return waits_for_word && told.tcpi_last_ack_recv > patience.count();
}

}  // namespace

/// The kernel probes a connection on which nothing is under way; TCP_USER_TIMEOUT is no help for the others, since it
/// takes a rank that reads nothing for dead.
void tcp_transport::engine::watch_over(int fd) const {
  const auto set = [fd](int level, int name, int value) {
    static_cast<void>(::setsockopt(fd, level, name, &value, sizeof value));  // without it a cut is found later
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, in_seconds(peer_timeout_ / 2));
  set(IPPROTO_TCP, TCP_KEEPINTVL, in_seconds(peer_timeout_ / (2 * probes)));
  set(IPPROTO_TCP, TCP_KEEPCNT, probes);
}

/// Before a rank blocks: whether it is time to look at its links again.
bool tcp_transport::engine::is_look_due() noexcept {
  if (pending_ == 0) return false;
  const auto now = clock::now();
  if (now < next_look_) return false;
  next_look_ = now + peer_timeout_ / looks_per_timeout;
  return true;
}

void tcp_transport::engine::look_at_links() {
  is_look_due_ = false;
  std::vector<peer*> cut;
  for (const auto& [number, each] : peers_)
    if (each->now == stage::open && is_cut(each->fd.value(), peer_timeout_)) cut.push_back(each.get());
  for (peer* each : cut)
    if (each->now == stage::open)
      lose(*each, "its host has acknowledged nothing for " + to_string(hawser::seconds(peer_timeout_)));
}

}  // namespace hawser::transport
