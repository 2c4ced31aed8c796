// The TCP store between threads: keys, who may join, and how ranks leave.
#include <hawser/bootstrap/store.hpp>

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "bootstrap/store_support.hpp"

namespace hawser::bootstrap {
namespace {

TEST(store, ranks_exchange_values) {
  constexpr int size = 8;
  store_server server(server_of(size));
  std::vector<std::thread> threads;
  std::vector<std::size_t> lengths(size);
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      store_bootstrap self(client_of(server, r, size));
      self.rendezvous(20s);
      EXPECT_EQ(self.local_address(), "127.0.0.1");
      self.put("key/" + std::to_string(r), std::string(static_cast<std::size_t>(r) * 100'000, 'v'));
      for (int peer = size; peer-- > 0;)
        lengths[static_cast<std::size_t>(r)] += self.get("key/" + std::to_string(peer), 20s).size();
      self.leave();
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(lengths, std::vector<std::size_t>(size, 2'800'000));
}

TEST(store, keys_are_written_once_and_can_be_erased) {
  store_server server(server_of(1));
  store_bootstrap self(client_of(server, 0, 1));
  self.put("key", "value");
  self.put("key", "value");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { self.put("key", "other"); }), "\"key\"");
  self.erase("key");
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { self.get("key", 20ms); }), "\"key\"");
  self.put("key", "other");
  EXPECT_EQ(self.get("key", 0ms + 5s), "other");
  error_of(errc::invalid_argument, [&] { self.put("large", std::string(17 << 20, 'x')); });
  self.put("large", std::string(15 << 20, 'x'));
  EXPECT_EQ(self.get("large", 20s).size(), 15u << 20);
  self.leave();
  error_of(errc::invalid_argument, [&] { self.get("key", 1s); });
}

TEST(store, its_memory_is_bounded) {
  auto options = server_of(1);
  options.memory_limit = 1000;
  store_server server(options);
  store_bootstrap self(client_of(server, 0, 1));
  self.put("a", std::string(900, 'x'));
  EXPECT_CONTAINS(error_of(errc::resource, [&] { self.put("b", std::string(200, 'x')); }), "1000 bytes");
  self.erase("a");
  self.put("b", std::string(200, 'x'));
  self.leave();
}

TEST(store, clients_may_start_first) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  auto early = std::async(std::launch::async, [&] {
    store_options options;
    options.port = port;
    options.secret = test_secret;
    store_bootstrap self(options);
    self.put("key", "value");
    self.leave();
  });
  EXPECT_EQ(early.wait_for(50ms), std::future_status::timeout);
  auto options = server_of(1);
  options.port = port;
  store_server server(options);
  early.get();
}

TEST(store, nobody_listens) {
  int port = 0;
  {
    store_server reserved(server_of(1));
    port = reserved.port();
  }
  store_options options;
  options.self = 3;
  options.size = 4;
  options.port = port;
  options.connect_timeout = 100ms;
  const std::string message = error_of(errc::timeout, [&] { store_bootstrap self(options); });
  EXPECT_CONTAINS(message, "127.0.0.1:" + std::to_string(port));
  EXPECT_CONTAINS(message, "Connection refused");
  EXPECT_CONTAINS(message, "is rank 0 running?");
}

TEST(store, missing_ranks_are_named) {
  store_server server(server_of(5));
  store_bootstrap zero(client_of(server, 0, 5)), three(client_of(server, 3, 5));
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { zero.rendezvous(50ms); }), "ranks 1, 2, 4 of 5");
  store_bootstrap one(client_of(server, 1, 5)), two(client_of(server, 2, 5));
  EXPECT_CONTAINS(error_of(errc::timeout, [&] { zero.rendezvous(50ms); }), "rank 4 of 5");
}

TEST(store, refuses_wrong_ranks_and_sizes) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2));
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap again(client_of(server, 0, 2)); }),
                  "two processes have the same rank");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap other(client_of(server, 1, 3)); }), "started for 2");
  EXPECT_CONTAINS(error_of(errc::mismatch, [&] { store_bootstrap other(client_of(server, 2, 2)); }), "out of range");
  EXPECT_EQ(zero.failures().generation(), 0u);
}

TEST(store, the_secret_is_proven_both_ways) {
  store_server server(server_of(1));
  auto wrong = client_of(server, 0, 1);
  wrong.secret = "another";
  const std::string message = error_of(errc::authentication, [&] { store_bootstrap self(wrong); });
  EXPECT_EQ(message.find(test_secret), std::string::npos);
  wrong.secret = "";
  error_of(errc::authentication, [&] { store_bootstrap self(wrong); });
  store_bootstrap right(client_of(server, 0, 1));
  right.leave();
}

TEST(store, no_secret_only_on_loopback_or_explicitly) {
  store_server_options options;
  store_server on_loopback(options);
  options.address = "";
  EXPECT_CONTAINS(error_of(errc::authentication, [&] { store_server refused(options); }), "HAWSER_SECRET_FILE");
  options.allow_empty_secret = true;
  store_server allowed(options);
}

TEST(store, address_in_use) {
  store_server first(server_of(1));
  auto options = server_of(1);
  options.port = first.port();
  EXPECT_CONTAINS(error_of(errc::io, [&] { store_server second(options); }), std::to_string(first.port()));
}

