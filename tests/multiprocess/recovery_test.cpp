// Real processes that are killed: the survivors agree, shrink, and compute right results; nothing leaks.
#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include <multiprocess/elastic_job.hpp>
#include <multiprocess/transports.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds peer_timeout(2'000);

communicator_options options_for(int size, const std::string& transport) {
  communicator_options options;
  options.topology = test::topology_for(size);
  options.transports = test::transport_named(transport);
  options.peer_timeout = peer_timeout;
  return options;
}

/// "right", or what is wrong: an all_reduce and an all_to_all whose results depend on each rank's old number.
std::string check(communicator& members, const std::vector<rank>& old_ranks) {
  const int mine = old_ranks[static_cast<std::size_t>(members.rank().value)].value;
  std::int64_t expected = 0;
  for (const rank each : old_ranks) expected += each.value;
  for (const std::size_t count : {std::size_t{7}, std::size_t{100'000}}) {
    std::vector<std::int64_t> sums(count, mine);
    members.all_reduce(sums);
    for (const std::int64_t each : sums)
      if (each != expected) return "a sum is " + std::to_string(each) + ", not " + std::to_string(expected);
  }
  std::vector<std::int32_t> out(old_ranks.size()), in(old_ranks.size());
  for (std::size_t r = 0; r < out.size(); ++r) out[r] = 100 * mine + old_ranks[r].value;
  members.all_to_all(out, in);
  for (std::size_t r = 0; r < in.size(); ++r)
    if (in[r] != 100 * old_ranks[r].value + mine) return "block " + std::to_string(r) + " is wrong";
  return "right";
}

/// Collectives until an error ends them; `at` is called before each round.
void work_until_error(communicator& members, const std::function<void(int round)>& at) {
  std::vector<float> data(100'000, 1.0F);
  try {
    for (int round = 0;; ++round) {
      at(round);
      members.all_reduce(data, op::max);
    }
  } catch (const error&) {  // what it is, other tests check
  }
}

/// One job in which the ranks of `victims` kill themselves in a collective, and `later`, if any, at a stage of shrink.
void expect_survivors_go_on(int size, const std::string& transport, const std::set<int>& victims,
                            std::optional<std::pair<int, recovery_stage>> later = {}) {
  std::string trace = std::to_string(size) + " ranks over " + transport + ", killed:";
  for (const int each : victims) trace += " " + std::to_string(each);
  if (later) trace += ", " + std::to_string(later->first) + " at stage " + std::to_string(int(later->second));
  SCOPED_TRACE(trace);
  const auto ends = test::run_elastic(size, peer_timeout, [&](auto, auto door) {
    communicator members(std::move(door), options_for(size, transport));
    const int self = members.rank().value;
    work_until_error(members, [&](int round) {
      if (round == 5 && victims.contains(self)) raise(SIGKILL);
    });
    if (victims.contains(self)) raise(SIGKILL);  // the other one was a moment faster
    recovery_options options;
    options.observer = [&](recovery_stage stage) {
      if (later && later->first == self && later->second == stage) raise(SIGKILL);
    };
    shrunk_communicator left = members.shrink(options);
    return check(*left.members, left.old_ranks) + " without " + std::to_string(left.lost.size());
  });
  const std::size_t lost = victims.size() + (later ? 1 : 0);
  for (int r = 0; r < size; ++r) {
    const test::rank_end& end = ends[static_cast<std::size_t>(r)];
    if (victims.contains(r) || (later && later->first == r))
      EXPECT_TRUE(end.was_killed) << end.said;
    else
      EXPECT_EQ(end.said, "right without " + std::to_string(lost)) << "rank " << r;
  }
}

class recovery_of : public testing::TestWithParam<int> {};

TEST_P(recovery_of, each_rank_killed_in_turn) {
  const int size = GetParam();
  for (int victim = 0; victim < size; ++victim) expect_survivors_go_on(size, "shm+tcp", {victim});
}

INSTANTIATE_TEST_SUITE_P(processes, recovery_of, testing::Values(3, 4, 5, 8));

TEST(recovery, over_every_transport) {
  for (const std::string& transport : test::transport_names())
    for (const int victim : {0, 2}) expect_survivors_go_on(4, transport, {victim});
}

TEST(recovery, two_ranks_killed_at_once) {
  expect_survivors_go_on(3, "shm+tcp", {1, 2});
  expect_survivors_go_on(4, "shm+tcp", {1, 3});
  expect_survivors_go_on(4, "tcp", {0, 1});  // the store, and who would open the next one
  expect_survivors_go_on(5, "shm+tcp", {0, 4});
  expect_survivors_go_on(8, "shm+tcp", {0, 1});
}

TEST(recovery, another_one_killed_during_the_agreement) {
  for (const auto stage : {recovery_stage::ended, recovery_stage::agreed, recovery_stage::opened}) {
    expect_survivors_go_on(4, "shm+tcp", {2}, {{1, stage}});
    expect_survivors_go_on(5, "shm+tcp", {3}, {{0, stage}});  // with the store
    expect_survivors_go_on(5, "shm+tcp", {0}, {{1, stage}});  // with the store's successor
  }
}

/// Three of five stop: two are no majority, whether the store is with them or has to be opened anew.
TEST(recovery, a_minority_fails_with_a_clear_error) {
  for (const bool has_store : {true, false}) {
    const auto stops = [&](int r) { return has_store ? r >= 2 : r < 3; };
    const auto ends = test::run_elastic(
        5, milliseconds(1'000),
        [&](auto, auto door) {
          communicator_options options = options_for(5, "shm+tcp");
          options.peer_timeout = milliseconds(1'000);
          communicator members(std::move(door), options);
          const int self = members.rank().value;
          work_until_error(members, [&](int round) {
            if (round == 5 && stops(self)) raise(SIGSTOP);
          });
          try {
            members.shrink();
          } catch (const error& refused) {
            return std::string(to_string(refused.code())) + ": " + refused.what();
          }
          return std::string("went on");
        },
        0, stops);
    for (int r = 0; r < 5; ++r) {
      const std::string& said = ends[static_cast<std::size_t>(r)].said;
      if (stops(r)) continue;
      EXPECT_NE(said.find("peer failed: the survivors may not go on"), std::string::npos) << said;
    }
  }
}

std::vector<rank> as_they_are(const communicator& members) {
  std::vector<rank> all;
  for (int r = 0; r < members.size(); ++r) all.emplace_back(r);
  return all;
}

std::unique_ptr<bootstrap::bootstrap> newcomer_of(bootstrap::store_options options) {
  options.self = rank(-1);
  auto door = std::make_unique<bootstrap::store_bootstrap>(options);
  door->rendezvous(milliseconds(60'000));
  return door;
}

/// Newcomers stand behind the ranks that were there; the old communicator goes on beside the grown one.
TEST(recovery, a_job_grows_by_one_and_by_two) {
  for (const int more : {1, 2}) {
    const auto ends = test::run_elastic(
        3, peer_timeout,
        [&](bootstrap::store_options options, auto door) {
          if (options.self.value >= 3) {
            const auto grown = communicator::join(newcomer_of(options), options_for(3, "shm+tcp"));
            return check(*grown, as_they_are(*grown)) + " of " + std::to_string(grown->size()) +
                   (grown->rank().value >= 3 ? "" : ", among the old ranks");
          }
          communicator members(std::move(door), options_for(3, "shm+tcp"));
          const auto grown = members.grow(more);
          if (grown->rank() != members.rank()) return std::string("the old ranks do not come first");
          const std::string found = check(*grown, as_they_are(*grown)) + " of " + std::to_string(grown->size());
          return check(members, as_they_are(members)) == "right" ? found : "the old communicator is broken";
        },
        more);
    for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "right of " + std::to_string(3 + more));
  }
}

/// Rank 1 is killed, the others shrink; a process that takes its place joins, and the job is as large as before.
TEST(recovery, a_restarted_rank_may_rejoin) {
  const auto ends = test::run_elastic(
      4, peer_timeout,
      [&](bootstrap::store_options options, auto door) {
        if (options.self.value >= 4) {
          const auto grown = communicator::join(newcomer_of(options), options_for(4, "tcp"));
          return check(*grown, as_they_are(*grown)) + " of " + std::to_string(grown->size());
        }
        communicator members(std::move(door), options_for(4, "tcp"));
        work_until_error(members, [&](int round) {
          if (round == 3 && members.rank() == rank(1)) raise(SIGKILL);
        });
        const shrunk_communicator left = members.shrink();
        const auto grown = left.members->grow(1);
        return check(*grown, as_they_are(*grown)) + " of " + std::to_string(grown->size());
      },
      1);
  for (std::size_t r = 0; r < ends.size(); ++r)
    if (r == 1)
      EXPECT_TRUE(ends[r].was_killed);
    else
      EXPECT_EQ(ends[r].said, "right of 4") << "process " << r;
}

std::size_t entries_of(const char* directory) {
  std::size_t count = 0;
  DIR* const open = opendir(directory);
  while (open && readdir(open)) ++count;
  if (open) closedir(open);
  return count;
}

/// Aborts and shrinks many times: descriptors, threads and shared-memory objects come and go.
TEST(recovery, nothing_leaks_over_many_shrinks) {
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_elastic(3, peer_timeout, [&](auto, auto door) {
      auto members = std::make_unique<communicator>(std::move(door), options_for(3, transport));
      std::vector<std::size_t> descriptors, threads, objects;
      for (int round = 0; round < 8; ++round) {
        members->barrier();
        work_until_error(*members, [&](int call) {
          if (call == 2 && members->rank().value == round % 3) members->abort("round " + std::to_string(round));
        });
        shrunk_communicator left = members->shrink();
        members = std::move(left.members);
        if (const std::string found = check(*members, left.old_ranks); found != "right") return found;
        members->barrier();
        descriptors.push_back(entries_of("/proc/self/fd"));
        threads.push_back(entries_of("/proc/self/task"));
        objects.push_back(entries_of("/proc/self/map_files"));
      }
      const bool is_steady =
          descriptors[2] == descriptors[7] && threads[2] == threads[7] && objects[7] <= objects[2] + 8;
      return is_steady ? std::string("steady")
                       : "descriptors " + std::to_string(descriptors[2]) + " -> " + std::to_string(descriptors[7]) +
                             ", threads " + std::to_string(threads[2]) + " -> " + std::to_string(threads[7]) +
                             ", mappings " + std::to_string(objects[2]) + " -> " + std::to_string(objects[7]);
    });
    for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "steady");
  }
}

}  // namespace
}  // namespace hawser
