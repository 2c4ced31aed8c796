// The checks in C with threads as ranks.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <c/checks.h>

namespace {

/// Runs `body` on every rank of a local job of so many threads.
void run_threads(int size, const hawser_options* options, const std::function<void(hawser_comm*)>& body) {
  hawser_local_job* job = nullptr;
  ASSERT_EQ(hawser_local_job_create(size, &job), HAWSER_SUCCESS) << hawser_last_error();
  std::vector<std::thread> ranks;
  for (int r = 0; r < size; ++r)
    ranks.emplace_back([=, &body] {
      hawser_comm* comm = nullptr;
      ASSERT_EQ(hawser_local_job_join(job, r, options, &comm), HAWSER_SUCCESS) << hawser_last_error();
      EXPECT_EQ(hawser_comm_rank(comm), r);
      EXPECT_EQ(hawser_comm_size(comm), size);
      body(comm);
      hawser_comm_free(comm);
    });
  for (std::thread& each : ranks) each.join();
  hawser_local_job_free(job);
}

class c_api : public testing::TestWithParam<int> {};

TEST_P(c_api, serves_every_collective_in_every_form) {
  run_threads(GetParam(), nullptr, [](hawser_comm* comm) { EXPECT_EQ(check_collectives(comm), 0); });
}

TEST_P(c_api, serves_every_type_and_operator) {
  run_threads(GetParam(), nullptr, [](hawser_comm* comm) { EXPECT_EQ(check_reductions(comm), 0); });
}

TEST_P(c_api, has_user_operators_messages_parts_texts_and_memory) {
  run_threads(GetParam(), nullptr, [](hawser_comm* comm) { EXPECT_EQ(check_the_rest(comm), 0); });
}

INSTANTIATE_TEST_SUITE_P(ranks, c_api, testing::Values(1, 2, 3, 4, 5, 8));

TEST(c_api_options, reach_the_communicator) {
  hawser_options options;
  hawser_options_init(&options, sizeof options);
  options.topology = "rack:2@10GB/s,15us gpu:2@8GB/s,1us";
  options.progress = HAWSER_PROGRESS_CALLER;
  options.mode = HAWSER_CANONICAL;
  run_threads(4, &options, [](hawser_comm* comm) {
    std::vector<char> text(1 << 16);
    EXPECT_EQ(hawser_explain(comm, HAWSER_ALL_REDUCE, 1000, HAWSER_FLOAT32, HAWSER_SUM, 0, nullptr, text.data(),
                             text.size(), nullptr),
              HAWSER_SUCCESS);
    EXPECT_NE(std::string(text.data()).find("rack"), std::string::npos) << text.data();
    EXPECT_NE(std::string(text.data()).find("canonical"), std::string::npos) << text.data();
    EXPECT_EQ(check_collectives(comm), 0);
  });
}

TEST(c_api_abort, ends_every_rank_with_the_reason) {
  run_threads(3, nullptr, [](hawser_comm* comm) {
    if (hawser_comm_rank(comm) == 1) {
      EXPECT_EQ(hawser_comm_abort(comm, "the loss is not a number"), HAWSER_SUCCESS);
    }
    hawser_status status = HAWSER_SUCCESS;
    while (status == HAWSER_SUCCESS) status = hawser_barrier(comm, nullptr);
    EXPECT_EQ(status, HAWSER_ABORTED);
    EXPECT_NE(std::string(hawser_last_error()).find("the loss is not a number"), std::string::npos);
  });
}

/// A call that one rank makes with another count ends with an error on every rank.
TEST(c_api_mismatch, ends_every_rank) {
  hawser_options options;
  hawser_options_init(&options, sizeof options);
  options.peer_timeout_ms = 1000;
  run_threads(2, &options, [](hawser_comm* comm) {
    std::vector<float> data(20, 1.0F);
    const int64_t count = hawser_comm_rank(comm) == 0 ? 10 : 20;
    hawser_request* request = nullptr;
    ASSERT_EQ(
        hawser_all_reduce_async(comm, data.data(), data.data(), count, HAWSER_FLOAT32, HAWSER_SUM, nullptr, &request),
        HAWSER_SUCCESS);
    const hawser_status status = hawser_request_wait(request);
    EXPECT_TRUE(status == HAWSER_MISMATCH || status == HAWSER_ABORTED) << hawser_status_text(status);
    EXPECT_NE(std::string(hawser_last_error()).find("another size"), std::string::npos) << hawser_last_error();
    hawser_request_free(request);
  });
}

}  // namespace
