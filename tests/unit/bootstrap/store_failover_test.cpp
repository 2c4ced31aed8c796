// A store that dies: another rank opens one, agreements go on and are never made twice, newcomers find it.
#include <hawser/bootstrap/store.hpp>

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

#include <hawser/bootstrap/launcher.hpp>
#include <hawser/communicator/communicator.hpp>

#include "store_support.hpp"

namespace hawser::bootstrap {
namespace {

/// Ranks of one process over a store that a launcher, the test, runs.
class job {
 public:
  explicit job(int size, const std::vector<int>& without_rendezvous = {}) {
    options_.size = size;
    options_.secret = make_secret();
    options_.server_rank.reset();
    options_.peer_timeout = 2s;
    store_server_options served;
    served.size = size;
    served.secret = options_.secret;
    served.peer_timeout = options_.peer_timeout;
    server_ = std::make_unique<store_server>(served);
    options_.port = server_->port();
    std::vector<std::future<void>> joining;
    ranks_.resize(static_cast<std::size_t>(size));
    for (int r = 0; r < size; ++r)
      joining.push_back(std::async(std::launch::async, [&, r] {
        store_options own = options_;
        own.self = r;
        ranks_[static_cast<std::size_t>(r)] = std::make_unique<store_bootstrap>(own);
        for (const int each : without_rendezvous)
          if (each == r) return;
        at(r).rendezvous(30s);
      }));
    for (auto& each : joining) each.get();
  }
  ~job() {
    std::vector<std::future<void>> leaving;
    for (auto& each : ranks_)
      if (each) leaving.push_back(std::async(std::launch::async, [&] { each->leave(); }));
  }

  store_bootstrap& at(int r) { return *ranks_[static_cast<std::size_t>(r)]; }
  void kill_store() { server_.reset(); }
  std::unique_ptr<store_bootstrap> take(int r) { return std::move(ranks_[static_cast<std::size_t>(r)]); }
  void kill(int r) { ranks_[static_cast<std::size_t>(r)].reset(); }
  const store_options& options() const { return options_; }

  question about(const std::string& name) const {
    question asked{.name = name, .members = {}, .said = {}, .timeout = 30s};
    for (int r = 0; r < options_.size; ++r) asked.members.emplace_back(r);
    return asked;
  }
  /// Asks on all ranks that live; fails unless they get the same.
  agreement agree(const std::string& name) {
    std::vector<std::future<agreement>> asking;
    for (auto& each : ranks_)
      if (each)
        asking.push_back(std::async(std::launch::async, [&, door = each.get()] {
          question asked = about(name);
          asked.said = to_string(door->self());
          return door->agree(asked);
        }));
    std::vector<agreement> all;
    for (auto& each : asking) all.push_back(each.get());
    for (const agreement& each : all) EXPECT_EQ(each, all.front());
    return all.front();
  }

