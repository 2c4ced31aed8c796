// One communicator over two transports: shared memory inside each emulated host, another one between them.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <mutex>

#include <hawser/communicator/in_process.hpp>
#include <multiprocess/local_job.hpp>
#include <multiprocess/named_hosts.hpp>
#include <multiprocess/transports.hpp>
#include <support/collective_battery.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;

constexpr int ranks = 5;  // 0, 1, 2 on one host, 3 and 4 on the other
constexpr const char* topology = "node:[3,2]";

int host_of(rank each) {
  return each.value < 3 ? 0 : 1;
}

communicator_options options_over(const std::string& transports) {
  communicator_options options;
  options.topology = topology;
  options.transports = test::transport_named(transports);
  return options;
}

std::unique_ptr<communicator> join(std::unique_ptr<bootstrap::bootstrap> door, const communicator_options& options) {
  if (!test::become_host("host" + std::to_string(host_of(door->self())))) throw error(errc::io, "cannot name the host");
  return std::make_unique<communicator>(std::move(door), options);
}

class mixed_transports : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!test::may_name_hosts()) GTEST_SKIP() << test::why_hosts_cannot_be_named;
  }
};

TEST_P(mixed_transports, each_peer_is_reached_over_its_own_and_the_bits_are_those_of_threads) {
  std::string expected;
  std::mutex mutex;
  communicator_options threads;
  threads.topology = topology;
  run_in_process(ranks, threads, [&](communicator& members) {
    const std::string mine = std::to_string(test::run_battery(members, true));
    std::lock_guard lock(mutex);
    expected = mine;
  });
  const std::string between = GetParam().substr(GetParam().find('+') + 1);
  const auto ends = test::run_job(ranks, milliseconds(10'000), [&](auto door) {
    const auto members = join(std::move(door), options_over(GetParam()));
    for (int peer = 0; peer < ranks; ++peer) {
      if (members->rank() == rank(peer)) continue;
      const std::string wanted = host_of(peer) == host_of(members->rank()) ? "shared_memory" : between;
      if (members->transport_to(peer) != wanted)
        return "rank " + std::to_string(peer) + " is not reached over " + wanted;
    }
    return std::to_string(test::run_battery(*members, true));
  });
  for (const test::rank_end& end : ends) EXPECT_EQ(end.said, expected);
}

TEST_P(mixed_transports, a_killed_rank_is_named_on_both_hosts) {
  constexpr milliseconds peer_timeout(2'000);
  const auto ends = test::run_job(ranks, peer_timeout, [&](auto door) {
    communicator_options options = options_over(GetParam());
    options.peer_timeout = peer_timeout;
    const auto members = join(std::move(door), options);
    std::vector<float> data(300'000, 1.0F);
    try {
      for (int round = 0;; ++round) {
        if (round == 10 && members->rank() == rank(4)) raise(SIGKILL);
        members->all_reduce(data, op::max);
      }
    } catch (const error& failed) {
      return failed.peer() ? to_string(*failed.peer()) : std::string(failed.what());
    }
  });
  for (int r = 0; r < 4; ++r) EXPECT_EQ(ends[static_cast<std::size_t>(r)].said, "4") << "rank " << r;
  EXPECT_TRUE(ends[4].was_killed);
}

std::vector<std::string> mixtures() {
  std::vector<std::string> names;
  for (const std::string& each : test::transport_names())
    if (each != "shm") names.push_back("shm+" + each);
  return names;
}

INSTANTIATE_TEST_SUITE_P(over, mixed_transports, testing::ValuesIn(mixtures()), [](const auto& tested) {
  std::string name = tested.param;
  name[name.find('+')] = '_';
  return name;
});

TEST(require_auth, refuses_what_cannot_prove_the_secret) {
  if (!test::may_name_hosts()) GTEST_SKIP() << test::why_hosts_cannot_be_named;
  for (const bool is_authenticated : {true, false}) {
    const auto ends = test::run_job(2, milliseconds(10'000), [&](auto door) {
      communicator_options options;
      options.transports = test::transport_named("tcp");
      options.transports.front().is_authenticated = is_authenticated;
      options.require_auth = true;
      options.topology = "node:2";
      try {
        if (!test::become_host("host" + to_string(door->self()))) return std::string("cannot name the host");
        communicator members(std::move(door), options);
        members.barrier();
      } catch (const error& refused) {
        return std::string(to_string(refused.code())) + ": " + refused.what();
      }
      return std::string("joined");
    });
    for (const test::rank_end& end : ends) {
      if (is_authenticated) {
        EXPECT_EQ(end.said, "joined");
      } else {
        EXPECT_NE(end.said.find("require_auth"), std::string::npos) << end.said;
        EXPECT_NE(end.said.find("tcp"), std::string::npos) << end.said;
      }
    }
  }
}

}  // namespace
}  // namespace hawser
