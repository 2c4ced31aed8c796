// Bytes of the TCP transport: messages out of the caller's memory, and into it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tcp_engine.hpp"

namespace hawser::transport {
namespace {

constexpr std::size_t most_parts = 64;                      // of one writev: 32 messages
constexpr std::size_t most_written = std::size_t{1} << 20;  // per round and peer, so that others get their turn
constexpr std::size_t most_read = std::size_t{1} << 20;     // likewise
// Only a sender of much waits for room; the answer to a small message acknowledges it without a packet of its own.
constexpr std::size_t least_quick_ack = std::size_t{8} << 10;
constexpr std::uint64_t longest_message = std::uint64_t{1} << 48;  // more is not a size but a broken stream

}  // namespace

void tcp_transport::engine::write(peer& each) {
  std::array<iovec, most_parts> parts;
  for (std::size_t written = 0; !each.sends.empty();) {
    if (written >= most_written) return mark_dirty(each);
    std::size_t count = 0, skipped = each.sent, offered = 0;
    for (auto next = each.sends.begin(); next != each.sends.end() && count + 2 <= most_parts; ++next) {
      for (const std::span<const std::byte> part : {std::span<const std::byte>(next->start), next->bytes}) {
        const std::size_t dropped = std::min(skipped, part.size());
        skipped -= dropped;
        if (part.size() == dropped) continue;
        parts[count++] = {const_cast<std::byte*>(part.data()) + dropped, part.size() - dropped};
        offered += part.size() - dropped;
      }
    }
    const net::io_result done = each.fd.write(std::span(parts).first(count));
    if (done.status == net::io_status::failed) return lose(each, net::describe_errno(done.code));
    written += done.count;
    if (done.count > 0 && !complete_sends(each, done.count)) return;
    if (done.count < offered) {
      each.is_blocked = true;
      return watch(each);
    }
  }
  if (std::exchange(each.is_blocked, false)) watch(each);
}

/// Completes what has gone out; false when a completion has ended the connection.
bool tcp_transport::engine::complete_sends(peer& each, std::size_t count) {
  has_moved_ = true;
  each.sent += count;
  while (!each.sends.empty()) {
    const outgoing first = each.sends.front();
    const std::size_t whole = head_bytes + first.bytes.size();
    if (each.sent < whole) break;
    each.sent -= whole;
    each.sends.pop_front();
    --pending_;
    first.done->done(*first.done, nullptr);
    if (each.now != stage::open) return false;
  }
  return true;
}

void tcp_transport::engine::read(peer& each) {
  std::size_t total = 0;
  while (total < most_read && each.queue.wants_data()) {
    // Straight into the receive's memory, and what lies behind it into the scratch buffer.
    std::array<iovec, 2> parts;
    std::size_t count = 0;
    const std::span<std::byte> place = each.current ? each.queue.place(*each.current) : std::span<std::byte>{};
    if (!place.empty()) parts[count++] = {place.data(), place.size()};
    parts[count++] = {scratch_.data(), scratch_.size()};
    const net::io_result got = each.fd.read(std::span(parts).first(count));
    if (got.status == net::io_status::would_block) break;
    if (got.status == net::io_status::closed)
      return lose(each, "it closed the connection: its process ended or was killed");
    if (got.status == net::io_status::failed) return lose(each, net::describe_errno(got.code));
    has_moved_ = true;
    total += got.count;
    const std::size_t direct = std::min(got.count, place.size());
    if (direct > 0) each.queue.advance(*each.current, direct);
    if (each.current && each.current->missing() == 0 && !finish(each)) return;
    if (!take(each, std::span(scratch_).first(got.count - direct))) return;
    if (got.count < place.size() + scratch_.size() && !each.fd.has_unread()) break;  // the socket is empty
  }
  if (options_.quick_ack && total >= least_quick_ack) {
    const int on = 1;  // the kernel forgets it, so it is said after each read
    static_cast<void>(::setsockopt(each.fd.value(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on));
  }
  watch(each);
}

/// Takes heads and payload out of the scratch buffer; false when the connection has ended meanwhile.
bool tcp_transport::engine::take(peer& each, std::span<const std::byte> data) {
  while (!data.empty()) {
    if (!each.current) {
      const std::size_t piece = std::min(data.size(), head_bytes - each.partial_bytes);
      std::memcpy(each.partial.data() + each.partial_bytes, data.data(), piece);
      each.partial_bytes += piece;
      data = data.subspan(piece);
      if (each.partial_bytes < head_bytes) return true;
      each.partial_bytes = 0;
      if (!begin(each)) return false;
    } else {
      const std::size_t piece = std::min(data.size(), each.current->missing());
      each.queue.append(*each.current, data.data(), piece);
      data = data.subspan(piece);
    }
    if (each.current->missing() == 0 && !finish(each)) return false;
  }
  return true;
}

/// A message begins; a receive of another size fails with errc::mismatch, and the bytes are dropped.
bool tcp_transport::engine::begin(peer& each) {
  std::uint64_t fields[2] = {};
  for (std::size_t i = 0; i < head_bytes; ++i)
    fields[i / 8] |= std::to_integer<std::uint64_t>(each.partial[i]) << (8 * (i % 8));
  const auto field = [&](int shift) { return static_cast<std::uint16_t>(fields[0] >> shift); };
  if (fields[1] > longest_message) return lose(each, "it sent what is not a message of hawser"), false;
  each.current = &each.queue.begin({field(48), field(32), field(16), field(0)}, fields[1]);
  return each.now == stage::open;
}

bool tcp_transport::engine::finish(peer& each) {
  each.queue.finish(*std::exchange(each.current, nullptr));
  return each.now == stage::open;
}

}  // namespace hawser::transport