 private:
  store_options options_;
  std::unique_ptr<store_server> server_;
  std::vector<std::unique_ptr<store_bootstrap>> ranks_;
};

TEST(store_failover, ranks_agree_at_the_store_of_another_rank) {
  job ranks(4);
  EXPECT_EQ(ranks.agree("before").count(standing::present), 4);
  ranks.kill_store();
  const agreement after = ranks.agree("after");
  EXPECT_EQ(after.count(standing::present), 4);
  EXPECT_EQ(after.members[3].said, "3");
  EXPECT_EQ(ranks.at(3).failures().since(0).size(), 1u);  // the store's end, of which no rank is accused
  ranks.at(1).put("key", "value");
  EXPECT_EQ(ranks.at(2).get("key", 10s, failure_board()), "value");
  EXPECT_EQ(ranks.at(1).store_address(), ranks.at(2).store_address());
}

// store-killed:87 of seed 1209: the store dies between the rendezvous and the communicator, the next in the list finds
// that first, and ends.
TEST(store_failover, a_communicator_that_is_opened_after_the_loss_is_told_of_the_store) {
  job ranks(3);
  ranks.kill_store();
  ranks.kill(0);
  EXPECT_EQ(ranks.agree("settled").members[0].state, standing::dead);
  std::vector<std::future<void>> opening;
  for (const int r : {1, 2})
    opening.push_back(std::async(std::launch::async, [door = ranks.take(r)]() mutable {
      const std::string told = error_of(errc::peer_failed, [&] { communicator members(std::move(door)); });
      EXPECT_CONTAINS(told, "the connection to the store closed");
    }));
  for (auto& each : opening) each.get();
}

TEST(store_failover, what_cannot_be_published_is_the_store_s_fault_whoever_failed_before) {
  job ranks(3, {0, 1, 2});  // without a rendezvous nobody could take the store's place
  ranks.kill(2);
  EXPECT_EQ(first_notice(ranks.at(0).failures(), 20s).peer, rank(2));
  ranks.kill_store();
  const std::string told = error_of(errc::peer_failed, [&] { ranks.at(0).put("key", "value"); });
  EXPECT_CONTAINS(told, "the connection to the store closed");
}

TEST(store_failover, one_successor_after_the_other_while_there_is_one) {
  job ranks(4);
  ranks.kill_store();
  EXPECT_EQ(ranks.agree("first").count(standing::present), 4);
  ranks.kill(0);  // it had opened the second store
  const agreement second = ranks.agree("second");
  EXPECT_EQ(second.members[0].state, standing::dead);
  EXPECT_EQ(second.count(standing::present), 3);
  ranks.kill(1);
  const agreement third = ranks.agree("third");
  EXPECT_EQ(third.members[1].state, standing::dead);
  EXPECT_EQ(third.count(standing::present), 2);
}

TEST(store_failover, a_decision_that_one_rank_has_seen_is_not_made_again) {
  job ranks(3);
  question asked = ranks.about("early");
  asked.timeout = 200ms;
  asked.said = "alone";
  const agreement seen = ranks.at(2).agree(asked);  // the others come too late
  EXPECT_EQ(seen.count(standing::absent), 2);
  ranks.kill_store();
  EXPECT_EQ(ranks.agree("early"), seen);
}

TEST(store_failover, who_waits_for_an_agreement_goes_on_waiting_at_the_successor) {
  job ranks(3);
  auto early = std::async(std::launch::async, [&] { return ranks.at(1).agree(ranks.about("a")); });
  auto other = std::async(std::launch::async, [&] { return ranks.at(2).agree(ranks.about("a")); });
  ranks.kill_store();
  const agreement made = ranks.at(0).agree(ranks.about("a"));
  EXPECT_EQ(made.count(standing::present), 3);
  EXPECT_EQ(early.get(), made);
  EXPECT_EQ(other.get(), made);
}

TEST(store_failover, without_standbys_it_is_a_clear_error) {
  job ranks(2, {0, 1});
  ranks.kill_store();
  for (const int r : {0, 1}) {
    try {
      ranks.at(r).agree(ranks.about("never"));
      ADD_FAILURE();
    } catch (const error& lost) {
      EXPECT_EQ(lost.code(), errc::io);
      EXPECT_NE(std::string(lost.what()).find("the store has ended"), std::string::npos) << lost.what();
    }
  }
}

TEST(store_failover, a_newcomer_joins_at_the_successor) {
  job ranks(3);
  ranks.kill_store();
  EXPECT_EQ(ranks.agree("after").count(standing::present), 3);
  const std::string where = ranks.at(2).store_address();
  store_options late = ranks.options();
  late.self = rank(-1);
  late.port = std::stoi(where.substr(where.find(':') + 1));
  store_bootstrap newcomer(late);
  EXPECT_GE(newcomer.self().value, 3);
  auto admitted = std::async(std::launch::async, [&] { return newcomer.await_admission(30s); });
  std::vector<std::future<agreement>> asking;
  for (const int r : {0, 1, 2})
    asking.push_back(std::async(std::launch::async, [&, r] {
      question asked = ranks.about("grow");
      asked.newcomers = 1;
      return ranks.at(r).agree(asked);
    }));
  for (auto& each : asking) EXPECT_EQ(each.get().newcomers, std::vector<rank>{newcomer.self()});
  EXPECT_EQ(admitted.get().members, (std::vector<rank>{0, 1, 2, newcomer.self()}));
  newcomer.leave();
}

}  // namespace
}  // namespace hawser::bootstrap
