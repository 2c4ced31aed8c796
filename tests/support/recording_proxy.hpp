// A stranger on the way: forwards TCP connections on loopback to a port, and keeps all that passes, in both directions.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace hawser::testing {

class recording_proxy {
 public:
  explicit recording_proxy(int port) : to_(port), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where = loopback(0);
    socklen_t length = sizeof where;
    if (::pipe(bell_) != 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 ||
        ::listen(listener_, 16) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &length) != 0)
      throw std::runtime_error("no proxy");
    port_ = ntohs(where.sin_port);
    thread_ = std::thread([this] { forward(); });
  }
  ~recording_proxy() {
    ::close(bell_[1]);
    thread_.join();
    ::close(bell_[0]);
    ::close(listener_);
  }
  recording_proxy(const recording_proxy&) = delete;
  recording_proxy& operator=(const recording_proxy&) = delete;

  int port() const noexcept { return port_; }
  /// Bytes that have passed so far.
  std::size_t passed() const {
    std::lock_guard lock(mutex_);
    return heard_[0].size() + heard_[1].size();
  }
  /// Whether these bytes have passed, one after the other, in either direction.
  bool has_heard(std::span<const std::byte> what) const {
    std::lock_guard lock(mutex_);
    return std::ranges::any_of(heard_, [&](const auto& all) {
      return std::search(all.begin(), all.end(), what.begin(), what.end()) != all.end();
    });
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    made.sin_port = htons(static_cast<std::uint16_t>(port));
    return made;
  }

  void accept_one() {
    const int from = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in where = loopback(to_);
    if (::connect(to, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return pairs_.push_back({from, to});
    ::close(from);
    ::close(to);
  }

  /// False at the end of the connection.
  bool pass(int from, int to, std::vector<std::byte>& heard) {
    std::array<std::byte, 65536> piece;
    const ssize_t got = ::recv(from, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    {
      std::lock_guard lock(mutex_);
      heard.insert(heard.end(), piece.begin(), piece.begin() + got);
    }
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t put = ::send(to, piece.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (put <= 0) return false;
      sent += put;
    }
    return true;
  }

  void forward() {
    for (;;) {
      std::vector<pollfd> events{{bell_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& [from, to] : pairs_) {
        events.push_back({from, POLLIN, 0});
        events.push_back({to, POLLIN, 0});
      }
      ::poll(events.data(), events.size(), -1);
      if (events[0].revents) break;
      const std::size_t pairs = pairs_.size();
      std::vector<std::size_t> over;
      for (std::size_t i = 0; i < pairs; ++i) {
        const auto [from, to] = pairs_[i];
        if ((events[2 + 2 * i].revents && !pass(from, to, heard_[0])) ||
            (events[3 + 2 * i].revents && !pass(to, from, heard_[1])))
          over.push_back(i);
      }
      for (auto each = over.rbegin(); each != over.rend(); ++each) end(*each);
      if (events[1].revents) accept_one();
    }
    while (!pairs_.empty()) end(0);
  }

  void end(std::size_t pair) {
    ::close(pairs_[pair].first);
    ::close(pairs_[pair].second);
    pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(pair));
  }

  int to_, listener_, port_ = 0;
  int bell_[2] = {-1, -1};
  std::vector<std::pair<int, int>> pairs_;
  mutable std::mutex mutex_;
  std::array<std::vector<std::byte>, 2> heard_;
  std::thread thread_;
};

}  // namespace hawser::testing
