// Threads as ranks of one job.
#include <hawser/bootstrap/in_process.hpp>

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawser::bootstrap {
namespace {

using namespace std::chrono_literals;

template <class Body>
errc code_of(Body&& body) {
  try {
    body();
  } catch (const error& raised) {
    return raised.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return errc::internal;
}

TEST(in_process, every_rank_sees_what_every_rank_published) {
  constexpr int size = 8;
  const auto job = in_process_job::create(size, "secret");
  std::vector<std::thread> threads;
  std::vector<int> sums(size);
  for (int r = 0; r < size; ++r)
    threads.emplace_back([&, r] {
      const auto self = job->join(r);
      self->put("key/" + std::to_string(r), std::to_string(r * r));
      for (int peer = 0; peer < size; ++peer)
        sums[static_cast<std::size_t>(r)] += std::stoi(self->get("key/" + std::to_string(peer), 30s));
      self->leave();
    });
  for (auto& each : threads) each.join();
  EXPECT_EQ(sums, std::vector<int>(size, 140));
}

TEST(in_process, keys_are_written_once_and_can_be_erased) {
  const auto job = in_process_job::create(1);
  const auto self = job->join(0);
  self->put("key", "value");
  self->put("key", "value");
  EXPECT_EQ(code_of([&] { self->put("key", "other"); }), errc::mismatch);
  self->erase("key");
  EXPECT_EQ(code_of([&] { self->get("key", 1ms); }), errc::timeout);
  self->put("key", "other");
  EXPECT_EQ(self->get("key", 1ms), "other");
}

TEST(in_process, a_timeout_names_the_key) {
  const auto self = in_process_job::create(2)->join(1);
  try {
    self->get("address/tcp/0", 5ms);
    FAIL();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), errc::timeout);
    EXPECT_NE(std::string(raised.what()).find("address/tcp/0"), std::string::npos) << raised.what();
  }
}

TEST(in_process, a_dead_rank_ends_the_waiting_of_the_others) {
  const auto job = in_process_job::create(3);
  const auto zero = job->join(0), one = job->join(1);
  std::thread killer([&] { job->declare_dead(2, "killed by the test"); });
  try {
    zero->get("never", 60s);
    ADD_FAILURE();
  } catch (const error& raised) {
    EXPECT_EQ(raised.code(), errc::peer_failed);
    EXPECT_EQ(raised.peer(), rank(2));
    EXPECT_NE(std::string(raised.what()).find("killed by the test"), std::string::npos);
  }
  killer.join();
  ASSERT_EQ(one->failures().since(0).size(), 1u);
  EXPECT_EQ(one->failures().since(0)[0].peer, rank(2));
  one->put("there", "yes");
  EXPECT_EQ(zero->get("there", 0ms), "yes");  // what is there is given whatever happened
}

TEST(in_process, ending_without_leaving_is_a_death_and_leaving_is_not) {
  const auto job = in_process_job::create(3);
  const auto zero = job->join(0);
  {
    const auto one = job->join(1);
    one->leave();
  }
  EXPECT_EQ(zero->failures().generation(), 0u);
  { const auto two = job->join(2); }
  ASSERT_EQ(zero->failures().generation(), 1u);
  EXPECT_EQ(zero->failures().since(0)[0].peer, rank(2));
}

TEST(in_process, an_abort_reaches_every_rank) {
  const auto job = in_process_job::create(2);
  const auto zero = job->join(0), one = job->join(1);
  std::thread aborting([&] { one->abort("enough"); });
  EXPECT_EQ(code_of([&] { zero->get("never", 60s); }), errc::aborted);
  aborting.join();
  EXPECT_EQ(one->failures().since(0).at(0).reason, "enough");
}

TEST(in_process, refuses_wrong_ranks) {
  const auto job = in_process_job::create(2);
  const auto zero = job->join(0);
  EXPECT_EQ(code_of([&] { job->join(0); }), errc::mismatch);
  EXPECT_EQ(code_of([&] { job->join(2); }), errc::invalid_argument);
  EXPECT_EQ(code_of([&] { job->join(-1); }), errc::invalid_argument);
  EXPECT_EQ(code_of([&] { in_process_job::create(0); }), errc::invalid_argument);
}

}  // namespace
}  // namespace hawser::bootstrap
