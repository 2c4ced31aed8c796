// The checks in C between real processes that join through the TCP store, as launchers tell them by the environment.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <string>

#include <unit/c/checks.h>
#include <multiprocess/environment_job.hpp>

namespace hawser {
namespace {

class c_api_over_processes : public testing::TestWithParam<int> {};

TEST_P(c_api_over_processes, serves_every_call) {
  const auto codes = test::run_with_environment(GetParam(), [](int rank) {
    hawser_comm* comm = nullptr;
    if (hawser_comm_create(nullptr, &comm) != HAWSER_SUCCESS) return failed_check(comm, __FILE__, __LINE__, "create");
    int failures = hawser_comm_rank(comm) == rank ? 0 : 1;
    failures += check_collectives(comm) + check_reductions(comm) + check_the_rest(comm);
    hawser_comm_free(comm);
    return failures;
  });
  for (std::size_t r = 0; r < codes.size(); ++r) EXPECT_EQ(codes[r], 0) << "rank " << r;
}

INSTANTIATE_TEST_SUITE_P(processes, c_api_over_processes, testing::Values(1, 2, 3, 4));

/// The survivors learn which rank died.
TEST(c_api_failures, name_the_rank) {
  const auto codes = test::run_with_environment(3, [](int rank) {
    hawser_options options;
    hawser_options_init(&options, sizeof options);
    options.peer_timeout_ms = 2'000;
    hawser_comm* comm = nullptr;
    if (hawser_comm_create(&options, &comm) != HAWSER_SUCCESS) return 100;
    hawser_status status = hawser_barrier(comm, nullptr);
    if (rank == 2) raise(SIGKILL);
    while (status == HAWSER_SUCCESS) status = hawser_barrier(comm, nullptr);
    const bool is_named = status == HAWSER_PEER_FAILED && hawser_last_error_rank() == 2;
    if (!is_named) return failed_check(comm, __FILE__, __LINE__, "rank 2 is named");
    hawser_comm_free(comm);
    return 0;
  });
  EXPECT_EQ(codes[0], 0);
  EXPECT_EQ(codes[1], 0);
  EXPECT_EQ(codes[2], -1);
}

/// What the options say comes before the environment.
TEST(c_api_options, come_before_the_environment) {
  const auto codes = test::run_with_environment(2, [](int rank) {
    setenv("RANK", "0", 1);
    setenv("WORLD_SIZE", "5", 1);
    hawser_options options;
    hawser_options_init(&options, sizeof options);
    options.rank = rank;
    options.size = 2;
    hawser_comm* comm = nullptr;
    if (hawser_comm_create(&options, &comm) != HAWSER_SUCCESS) return failed_check(comm, __FILE__, __LINE__, "create");
    const bool is_right = hawser_comm_rank(comm) == rank && hawser_comm_size(comm) == 2;
    hawser_comm_free(comm);
    return is_right ? 0 : 1;
  });
  for (int code : codes) EXPECT_EQ(code, 0);
}

TEST(c_api_alone, is_a_job_of_one_rank) {
  hawser_options options;
  hawser_options_init(&options, sizeof options);
  options.ignores_environment = 1;
  hawser_comm* comm = nullptr;
  ASSERT_EQ(hawser_comm_create(&options, &comm), HAWSER_SUCCESS) << hawser_last_error();
  EXPECT_EQ(hawser_comm_size(comm), 1);
  EXPECT_EQ(check_collectives(comm), 0);
  hawser_comm_free(comm);
}

}  // namespace
}  // namespace hawser
