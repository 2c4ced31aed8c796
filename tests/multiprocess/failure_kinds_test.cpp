// Real processes that die, stop or lose a link: what the others are told, in which time, and what is survived.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include <multiprocess/local_job.hpp>
#include <multiprocess/transports.hpp>

namespace hawser {
namespace {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

constexpr milliseconds peer_timeout{2'000};

class failure_kinds : public testing::TestWithParam<std::string> {
 protected:
  communicator_options options() const {
    communicator_options made;
    made.transports = test::transport_named(GetParam());
    made.peer_timeout = peer_timeout;
    made.abort_timeout = milliseconds(200);
    return made;
  }
  std::vector<std::int32_t> processes_of(communicator& members) const {
    std::vector<std::int32_t> own{getpid()}, all(static_cast<std::size_t>(members.size()));
    members.all_gather(own, all);
    return all;
  }
};

/// What a rank is told when its calls end: "silent rank 1 in time", or what is wrong with that.
template <class Calls>
std::string told_by(communicator& members, Calls&& calls) {
  const auto begin = clock::now();
  try {
    calls();
  } catch (const error& failed) {
    const auto took = clock::now() - begin;
    const auto report = members.failure();
    if (!report || report->code != failed.code()) return std::string("no report of: ") + failed.what();
    return std::string(to_string(report->kind)) + " rank " + (report->peer ? to_string(*report->peer) : "?") +
           (took < peer_timeout + milliseconds(1'000) ? " in time" : " late");
  }
  return "no error";
}

TEST_P(failure_kinds, a_killed_process_is_dead) {
  const auto ends = test::run_job(3, peer_timeout, [&](auto door) {
    communicator members(std::move(door), options());
    std::vector<float> data(1'000);
    members.all_reduce(data);
    if (members.rank() == rank(1)) raise(SIGKILL);
    return told_by(members, [&] {
      for (;;) members.all_reduce(data);
    });
  });
  for (std::size_t r : {std::size_t{0}, std::size_t{2}}) EXPECT_EQ(ends[r].said, "dead rank 1 in time");
}

/// Half a second is less than the peer time-out: nobody is accused.
TEST_P(failure_kinds, a_short_stop_is_survived) {
  const auto ends = test::run_job(3, peer_timeout, [&](auto door) {
    communicator members(std::move(door), options());
    const auto processes = processes_of(members);
    std::vector<int> data(10'000, 1);
    for (int round = 0; round < 3; ++round) {
      if (members.rank() == rank(0)) {
        kill(processes[1], SIGSTOP);
        std::this_thread::sleep_for(milliseconds(500));  // how long it is stopped
        kill(processes[1], SIGCONT);
      }
      members.all_reduce(data, op::max);
    }
    return std::to_string(data[9'999]);
  });
  for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "1");
}

/// A stopped process is not dead, and its host answers for it. When it goes on, it is told that it was given up.
TEST_P(failure_kinds, a_stopped_process_is_silent) {
  const auto ends = test::run_job(3, peer_timeout, [&](auto door) {
    communicator members(std::move(door), options());
    const auto processes = processes_of(members);
    std::vector<float> data(1'000);
    members.all_reduce(data);
    if (members.rank() == rank(0)) kill(processes[1], SIGSTOP);
    const std::string told = told_by(members, [&] {
      for (;;) members.all_reduce(data);
    });
    if (members.rank() == rank(0)) kill(processes[1], SIGCONT);
    return told;
  });
  for (std::size_t r : {std::size_t{0}, std::size_t{2}}) EXPECT_EQ(ends[r].said, "silent rank 1 in time");
  EXPECT_NE(ends[1].said, "no error");
}

INSTANTIATE_TEST_SUITE_P(transports, failure_kinds, testing::Values("shm", "tcp"),
                         [](const auto& chosen) { return chosen.param; });

/// Ends this process's TCP connections to other ranks, that to the store excepted, as a broken network would.
int cut_links(int store_port) {
  int cut = 0;
  for (int fd = 0; fd < 1'024; ++fd) {
    sockaddr_in end{};
    socklen_t length = sizeof end;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&end), &length) != 0 || end.sin_family != AF_INET) continue;
    if (ntohs(end.sin_port) != store_port && shutdown(fd, SHUT_RDWR) == 0) ++cut;
  }
  return cut;
}

int store_port_of(const std::vector<int>& before) {
  for (int fd : before) {
    sockaddr_in end{};
    socklen_t length = sizeof end;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&end), &length) == 0 && end.sin_family == AF_INET)
      return ntohs(end.sin_port);
  }
  return -1;
}

/// Ranks 0 and 1 lose their connection and live on: all ranks hear of a cut link, and nobody is called dead.
TEST(cut_link, is_told_from_a_death) {
  const auto ends = test::run_job(3, peer_timeout, [&](auto door) {
    std::vector<int> descriptors(1'024);
    for (int fd = 0; fd < 1'024; ++fd) descriptors[static_cast<std::size_t>(fd)] = fd;
    const int store_port = store_port_of(descriptors);  // there is no other connection yet
    communicator_options options;
    options.transports = test::transport_named("tcp");
    options.peer_timeout = peer_timeout;
    communicator members(std::move(door), options);
    std::vector<float> data(1'000);
    if (members.rank() == rank(2)) {
      return told_by(members, [&] {
        for (;;) members.barrier();
      });
    }
    const hawser::rank other = 1 - members.rank().value;
    if (members.rank() == rank(0))
      members.send(data, other);
    else
      members.receive(data, other);
    const int cut = members.rank() == rank(0) ? cut_links(store_port) : 1;  // rank 2 may have connected as well
    if (cut < 1) return "cut " + std::to_string(cut) + " links";
    members.barrier();
    return std::string("no error");
  });
  EXPECT_EQ(ends[2].said.substr(0, 13), "cut_link rank") << ends[2].said;
  for (std::size_t r : {std::size_t{0}, std::size_t{1}})
    EXPECT_NE(ends[r].said.find("the link between rank"), std::string::npos) << ends[r].said;
}

/// abort from another thread than the one that waits ends the calls of all ranks.
TEST(abort, from_any_thread_ends_pending_calls) {
  const auto ends = test::run_job(3, peer_timeout, [&](auto door) {
    communicator members(std::move(door));
    members.barrier();
    if (members.rank() == rank(1)) {
      std::thread other([&] { members.abort("enough"); });
      other.join();
    }
    return told_by(members, [&] {
      for (;;) members.barrier();
    });
  });
  for (const test::rank_end& end : ends) EXPECT_EQ(end.said, "unknown rank ? in time");
}

/// The time-out of one call ends it, and says what it waited for.
TEST(call_timeout, ends_one_call) {
  const auto ends = test::run_job(2, peer_timeout, [&](auto door) {
    communicator members(std::move(door));
    std::vector<float> data(10);
    members.all_reduce(data, op::sum, {.timeout = milliseconds(60'000)});
    try {
      if (members.rank() == rank(0))
        members.all_reduce(data, op::sum, {.timeout = milliseconds(300)});
      else
        members.receive(data, 0, 9);  // never sent: it waits until the job is over
    } catch (const error& failed) {
      return std::string(failed.what());
    }
    return std::string("no error");
  });
  EXPECT_NE(ends[0].said.find("did not complete within 300 ms"), std::string::npos) << ends[0].said;
  EXPECT_NE(ends[1].said.find("timed out"), std::string::npos) << ends[1].said;
}

}  // namespace
}  // namespace hawser
