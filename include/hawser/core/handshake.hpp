// Mutual proof of the job's secret over any byte stream: a state machine without I/O. See docs/bootstrap.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <hawser/core/hmac.hpp>
#include <hawser/core/rank.hpp>

namespace hawser {

/// What a connection is for; a proof for one service is void for another.
enum class service : std::uint8_t { store = 1, transport = 2 };

/// What the initiator says about itself before it is believed; covered by both proofs.
struct introduction {
  service purpose = service::store;
  rank from;
  rank to;  ///< transport: the rank that it wants to reach
  std::int32_t size = 1;
  friend bool operator==(const introduction&, const introduction&) = default;
};

/// What the acceptor thinks of its peer; the numbers travel.
enum class verdict : std::uint8_t {
  accepted = 1,
  refused = 2,       ///< for good: another job size, the rank is taken
  not_now = 3,       ///< try again later
  not_believed = 4,  ///< the secret was not proven
  other_version = 5,
};

/// One side of: hello (nonce) -> challenge (nonce) -> proof -> verdict with proof. The initiator proves first; fresh
/// nonces of both sides make a recorded exchange worthless. Buffers at most `longest_message` bytes, whatever comes.
/// Use: write `output()`, read exactly `wanted()` bytes, `feed` them, until `current()` is ended.
class handshake {
 public:
  /// deciding: the acceptor waits for its owner's `decide`.
  enum class state { running, deciding, ended };
  static constexpr std::size_t longest_message = 256;

  /// The two sides: who connects says who it is, who is connected to says what it serves.
  static handshake initiate(std::string_view secret, const introduction& self);
  static handshake accept(std::string_view secret, service purpose);

  state current() const noexcept { return state_; }
  /// Bytes to be read next; 0 while there is nothing to read.
  std::size_t wanted() const noexcept { return wanted_ - filled_; }
  /// At most `wanted()` bytes.
  void feed(std::span<const std::byte> data);
  /// Bytes to be written now; call `sent` for what was written.
  std::span<const std::byte> output() const noexcept { return std::span(output_.data(), output_end_).subspan(sent_); }
  void sent(std::size_t count) noexcept { sent_ += count; }

  /// Acceptor in state deciding: the secret is proven; says what becomes of the peer. The reason is cut to fit.
  void decide(verdict result, std::string_view reason = {});

  /// After the end. `is_malformed`: the peer does not speak this protocol, and gets no answer.
  bool is_malformed() const noexcept { return is_malformed_; }
  verdict result() const noexcept { return result_; }
  /// The initiator saw a valid proof with the verdict; false also for a verdict that needs none (not_believed).
  bool is_peer_proven() const noexcept { return is_peer_proven_; }
  const std::string& reason() const noexcept { return reason_; }
  /// What the initiator said of itself.
  const introduction& peer() const noexcept { return introduced_; }

 private:
  enum class expecting { hello, challenge, proof, verdict_head, verdict_reason, nothing };

  void on_hello();
  void on_challenge();
  void on_proof();
  void on_verdict_head();
  void on_verdict_reason();
  void expect(expecting next, std::size_t size) noexcept;
  void end_malformed() noexcept;
  void write(std::span<const std::byte> data) noexcept;
  digest prove(std::string_view role, std::span<const std::byte> extra) const;

  std::string secret_;
  state state_ = state::running;
  expecting expecting_ = expecting::nothing;
  bool is_malformed_ = false;
  bool is_peer_proven_ = false;
  verdict result_ = verdict::refused;
  introduction introduced_;
  service purpose_ = service::store;
  std::string reason_;
  std::array<std::byte, 64> hello_{};
  std::array<std::byte, 48> challenge_{};
  std::array<std::byte, longest_message> input_{};
  std::array<std::byte, longest_message> output_{};
  std::size_t wanted_ = 0, filled_ = 0, output_end_ = 0, sent_ = 0;
};

}  // namespace hawser
