// The store over TLS: keys and values unheard, strangers refused, another rank's store after a loss.
#include <hawser/bootstrap/store.hpp>

#include <future>
#include <memory>
#include <random>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include <hawser/communicator/communicator.hpp>
#include <hawser/transport/tcp.hpp>

#include "store_support.hpp"
#include "support/collective_battery.hpp"
#include "support/recording_proxy.hpp"
#include "support/tls.hpp"

namespace hawser::bootstrap {
namespace {

class store_tls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::is_tls_there()) GTEST_SKIP() << "built without OpenSSL";
  }
};

store_server_options served(int size, bool has_tls = true) {
  store_server_options options = server_of(size, 2'000ms);
  options.has_tls = has_tls;
  return options;
}

store_options joining(const store_server& server, rank self, int size, bool has_tls = true) {
  store_options options = client_of(server, self, size);
  options.has_tls = has_tls;
  return options;
}

std::string random_text(std::size_t count) {
  std::mt19937 random(std::random_device{}());
  std::string made(count, ' ');
  for (char& each : made) each = static_cast<char>(random());
  return made;
}

/// Publishes a value through a stranger and reads it back; whether that has heard of it.
bool is_overheard(bool has_tls) {
  store_server server(served(1, has_tls));
  testing::recording_proxy stranger(server.port());
  store_options options = joining(server, 0, 1, has_tls);
  options.port = stranger.port();
  store_bootstrap door(options);
  const std::string key = "a key that is heard", value = random_text(300'000);
  door.put(key, value);
  EXPECT_EQ(door.get(key, 10s), value);
  EXPECT_GE(stranger.passed(), 2 * value.size());
  const bool is_heard = stranger.has_heard(std::as_bytes(std::span(key))) ||
                        stranger.has_heard(std::as_bytes(std::span(value).subspan(100'000, 16)));
  door.leave();
  return is_heard;
}

TEST_F(store_tls, who_listens_on_the_way_hears_no_key_and_no_value) {
  EXPECT_TRUE(is_overheard(false));
  EXPECT_FALSE(is_overheard(true));
}

TEST_F(store_tls, large_values_of_many_ranks_come_whole) {
  constexpr int size = 6;
  store_server server(served(size));
  std::vector<std::future<void>> ranks;
  for (int r = 0; r < size; ++r)
    ranks.push_back(std::async(std::launch::async, [&, r] {
      store_bootstrap door(joining(server, r, size));
      door.rendezvous(20s);
      const std::string mine = random_text(3'000'000 + static_cast<std::size_t>(r));
      door.put("value/" + std::to_string(r), mine);
      EXPECT_EQ(door.get("value/" + std::to_string(r), 10s), mine);
      EXPECT_EQ(door.get("value/" + std::to_string((r + 1) % size), 20s).size(),
                3'000'000u + static_cast<std::size_t>((r + 1) % size));
      door.leave();
    }));
  for (auto& each : ranks) each.get();
}

TEST_F(store_tls, another_secret_is_refused_at_once) {
  store_server server(served(1));
  store_options options = joining(server, 0, 1);
  options.secret = "another";
  EXPECT_CONTAINS(error_of(errc::authentication, [&] { store_bootstrap door(options); }), "the same secret");
}

TEST_F(store_tls, clear_text_is_refused_either_way) {
  for (const bool has_server_tls : {true, false}) {
    store_server server(served(1, has_server_tls));
    store_options options = joining(server, 0, 1, !has_server_tls);
    options.connect_timeout = 500ms;
    EXPECT_CONTAINS(error_of(errc::timeout, [&] { store_bootstrap door(options); }), "HAWSER_TLS");
  }
}

TEST_F(store_tls, another_rank_s_store_after_a_loss_has_it_too) {
  auto server = std::make_unique<store_server>(served(2));
  std::vector<std::unique_ptr<store_bootstrap>> ranks(2);
  std::vector<std::future<void>> joined;
  for (int r = 0; r < 2; ++r)
    joined.push_back(std::async(std::launch::async, [&, r] {
      ranks[static_cast<std::size_t>(r)] = std::make_unique<store_bootstrap>(joining(*server, r, 2));
      ranks[static_cast<std::size_t>(r)]->rendezvous(20s);
    }));
  for (auto& each : joined) each.get();
  server.reset();
  std::vector<std::future<agreement>> asking;
  for (auto& each : ranks)
    asking.push_back(std::async(std::launch::async, [door = each.get()] {
      return door->agree({.name = "after", .members = {rank(0), rank(1)}, .said = {}, .timeout = 20s});
    }));
  for (auto& each : asking) EXPECT_EQ(each.get().count(standing::present), 2);
  std::vector<std::future<void>> leaving;
  for (auto& each : ranks) leaving.push_back(std::async(std::launch::async, [door = each.get()] { door->leave(); }));
}

TEST_F(store_tls, collectives_are_right_over_it_and_the_rest_is_refused) {
  constexpr int size = 4;
  store_server server(served(size));
  std::vector<std::future<void>> ranks;
  for (int r = 0; r < size; ++r)
    ranks.push_back(std::async(std::launch::async, [&, r] {
      communicator_options options;
      options.topology = "rack:2 gpu:2";
      options.transports = {transport::tcp_factory()};
      options.transports.insert(options.transports.begin(), options.transports.front());
      options.transports.front().name = "in the clear";  // preferred, if it could
      options.transports.front().can_encrypt = false;
      options.has_tls = true;
      auto door = std::make_unique<store_bootstrap>(joining(server, r, size));
      door->rendezvous(20s);
      communicator members(std::move(door), options);
      EXPECT_EQ(members.transport_to((r + 1) % size), "tcp");
      test::battery check(members);
      for (const std::int64_t count : {1, 1000, 100'003}) check.all_types_of_collectives<float>(count);
      check.all_types_of_collectives<std::int8_t>(777);
    }));
  for (auto& each : ranks) each.get();
}

TEST_F(store_tls, ranks_that_differ_are_told) {
  store_server server(served(2));
  std::vector<std::future<void>> ranks;
  for (int r = 0; r < 2; ++r)
    ranks.push_back(std::async(std::launch::async, [&, r] {
      auto door = std::make_unique<store_bootstrap>(joining(server, r, 2));
      door->rendezvous(20s);
      communicator_options options;
      options.has_tls = r == 0;
      EXPECT_CONTAINS(error_of(errc::mismatch, [&] { communicator members(std::move(door), options); }), "TLS");
    }));
  for (auto& each : ranks) each.get();
}

}  // namespace
}  // namespace hawser::bootstrap
