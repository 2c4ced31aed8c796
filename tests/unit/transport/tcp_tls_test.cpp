// The TCP transport over TLS: what every transport must do, what a stranger on the way hears, and who is not let in.
#include <hawser/transport/tcp.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "support/recording_proxy.hpp"
#include "support/tls.hpp"
#include "support/transport_conformance.hpp"

namespace hawser::testing {
namespace {

using namespace std::chrono_literals;
using transport::tcp_options;
using transport::tcp_transport;

transport_world world(std::string name, transport_world::start how, std::size_t send_buffer = std::size_t{64} << 10) {
  return {std::move(name), how, [send_buffer] {
            return opener([send_buffer](const endpoint_environment& environment) {
              endpoint_environment local = environment;
              local.interface = "127.0.0.1";
              local.has_tls = true;
              tcp_options options;
              options.send_buffer = send_buffer;
              return any_transport(std::make_unique<tcp_transport>(local, options));
            });
          }};
}

std::vector<transport_world> worlds() {
  if (!is_tls_there()) return {};
  return {world("threads", transport_world::start::threads), world("processes", transport_world::start::processes),
          world("tiny_buffers", transport_world::start::threads, 1)};
}

INSTANTIATE_TEST_SUITE_P(tcp_tls, transport_conformance, ::testing::ValuesIn(worlds()), transport_conformance::name);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(transport_conformance);

/// Two endpoints of this thread, of which the second finds the first where `address` says.
struct pair_of_ranks {
  explicit pair_of_ranks(bool first_has_tls, bool second_has_tls, std::string secret = "a secret of the tests") {
    zero = std::make_unique<tcp_transport>(environment(0, first_has_tls, "a secret of the tests"), quick());
    address = published.at("tcp/0");
    second = environment(1, second_has_tls, secret);
  }
  int port() const { return std::stoi(address.substr(address.find(' ') + 1)); }
  void start() { one = std::make_unique<tcp_transport>(second, quick()); }
  static tcp_options quick() {
    tcp_options options;
    options.handshake_timeout = 2s;
    return options;
  }

  endpoint_environment environment(rank self, bool has_tls, const std::string& secret) {
    endpoint_environment made;
    made.self = self;
    made.size = 2;
    made.interface = "127.0.0.1";
    made.secret = secret;
    made.peer_timeout = 5s;
    made.has_tls = has_tls;
    made.publish = [this](std::string_view key, std::string_view value) {
      published[std::string(key)] = std::string(value);
    };
    made.look_up = [this](std::string_view) { return address; };
    return made;
  }
  template <class Condition>
  bool drive(Condition&& holds) {
    for (const auto deadline = std::chrono::steady_clock::now() + 20s; !holds();) {
      zero->progress();
      one->progress();
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }

  std::map<std::string, std::string> published;
  std::string address;
  endpoint_environment second;
  std::unique_ptr<tcp_transport> zero, one;
};

/// Exchanges a megabyte through a stranger; whether that has heard any of it.
bool is_overheard(bool has_tls) {
  pair_of_ranks both(has_tls, has_tls);
  recording_proxy stranger(both.port());
  both.address = "127.0.0.1 " + std::to_string(stranger.port());
  both.start();
  std::mt19937 random(std::random_device{}());
  std::vector<std::byte> there(1 << 20), back(1 << 20), got_there(there.size()), got_back(back.size());
  for (auto* each : {&there, &back})
    for (std::byte& one : *each) one = static_cast<std::byte>(random());
  ticket sent[2], received[2];
  both.one->send(0, tag_of(1), there, sent[0]);
  both.zero->receive(1, tag_of(1), {.data = got_there.data(), .bytes = got_there.size()}, received[0]);
  both.zero->send(1, tag_of(2), back, sent[1]);
  both.one->receive(0, tag_of(2), {.data = got_back.data(), .bytes = got_back.size()}, received[1]);
  EXPECT_TRUE(both.drive([&] { return received[0].is_over() && received[1].is_over(); }));
  EXPECT_EQ(got_there, there);
  EXPECT_EQ(got_back, back);
  EXPECT_GE(stranger.passed(), there.size() + back.size());
  bool is_heard = false;
  for (std::size_t i = 0; i + 16 <= there.size(); i += 65521)
    is_heard = is_heard || stranger.has_heard(std::span(there).subspan(i, 16)) ||
               stranger.has_heard(std::span(back).subspan(i, 16));
  return is_heard;
}

TEST(tcp_tls, who_listens_on_the_way_hears_no_payload) {
  EXPECT_TRUE(is_overheard(false));  // as the transport is without it, so that this test can fail
  if (!is_tls_there()) GTEST_SKIP() << "built without OpenSSL";
  EXPECT_FALSE(is_overheard(true));
}

TEST(tcp_tls, another_secret_and_clear_text_are_refused) {
  if (!is_tls_there()) GTEST_SKIP() << "built without OpenSSL";
  struct refused {
    bool first_has_tls, second_has_tls;
    std::string secret;
    errc code;
  };
  for (const refused& each : {refused{true, true, "another", errc::authentication},
                              refused{true, false, "a secret of the tests", errc::peer_failed},
                              refused{false, true, "a secret of the tests", errc::peer_failed}}) {
    pair_of_ranks both(each.first_has_tls, each.second_has_tls, each.secret);
    both.start();
    ticket sent, received;
    both.one->send(0, tag_of(1), {}, sent);
    both.zero->receive(1, tag_of(1), {}, received);
    ASSERT_TRUE(both.drive([&] { return sent.is_over(); }));
    ASSERT_TRUE(sent.why.has_value());
    EXPECT_EQ(sent.why->code, each.code) << sent.why->what;
    EXPECT_FALSE(received.is_over());  // nobody has proven to be rank 1
    both.zero->shutdown();
  }
}

TEST(tcp_tls, without_a_secret_or_openssl_is_an_error) {
  pair_of_ranks both(false, false);
  endpoint_environment asked = both.environment(1, true, is_tls_there() ? "" : "a secret");
  try {
    tcp_transport one(asked);
    ADD_FAILURE();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), is_tls_there() ? errc::authentication : errc::unsupported) << refused.what();
  }
}

}  // namespace
}  // namespace hawser::testing