TEST(store, an_abort_reaches_every_other_rank_and_ends_its_waiting) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2)), one(client_of(server, 1, 2));
  auto waiting =
      std::async(std::launch::async, [&] { return error_of(errc::aborted, [&] { zero.get("never", 60s); }); });
  one.abort("the loss is not a number");
  EXPECT_CONTAINS(waiting.get(), "the loss is not a number");
  EXPECT_EQ(one.failures().since(0).at(0).code, errc::aborted);
}

TEST(store, leaving_is_no_failure_and_dying_is_one) {
  store_server server(server_of(3));
  store_bootstrap zero(client_of(server, 0, 3));
  {
    store_bootstrap one(client_of(server, 1, 3));
    one.leave();
  }
  { store_bootstrap two(client_of(server, 2, 3)); }  // a crash looks like this
  const failure_notice notice = first_notice(zero.failures(), 10s);
  EXPECT_EQ(notice.peer, rank(2));
  EXPECT_CONTAINS(notice.reason, "without leaving");
  EXPECT_EQ(zero.failures().generation(), 1u);
}

/// Both ends live: every rank hears of the link, each end of the other.
TEST(store, a_lost_link_between_living_ranks_is_told_as_one) {
  store_server server(server_of(3, 1'000ms));
  store_bootstrap zero(client_of(server, 0, 3)), one(client_of(server, 1, 3)), two(client_of(server, 2, 3));
  zero.report_lost({}, 1, "connection reset");
  one.report_lost({}, 0, "connection reset");  // the same link
  const failure_notice of_zero = first_notice(zero.failures(), 10s), of_one = first_notice(one.failures(), 10s),
                       of_two = first_notice(two.failures(), 10s);
  EXPECT_EQ(of_zero.peer, rank(1));
  EXPECT_EQ(of_one.peer, rank(0));
  EXPECT_TRUE(of_two.peer == rank(0) || of_two.peer == rank(1));
  for (const failure_notice& each : {of_zero, of_one, of_two}) {
    EXPECT_EQ(each.kind, failure_kind::cut_link);
    EXPECT_CONTAINS(each.reason, "the link between rank 0 and rank 1 is cut, the store hears both (connection reset)");
  }
  EXPECT_EQ(two.failures().generation(), 1u);
}

/// The other end is gone: its death is what is told.
TEST(store, a_lost_link_to_a_dead_rank_is_a_death) {
  store_server server(server_of(3, 1'000ms));
  store_bootstrap zero(client_of(server, 0, 3)), two(client_of(server, 2, 3));
  auto one = std::make_unique<store_bootstrap>(client_of(server, 1, 3));
  zero.report_lost({}, 1, "connection reset");
  one.reset();
  for (store_bootstrap* each : {&zero, &two}) {
    const failure_notice notice = first_notice(each->failures(), 10s);
    EXPECT_EQ(notice.peer, rank(1));
    EXPECT_EQ(notice.kind, failure_kind::dead) << notice.reason;
  }
}

/// Connections of a communicator that is over are closed by ranks that live, and one may see that before it hears why.
TEST(store, a_lost_link_of_what_is_aborted_is_none) {
  store_server server(server_of(3, 1'000ms));
  store_bootstrap zero(client_of(server, 0, 3)), one(client_of(server, 1, 3)), two(client_of(server, 2, 3));
  zero.report_lost("before", 1, "closed before the abort");
  one.abort("before", "the end");
  EXPECT_EQ(first_notice(zero.failures(), 10s).code, errc::aborted);
  zero.report_lost("before", 1, "closed after the abort");
  zero.report_lost("after", 2, "closed");
  const auto links_of = [](store_bootstrap& asked) {
    std::vector<failure_notice> told = asked.failures().since(0);
    std::erase_if(told, [](const failure_notice& each) { return each.kind != failure_kind::cut_link; });
    return told;
  };
  const auto give_up = std::chrono::steady_clock::now() + 10s;
  while (links_of(two).empty() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  // Rank 1 is heard as often as rank 2: what had been kept of its link would be told by now, or with the next word.
  one.put("seen", "1");
  EXPECT_EQ(zero.get("seen", 10s), "1");
  for (store_bootstrap* each : {&zero, &one, &two}) {
    ASSERT_EQ(links_of(*each).size(), 1u);
    EXPECT_EQ(links_of(*each)[0].scope, "after");
  }
}

/// A rank that lost a link may still die, and the communicators that the link is not of have to hear of that.
TEST(store, a_death_after_a_lost_link_is_told) {
  failure_board board;
  board.post({errc::peer_failed, rank(1), "cut", failure_kind::cut_link, "one"});
  board.post({errc::peer_failed, rank(1), "cut again", failure_kind::cut_link, "one"});
  board.post({errc::peer_failed, rank(1), "cut there as well", failure_kind::cut_link, "another"});
  board.post({errc::peer_failed, rank(1), "dead", failure_kind::dead, {}, true});
  board.post({errc::peer_failed, rank(1), "dead, says another", failure_kind::dead});
  std::string told;
  for (const failure_notice& each : board.since(0)) told += each.reason + "; ";
  EXPECT_EQ(told, "cut; cut there as well; dead; ");
}

TEST(store, a_server_that_ends_in_good_order_is_no_failure) {
  store_server server(server_of(2));
  store_bootstrap zero(client_of(server, 0, 2)), one(client_of(server, 1, 2));
  zero.leave();
  server.close(10ms);
  EXPECT_CONTAINS(error_of(errc::io, [&] { one.get("never", 60s); }), "has ended");
  EXPECT_EQ(one.failures().generation(), 0u);
}

}  // namespace
}  // namespace hawser::bootstrap
