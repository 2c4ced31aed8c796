// Which of several transports between hosts a job takes.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include <hawser/communicator/in_process.hpp>
#include <hawser/transport/in_process.hpp>

namespace hawser {
namespace {

/// A line of reach network that counts how often it is opened, and suits a host when `suits` says so.
transport::factory line(int ranks, std::atomic<int>& opened, std::function<bool()> suits) {
  transport::factory made = transport::in_process_factory(std::make_shared<transport::in_process_hub>(ranks));
  made.reaches = transport::reach::network;
  made.open = [&opened, open = made.open](const transport::endpoint_environment& environment) {
    ++opened;
    return open(environment);
  };
  made.suits_host = std::move(suits);
  return made;
}

struct choice {
  int first, second;
  friend bool operator==(const choice&, const choice&) = default;
};

choice choose(std::function<bool()> first_suits, std::function<bool()> second_suits) {
  constexpr int ranks = 3;
  std::atomic<int> first{0}, second{0};
  communicator_options options;
  options.transports = {line(ranks, first, std::move(first_suits)), line(ranks, second, std::move(second_suits))};
  detail::run_threads(ranks, options, [](communicator& members) {
    std::vector<int> sum{1};
    members.all_reduce(sum);
    EXPECT_EQ(sum[0], members.size());
  });
  return {first, second};
}

bool never() {
  return false;
}

TEST(transport_choice, takes_the_first_that_suits_all_hosts) {
  EXPECT_EQ(choose({}, {}), (choice{3, 0}));
  EXPECT_EQ(choose(never, {}), (choice{0, 3}));
  EXPECT_EQ(choose(never, never), (choice{3, 0})) << "one that suits nobody is better than none";
}

TEST(transport_choice, one_host_that_lacks_the_device_decides_for_all) {
  std::atomic<int> asked{0};
  EXPECT_EQ(choose([&] { return asked++ != 1; }, {}), (choice{0, 3}));
}

/// A transport that proves the job's secret proves nothing where the job has none.
TEST(transport_choice, require_auth_needs_a_secret) {
  std::atomic<int> opened{0};
  communicator_options options;
  options.require_auth = true;
  options.transports = {line(2, opened, {})};
  options.transports.front().is_authenticated = true;
  try {
    detail::run_threads(2, options, [](communicator&) { ADD_FAILURE() << "a job without a secret was trusted"; });
    ADD_FAILURE() << "no error";
  } catch (const error& refused) {
    EXPECT_NE(std::string(refused.what()).find("HAWSER_SECRET_FILE"), std::string::npos) << refused.what();
  }
  EXPECT_EQ(opened, 0);
}

}  // namespace
}  // namespace hawser
