// Published vectors of SHA-256 (FIPS 180-4 examples) and HMAC-SHA-256 (RFC 4231), and the properties of the handshake.
#include <hawser/core/hmac.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/handshake.hpp>

namespace hawser {
namespace {

std::string hex(std::span<const std::byte> data) {
  std::string text;
  for (const std::byte each : data)
    for (const int shift : {4, 0}) text += "0123456789abcdef"[std::to_integer<unsigned>(each) >> shift & 15];
  return text;
}

std::string sha(std::string_view text) {
  return hex(sha256().update(as_bytes(text)).finish());
}

TEST(sha256, published_vectors) {
  EXPECT_EQ(sha(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256, is_the_same_however_the_message_is_cut) {
  for (const std::size_t length : {0u, 1u, 55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 128u, 200u}) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(i * 7);
    const std::string whole = sha(text);
    for (const std::size_t piece : {1u, 3u, 64u, 65u}) {
      sha256 cut;
      for (std::size_t at = 0; at < length; at += piece) cut.update(as_bytes(std::string_view(text).substr(at, piece)));
      EXPECT_EQ(hex(cut.finish()), whole) << length << " in pieces of " << piece;
    }
  }
}

TEST(hmac, vectors_of_rfc_4231) {
  const auto check = [](const std::string& key, const std::string& data, const std::string& expected) {
    EXPECT_EQ(hex(hmac_sha256(as_bytes(key), as_bytes(data))), expected);
  };
  check(std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  check("Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  check(std::string(20, '\xaa'), std::string(50, '\xdd'),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  check(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(hmac, parts_are_one_message) {
  const std::span<const std::byte> parts[] = {as_bytes("what do ya "), as_bytes(""), as_bytes("want for nothing?")};
  EXPECT_EQ(hmac_sha256(as_bytes("Jefe"), parts),
            hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")));
}

TEST(hmac, comparison) {
  EXPECT_TRUE(equal_in_constant_time(as_bytes("same"), as_bytes("same")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sane")));
  EXPECT_FALSE(equal_in_constant_time(as_bytes("same"), as_bytes("sam")));
}

/// Everything that one side has to say now.
std::vector<std::byte> take_output(handshake& from) {
  const auto output = from.output();
  std::vector<std::byte> copy(output.begin(), output.end());
  from.sent(copy.size());
  return copy;
}

/// Gives bytes to one side in pieces; what it does not want is lost.
void give(handshake& to, std::span<const std::byte> data, std::size_t piece = 5) {
  while (!data.empty() && to.wanted() > 0) {
    const std::size_t count = std::min({piece, data.size(), to.wanted()});
    to.feed(data.first(count));
    data = data.subspan(count);
  }
}

struct pair_of_sides {
  handshake initiator, acceptor;
  std::vector<std::byte> hello, challenge, proof, verdict_;

  pair_of_sides(std::string_view secret, std::string_view other_secret)
      : initiator(handshake::initiate(secret, {service::store, 3, 0, 8})),
        acceptor(handshake::accept(other_secret, service::store)) {}

  void run(verdict decision = verdict::accepted, std::string_view reason = {}) {
    give(acceptor, hello = take_output(initiator));
    give(initiator, challenge = take_output(acceptor));
    give(acceptor, proof = take_output(initiator));
    if (acceptor.current() == handshake::state::deciding) acceptor.decide(decision, reason);
    give(initiator, verdict_ = take_output(acceptor));
  }
};

TEST(handshake, both_sides_prove_the_secret) {
  pair_of_sides sides("secret", "secret");
  sides.run();
  EXPECT_EQ(sides.initiator.current(), handshake::state::ended);
  EXPECT_EQ(sides.initiator.result(), verdict::accepted);
  EXPECT_TRUE(sides.initiator.is_peer_proven());
  EXPECT_TRUE(sides.acceptor.is_peer_proven());
  EXPECT_EQ(sides.acceptor.peer(), (introduction{service::store, 3, 0, 8}));
}

TEST(handshake, a_refusal_carries_its_reason) {
  pair_of_sides sides("secret", "secret");
  sides.run(verdict::refused, "rank 3 is taken");
  EXPECT_EQ(sides.initiator.result(), verdict::refused);
  EXPECT_EQ(sides.initiator.reason(), "rank 3 is taken");
  pair_of_sides wordy("secret", "secret");
  wordy.run(verdict::refused, std::string(1000, 'x'));
  EXPECT_EQ(wordy.initiator.result(), verdict::refused);
  EXPECT_LT(wordy.initiator.reason().size(), handshake::longest_message);
}

TEST(handshake, another_secret_is_not_believed_and_learns_nothing) {
  pair_of_sides sides("secret", "other");
  sides.run();
  EXPECT_FALSE(sides.acceptor.is_peer_proven());
  EXPECT_EQ(sides.initiator.result(), verdict::not_believed);
  const digest nothing{};
  EXPECT_TRUE(equal_in_constant_time(std::span(sides.verdict_).subspan(2, nothing.size()), nothing));
}

TEST(handshake, a_replayed_initiator_is_not_believed) {
  pair_of_sides recorded("secret", "secret");
  recorded.run();
  handshake fresh = handshake::accept("secret", service::store);
  give(fresh, recorded.hello);
  take_output(fresh);
  give(fresh, recorded.proof);
  EXPECT_EQ(fresh.current(), handshake::state::ended);
  EXPECT_EQ(fresh.result(), verdict::not_believed);
}

TEST(handshake, a_replayed_acceptor_is_not_believed) {
  pair_of_sides recorded("secret", "secret");
  recorded.run();
  handshake fresh = handshake::initiate("secret", {service::store, 3, 0, 8});
  give(fresh, recorded.challenge);
  give(fresh, recorded.verdict_);
  EXPECT_EQ(fresh.result(), verdict::not_believed);
}

TEST(handshake, a_changed_verdict_or_hello_is_not_believed) {
  pair_of_sides sides("secret", "secret");
  give(sides.acceptor, take_output(sides.initiator));
  give(sides.initiator, take_output(sides.acceptor));
  give(sides.acceptor, take_output(sides.initiator));
  sides.acceptor.decide(verdict::refused, "no");
  auto changed = take_output(sides.acceptor);
  changed[0] = static_cast<std::byte>(verdict::accepted);
  give(sides.initiator, changed);
  EXPECT_EQ(sides.initiator.result(), verdict::not_believed);

  pair_of_sides other("secret", "secret");
  auto hello = take_output(other.initiator);
  hello[12] ^= std::byte{1};  // the rank
  give(other.acceptor, hello);
  give(other.initiator, take_output(other.acceptor));
  give(other.acceptor, take_output(other.initiator));
  EXPECT_EQ(other.acceptor.result(), verdict::not_believed);
}

TEST(handshake, a_proof_for_one_service_is_malformed_for_another) {
  handshake initiator = handshake::initiate("secret", {service::transport, 3, 0, 8});
  handshake acceptor = handshake::accept("secret", service::store);
  give(acceptor, take_output(initiator));
  EXPECT_TRUE(acceptor.is_malformed());
  EXPECT_TRUE(acceptor.output().empty());
}

TEST(handshake, garbage_and_other_versions) {
  handshake acceptor = handshake::accept("secret", service::store);
  give(acceptor, as_bytes(std::string(64, 'G')));
  EXPECT_TRUE(acceptor.is_malformed());
  EXPECT_TRUE(acceptor.output().empty());

  pair_of_sides sides("secret", "secret");
  auto hello = take_output(sides.initiator);
  hello[8] = std::byte{9};
  give(sides.acceptor, hello);
  EXPECT_EQ(sides.acceptor.result(), verdict::other_version);
  auto challenge = take_output(sides.acceptor);
  challenge[8] = std::byte{9};
  give(sides.initiator, challenge);
  EXPECT_EQ(sides.initiator.result(), verdict::other_version);
  EXPECT_NE(sides.initiator.reason().find("version 9"), std::string::npos);
}

}  // namespace
}  // namespace hawser
