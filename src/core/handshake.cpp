// The handshake's messages; all integers little-endian.
//   hello: magic 8, version 2, purpose 1, zero 1, from 4, to 4, size 4, zero 8, nonce 32      challenge: magic 8,
//   version 2, zero 6, nonce 32      proof: 32      verdict: verdict 1, reason length 1, proof 32, reason
#include <hawser/core/handshake.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

namespace hawser {
namespace {

constexpr std::string_view magic = "hawser\r\n";  // line ends reveal a peer that translates text
constexpr std::uint16_t version = 1;
constexpr std::size_t nonce_bytes = 32;
constexpr std::size_t verdict_head_bytes = 2 + 32;
constexpr std::size_t longest_reason = handshake::longest_message - verdict_head_bytes;

template <class T>
void put(std::byte* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    to[i] = static_cast<std::byte>(static_cast<std::uint64_t>(value) >> (8 * i));
}

template <class T>
T take(const std::byte* from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::to_integer<std::uint64_t>(from[i]) << (8 * i);
  return static_cast<T>(value);
}

bool has_magic(const std::byte* from) {
  return std::memcmp(from, magic.data(), magic.size()) == 0;
}

}  // namespace

handshake handshake::initiate(std::string_view secret, const introduction& self) {
  handshake made;
  made.secret_ = secret;
  made.introduced_ = self;
  made.purpose_ = self.purpose;
  std::byte* const hello = made.hello_.data();
  std::memcpy(hello, magic.data(), magic.size());
  put(hello + 8, version);
  put(hello + 10, static_cast<std::uint8_t>(self.purpose));
  put(hello + 12, self.from.value);
  put(hello + 16, self.to.value);
  put(hello + 20, self.size);
  fill_random(std::span(made.hello_).last(nonce_bytes));
  made.write(made.hello_);
  made.expect(expecting::challenge, made.challenge_.size());
  return made;
}

handshake handshake::accept(std::string_view secret, service purpose) {
  handshake made;
  made.secret_ = secret;
  made.purpose_ = purpose;
  std::memcpy(made.challenge_.data(), magic.data(), magic.size());
  put(made.challenge_.data() + 8, version);
  fill_random(std::span(made.challenge_).last(nonce_bytes));
  made.expect(expecting::hello, made.hello_.size());
  return made;
}

void handshake::expect(expecting next, std::size_t size) noexcept {
  expecting_ = next;
  wanted_ = size;
  filled_ = 0;
}

void handshake::end_malformed() noexcept {
  is_malformed_ = true;
  state_ = state::ended;
  expect(expecting::nothing, 0);
}

void handshake::write(std::span<const std::byte> data) noexcept {
  if (sent_ == output_end_) sent_ = output_end_ = 0;
  std::copy(data.begin(), data.end(), output_.begin() + static_cast<std::ptrdiff_t>(output_end_));
  output_end_ += data.size();
}

void handshake::feed(std::span<const std::byte> data) {
  data = data.first(std::min(data.size(), wanted()));
  std::copy(data.begin(), data.end(), input_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += data.size();
  if (filled_ < wanted_) return;
  switch (expecting_) {
    case expecting::hello: return on_hello();
    case expecting::challenge: return on_challenge();
    case expecting::proof: return on_proof();
    case expecting::verdict_head: return on_verdict_head();
    case expecting::verdict_reason: return on_verdict_reason();
    case expecting::nothing: return;
  }
}

/// The role keeps an acceptor's proof from being played back as an initiator's.
digest handshake::prove(std::string_view role, std::span<const std::byte> extra) const {
  const std::span<const std::byte> parts[] = {as_bytes(role), hello_, challenge_, extra};
  return hmac_sha256(as_bytes(secret_), parts);
}

void handshake::on_hello() {
  std::copy_n(input_.begin(), hello_.size(), hello_.begin());
  const std::byte* const hello = hello_.data();
  if (!has_magic(hello)) return end_malformed();
  if (take<std::uint16_t>(hello + 8) != version) {
    write(challenge_);  // the initiator reads the version there
    result_ = verdict::other_version;
    state_ = state::ended;
    return expect(expecting::nothing, 0);
  }
  if (take<std::uint8_t>(hello + 10) != static_cast<std::uint8_t>(purpose_)) return end_malformed();
  introduced_ = {purpose_, take<std::int32_t>(hello + 12), take<std::int32_t>(hello + 16),
                 take<std::int32_t>(hello + 20)};
  write(challenge_);
  expect(expecting::proof, sizeof(digest));
}

void handshake::on_challenge() {
  std::copy_n(input_.begin(), challenge_.size(), challenge_.begin());
  if (!has_magic(challenge_.data())) return end_malformed();
  if (const auto theirs = take<std::uint16_t>(challenge_.data() + 8); theirs != version) {
    result_ = verdict::other_version;
    reason_ = "it speaks version " + std::to_string(theirs) + ", this process version " + std::to_string(version);
    state_ = state::ended;
    return expect(expecting::nothing, 0);
  }
  write(prove("hawser initiator", {}));
  expect(expecting::verdict_head, verdict_head_bytes);
}

void handshake::on_proof() {
  const digest expected = prove("hawser initiator", {});
  if (!equal_in_constant_time(expected, std::span(input_).first(sizeof(digest)))) {
    decide(verdict::not_believed);
    return;
  }
  is_peer_proven_ = true;
  state_ = state::deciding;
  expect(expecting::nothing, 0);
}

void handshake::decide(verdict result, std::string_view reason) {
  reason = reason.substr(0, longest_reason);
  result_ = result;
  reason_ = reason;
  std::vector<std::byte> message(verdict_head_bytes + reason.size());
  put(message.data(), static_cast<std::uint8_t>(result));
  put(message.data() + 1, static_cast<std::uint8_t>(reason.size()));
  std::copy(as_bytes(reason).begin(), as_bytes(reason).end(), message.begin() + verdict_head_bytes);
  if (result != verdict::not_believed) {  // nothing made from the secret goes to a peer that does not know it
    const std::byte head[] = {message[0], message[1]};
    std::string covered(reinterpret_cast<const char*>(head), sizeof head);
    const digest proof = prove("hawser acceptor", as_bytes(covered.append(reason)));
    std::copy(proof.begin(), proof.end(), message.begin() + 2);
  }
  write(message);
  state_ = state::ended;
  expect(expecting::nothing, 0);
}

void handshake::on_verdict_head() {
  const auto length = take<std::uint8_t>(input_.data() + 1);
  if (length > longest_reason) return end_malformed();
  if (length == 0) return on_verdict_reason();
  expecting_ = expecting::verdict_reason;
  wanted_ = verdict_head_bytes + length;  // keeps the head
}

void handshake::on_verdict_reason() {
  result_ = static_cast<verdict>(take<std::uint8_t>(input_.data()));
  reason_.assign(reinterpret_cast<const char*>(input_.data()) + verdict_head_bytes, wanted_ - verdict_head_bytes);
  std::string covered(reinterpret_cast<const char*>(input_.data()), 2);
  const digest expected = prove("hawser acceptor", as_bytes(covered.append(reason_)));
  is_peer_proven_ = equal_in_constant_time(expected, std::span(input_).subspan(2, sizeof(digest)));
  if (!is_peer_proven_) result_ = verdict::not_believed, reason_.clear();
  state_ = state::ended;
  expect(expecting::nothing, 0);
}

}  // namespace hawser
