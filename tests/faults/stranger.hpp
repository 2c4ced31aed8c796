// A process on the network that is not of the job: connections that break the protocol in every way at hand.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <hawser/core/handshake.hpp>

namespace hawser::test {

/// What a stranger tries. `last` is their number.
enum class attack { wrong_secret, replay, half_open, slow_loris, oversized, garbage, other_protocol, mirrored, last };

inline const char* to_string(attack kind) {
  constexpr const char* names[] = {"wrong secret", "replayed handshake", "half-open",         "slow loris", "oversized",
                                   "garbage",      "other protocol",     "mirrored challenge"};
  return names[static_cast<std::size_t>(kind)];
}

/// A blocking connection whose reads give up after a quarter of a second.
class stranger_socket {
 public:
  explicit stranger_socket(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    is_open_ = fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    // The close resets the connection: 100,000 of them must not use up the machine's ports.
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  stranger_socket(stranger_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), is_open_(other.is_open_) {}
  stranger_socket& operator=(stranger_socket&&) = delete;
  ~stranger_socket() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool is_open() const noexcept { return is_open_; }
  void write(std::span<const std::byte> data) {
    static_cast<void>(::send(fd_, data.data(), data.size(), MSG_NOSIGNAL));
  }
  /// Fewer bytes where the other side closes, or says nothing for a quarter of a second.
  std::vector<std::byte> read(std::size_t count) {
    std::vector<std::byte> data(count);
    std::size_t filled = 0;
    while (filled < count) {
      pollfd readable{fd_, POLLIN, 0};
      if (::poll(&readable, 1, 250) != 1) break;
      const ssize_t got = ::recv(fd_, data.data() + filled, count - filled, 0);
      if (got <= 0) break;
      filled += static_cast<std::size_t>(got);
    }
    data.resize(filled);
    return data;
  }

 private:
  int fd_;
  bool is_open_ = false;
};

/// Makes attacks on one port. Keeps at most `most_open` half-open connections, fewer than the 1,024 that may wait.
class stranger {
 public:
  /// `recorded`: what a rank of the job has sent in a handshake, hello and proof.
  stranger(int port, introduction claimed, std::vector<std::byte> hello, std::vector<std::byte> proof,
           std::uint64_t seed)
      : port_(port), claimed_(claimed), hello_(std::move(hello)), proof_(std::move(proof)), random_(seed) {}

  /// True where the other side took this stranger for a rank, which must never be.
  bool try_one(attack kind) {
    stranger_socket to(port_);
    if (!to.is_open()) return ++refused_, false;
    switch (kind) {
      case attack::wrong_secret: return shake_hands(to, "not the secret of this job");
      case attack::replay: return replay(to);
      case attack::half_open: return keep(std::move(to), 0);
      case attack::slow_loris: return keep(std::move(to), 1 + random_() % (hello_.size() - 1));
      case attack::oversized: return say(to, oversized());
      case attack::garbage: return say(to, noise(1 + random_() % 4096));
      case attack::mirrored: return mirror(to);
      default:
        return say(
            to,
            as_text("GET / HTTP/1.1\r\nHost: rank0\r\nUser-Agent: stranger\r\nContent-Length: 99999999999\r\n\r\n"));
    }
  }
  /// Connections that the kernel did not take.
  std::int64_t refused() const noexcept { return refused_; }

 private:
  static constexpr std::size_t most_open = 200;

  static std::vector<std::byte> as_text(std::string_view text) {
    const auto bytes = as_bytes(text);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> noise(std::size_t count) {
    std::vector<std::byte> made(count);
    for (std::byte& each : made) each = static_cast<std::byte>(random_());
    return made;
  }
  /// A right hello with absurd numbers behind it, as if what follows were heads of messages of 2^63 bytes.
  std::vector<std::byte> oversized() {
    std::vector<std::byte> made = hello_;
    made.resize(made.size() + 1024, std::byte{0xff});
    for (std::size_t i = 12; i < 24; ++i) made[i] = static_cast<std::byte>(random_());
    return made;
  }
  bool keep(stranger_socket to, std::size_t said) {
    to.write(std::span(hello_).first(said));
    open_.push_back(std::move(to));
    if (open_.size() > most_open) open_.pop_front();
    return false;
  }
  /// Whoever believes it answers with a verdict that begins with "accepted" once it has read a proof.
  static bool say(stranger_socket& to, const std::vector<std::byte>& text) {
    to.write(text);
    const auto answer = to.read(48 + 34);
    return answer.size() > 48 && answer[48] == static_cast<std::byte>(verdict::accepted);
  }
  bool shake_hands(stranger_socket& to, std::string_view secret) {
    handshake greeting = handshake::initiate(secret, claimed_);
    while (greeting.current() != handshake::state::ended) {
      to.write(greeting.output());
      greeting.sent(greeting.output().size());
      const auto answer = to.read(greeting.wanted());
      if (answer.empty()) return false;
      greeting.feed(answer);
    }
    return !greeting.is_malformed() && greeting.result() == verdict::accepted;
  }
  bool replay(stranger_socket& to) {
    to.write(hello_);
    to.read(48);
    to.write(proof_);
    const auto answer = to.read(2);
    return !answer.empty() && answer[0] == static_cast<std::byte>(verdict::accepted);
  }
  /// The challenge comes back as the proof, and as the nonce of a hello of its own.
  bool mirror(stranger_socket& to) {
    to.write(hello_);
    const auto challenge = to.read(48);
    if (challenge.size() < 48) return false;
    to.write(std::span(challenge).last(32));
    const auto answer = to.read(2);
    return !answer.empty() && answer[0] == static_cast<std::byte>(verdict::accepted);
  }

  int port_;
  introduction claimed_;
  std::vector<std::byte> hello_, proof_;
  std::mt19937_64 random_;
  std::deque<stranger_socket> open_;
  std::int64_t refused_ = 0;
};

}  // namespace hawser::test
