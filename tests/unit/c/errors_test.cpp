// What is wrong becomes a status with a text, never a crash: null handles, numbers that stand for nothing, sizes,
// roots.
#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <string>

#include <hawser.h>

namespace {

/// A job of one rank.
class c_errors : public testing::Test {
 protected:
  void SetUp() override {
    hawser_local_job* job = nullptr;
    ASSERT_EQ(hawser_local_job_create(1, &job), HAWSER_SUCCESS);
    ASSERT_EQ(hawser_local_job_join(job, 0, nullptr, &comm_), HAWSER_SUCCESS) << hawser_last_error();
    hawser_local_job_free(job);
  }
  void TearDown() override {
    // None of it has harmed the communicator.
    data_[0] = 3;
    EXPECT_EQ(hawser_all_reduce(comm_, data_, data_, 1, HAWSER_INT32, HAWSER_SUM, nullptr), HAWSER_SUCCESS);
    EXPECT_EQ(data_[0], 3);
    hawser_comm_free(comm_);
  }

  hawser_status reduce(int64_t count, hawser_type type, hawser_op op, const hawser_call_options* options = nullptr) {
    return hawser_all_reduce(comm_, data_, data_, count, type, op, options);
  }

  hawser_comm* comm_ = nullptr;
  int32_t data_[4] = {};
};

#define EXPECT_FAILS(expected, text, call)                                                                 \
  do {                                                                                                     \
    EXPECT_EQ(hawser_status_text(call), std::string(hawser_status_text(expected))) << hawser_last_error(); \
    EXPECT_NE(std::string(hawser_last_error()).find(text), std::string::npos) << hawser_last_error();      \
    EXPECT_EQ(hawser_last_error_rank(), -1);                                                               \
  } while (false)

constexpr hawser_status bad = HAWSER_INVALID_ARGUMENT;

TEST_F(c_errors, null_handles_of_communicators) {
  const int64_t counts[] = {1};
  EXPECT_FAILS(bad, "the communicator is a null pointer", hawser_barrier(nullptr, nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_all_reduce(nullptr, data_, data_, 1, HAWSER_INT32, HAWSER_SUM, nullptr));
  EXPECT_FAILS(bad, "communicator",
               hawser_reduce_scatter_v(nullptr, data_, data_, counts, HAWSER_INT32, HAWSER_SUM, nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_gather(nullptr, data_, data_, 1, HAWSER_INT32, 0, nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_all_to_all_v(nullptr, data_, counts, data_, counts, HAWSER_INT32, nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_send(nullptr, data_, 1, 0, 0));
  EXPECT_FAILS(bad, "communicator", hawser_comm_abort(nullptr, "why"));
  EXPECT_FAILS(bad, "communicator", hawser_comm_split(nullptr, 0, 0, nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_group_begin(nullptr));
  EXPECT_FAILS(bad, "communicator", hawser_comm_transport(nullptr, 0, nullptr, 0, nullptr));
  EXPECT_EQ(hawser_comm_rank(nullptr), -1);
  EXPECT_EQ(hawser_comm_size(nullptr), -1);
}

TEST_F(c_errors, other_null_handles) {
  int is_done = 0;
  EXPECT_FAILS(bad, "the request is a null pointer", hawser_request_wait(nullptr));
  EXPECT_FAILS(bad, "the request is a null pointer", hawser_request_test(nullptr, &is_done));
  EXPECT_FAILS(bad, "array of requests", hawser_request_wait_all(2, nullptr));
  EXPECT_FAILS(bad, "the plan is a null pointer", hawser_plan_start(nullptr));
  EXPECT_FAILS(bad, "the plan is a null pointer", hawser_plan_explain(nullptr, nullptr, 0, nullptr));
  EXPECT_FAILS(bad, "place for the request", hawser_barrier_async(comm_, nullptr, nullptr));
  EXPECT_FAILS(bad, "place for the plan", hawser_barrier_plan(comm_, nullptr, nullptr));
  EXPECT_FAILS(bad, "place for the communicator", hawser_comm_create(nullptr, nullptr));
  EXPECT_FAILS(bad, "place for the part", hawser_comm_split(comm_, 0, 0, nullptr));
  EXPECT_FAILS(bad, "the job is a null pointer", hawser_local_job_join(nullptr, 0, nullptr, &comm_));
  hawser_comm_free(nullptr);
  hawser_request_free(nullptr);
  hawser_plan_free(nullptr);
  hawser_user_op_free(nullptr);
  hawser_local_job_free(nullptr);
  hawser_memory_free(nullptr, 8);
}

TEST_F(c_errors, numbers_that_stand_for_nothing) {
  EXPECT_FAILS(bad, "there is no data type 0", reduce(1, 0, HAWSER_SUM));
  EXPECT_FAILS(bad, "there is no data type 16", reduce(1, 16, HAWSER_SUM));
  EXPECT_FAILS(bad, "there is no data type -2147483648", reduce(1, std::numeric_limits<int>::min(), HAWSER_SUM));
  EXPECT_FAILS(bad, "there is no operator 0", reduce(1, HAWSER_INT32, 0));
  EXPECT_FAILS(bad, "there is no operator 14", reduce(1, HAWSER_INT32, 14));
  EXPECT_FAILS(bad, "user_op", reduce(1, HAWSER_INT32, HAWSER_USER_OP));
  EXPECT_FAILS(bad, "factor", reduce(1, HAWSER_FLOAT32, HAWSER_PREMUL_SUM));
  EXPECT_FAILS(bad, "has no size", reduce(1, HAWSER_USER_TYPE, HAWSER_SUM));
  EXPECT_FAILS(bad, "there is no collective 11",
               hawser_explain(comm_, 11, 1, HAWSER_INT32, HAWSER_SUM, 0, nullptr, nullptr, 0, nullptr));
  hawser_call_options options;
  hawser_call_options_init(&options, sizeof options);
  options.mode = 4;
  EXPECT_FAILS(bad, "there is no mode 4", reduce(1, HAWSER_INT32, HAWSER_SUM, &options));
  options.mode = HAWSER_FAST;
  options.accumulation = 99;
  EXPECT_FAILS(bad, "there is no data type 99", reduce(1, HAWSER_INT32, HAWSER_SUM, &options));
  options.accumulation = HAWSER_INT8;
  EXPECT_FAILS(HAWSER_UNSUPPORTED, "cannot be accumulated", reduce(1, HAWSER_INT32, HAWSER_SUM, &options));
  EXPECT_STREQ(hawser_status_text(-1), "unknown status");
  EXPECT_STREQ(hawser_status_text(13), "unknown status");
  EXPECT_EQ(hawser_type_bytes(0), 0U);
  EXPECT_EQ(hawser_type_bytes(HAWSER_USER_TYPE), 0U);
}

TEST_F(c_errors, sizes_roots_and_ranks) {
  const int64_t negative[] = {-1};
  const auto most = std::numeric_limits<int64_t>::max();
  EXPECT_FAILS(bad, "a count is negative (-3)", reduce(-3, HAWSER_INT32, HAWSER_SUM));
  EXPECT_FAILS(bad, "2^63 bytes or more", reduce(most / 2, HAWSER_INT32, HAWSER_SUM));
  EXPECT_FAILS(bad, "a count is negative", hawser_all_gather_v(comm_, data_, data_, negative, HAWSER_INT32, nullptr));
  EXPECT_FAILS(bad, "array of counts", hawser_all_gather_v(comm_, data_, data_, nullptr, HAWSER_INT32, nullptr));
  EXPECT_FAILS(bad, "array of counts", hawser_gather_v(comm_, data_, 1, data_, nullptr, HAWSER_INT32, 0, nullptr));
  EXPECT_FAILS(bad, "the root is out of range", hawser_broadcast(comm_, data_, 1, HAWSER_INT32, 1, nullptr));
  EXPECT_FAILS(bad, "the root is out of range",
               hawser_reduce(comm_, data_, data_, 1, HAWSER_INT32, HAWSER_SUM, -1, nullptr));
  EXPECT_FAILS(bad, "the root is out of range", hawser_scatter(comm_, data_, data_, 1, HAWSER_INT32, 7, nullptr));
  EXPECT_FAILS(bad, "null pointer", hawser_all_reduce(comm_, nullptr, data_, 1, HAWSER_INT32, HAWSER_SUM, nullptr));
  EXPECT_FAILS(bad, "overlap", hawser_all_reduce(comm_, data_, data_ + 1, 2, HAWSER_INT32, HAWSER_SUM, nullptr));
  EXPECT_FAILS(bad, "rank", hawser_send(comm_, data_, 4, 5, 0));
  EXPECT_FAILS(bad, "label", hawser_send(comm_, data_, 4, 0, 65'536));
  EXPECT_FAILS(bad, "there is no rank 1", hawser_comm_transport(comm_, 1, nullptr, 0, nullptr));
  EXPECT_FAILS(bad, "there is no rank 9",
               hawser_explain(comm_, HAWSER_REDUCE, 1, HAWSER_INT32, HAWSER_SUM, 9, nullptr, nullptr, 0, nullptr));
  EXPECT_FAILS(bad, "the text is a null pointer", hawser_comm_transport(comm_, 0, nullptr, 5, nullptr));
}

TEST_F(c_errors, names_that_are_unknown) {
  hawser_call_options options;
  hawser_call_options_init(&options, sizeof options);
  options.algorithm = "quantum";
  EXPECT_FAILS(HAWSER_NOT_FOUND, "unknown all_reduce algorithm \"quantum\"; use one of",
               reduce(1, HAWSER_INT32, HAWSER_SUM, &options));
}

TEST_F(c_errors, plans_and_groups_out_of_order) {
  hawser_plan* plan = nullptr;
  ASSERT_EQ(hawser_barrier_plan(comm_, nullptr, &plan), HAWSER_SUCCESS);
  EXPECT_FAILS(bad, "start", hawser_plan_wait(plan));
  hawser_plan_free(plan);
  EXPECT_FAILS(bad, "no group is open", hawser_group_end(comm_));
  ASSERT_EQ(hawser_group_begin(comm_), HAWSER_SUCCESS);
  EXPECT_FAILS(bad, "negative", reduce(-1, HAWSER_INT32, HAWSER_SUM));
  EXPECT_EQ(hawser_group_end(comm_), HAWSER_SUCCESS);
}

TEST_F(c_errors, operators_that_cannot_be) {
  const auto nothing = [](const void*, void*, const void*, const void*, size_t) {};
  hawser_user_op* op = nullptr;
  EXPECT_FAILS(bad, "function of the operator",
               hawser_user_op_create(nullptr, nullptr, HAWSER_INT32, 0, 1, nullptr, &op));
  EXPECT_FAILS(bad, "has no size", hawser_user_op_create(nothing, nullptr, HAWSER_USER_TYPE, 0, 1, nullptr, &op));
  EXPECT_FAILS(bad, "which has 4", hawser_user_op_create(nothing, nullptr, HAWSER_INT32, 8, 1, nullptr, &op));
  EXPECT_FAILS(bad, "place for the operator",
               hawser_user_op_create(nothing, nullptr, HAWSER_INT32, 0, 1, nullptr, nullptr));
  ASSERT_EQ(hawser_user_op_create(nothing, nullptr, HAWSER_INT64, 0, 1, nullptr, &op), HAWSER_SUCCESS);
  hawser_call_options options;
  hawser_call_options_init(&options, sizeof options);
  options.user_op = op;
  EXPECT_FAILS(HAWSER_UNSUPPORTED, "made for another type", reduce(1, HAWSER_INT32, HAWSER_USER_OP, &options));
  hawser_user_op_free(op);
}

/// Structs of older and newer headers.
TEST_F(c_errors, structs_of_other_versions) {
  struct newer {
    hawser_call_options known;
    int64_t later;
  } grown{};
  hawser_call_options_init(&grown.known, sizeof grown);
  EXPECT_EQ(reduce(1, HAWSER_INT32, HAWSER_SUM, &grown.known), HAWSER_SUCCESS);
  grown.later = 1;
  EXPECT_FAILS(HAWSER_UNSUPPORTED, "does not know", reduce(1, HAWSER_INT32, HAWSER_SUM, &grown.known));
  hawser_call_options older{};
  older.segments = -1;  // behind what an older header has, and so not read
  older.struct_size = offsetof(hawser_call_options, segments);
  EXPECT_EQ(reduce(1, HAWSER_INT32, HAWSER_SUM, &older), HAWSER_SUCCESS);
  older.struct_size = 0;
  EXPECT_FAILS(bad, "initialise it with {sizeof(hawser_call_options)}", reduce(1, HAWSER_INT32, HAWSER_SUM, &older));
}

TEST_F(c_errors, options_of_communicators) {
  hawser_comm* comm = nullptr;
  const auto create = [&](auto change) {
    hawser_options options;
    hawser_options_init(&options, sizeof options);
    options.ignores_environment = 1;
    change(options);
    return hawser_comm_create(&options, &comm);
  };
  EXPECT_FAILS(bad, "the rank is out of range", create([](auto& o) { o.size = 2, o.rank = 2; }));
  EXPECT_FAILS(bad, "not set: MASTER_ADDR, MASTER_PORT", create([](auto& o) { o.size = 2; }));
  EXPECT_FAILS(bad, "port", create([](auto& o) { o.store_port = 70'000; }));
  EXPECT_FAILS(bad, "peer_timeout_ms", create([](auto& o) { o.peer_timeout_ms = -1; }));
  EXPECT_FAILS(bad, "operation_timeout_ms",
               create([](auto& o) { o.operation_timeout_ms = std::numeric_limits<int64_t>::max(); }));
  EXPECT_FAILS(bad, "progress", create([](auto& o) { o.progress = 2; }));
  EXPECT_FAILS(bad, "mode", create([](auto& o) { o.mode = -1; }));
  EXPECT_FAILS(HAWSER_PARSE_ERROR, "rack", create([](auto& o) { o.topology = "rack:two"; }));
  EXPECT_EQ(comm, nullptr);
  hawser_local_job* job = nullptr;
  EXPECT_FAILS(bad, "at least one rank", hawser_local_job_create(0, &job));
}

TEST_F(c_errors, the_version_is_that_of_the_project) {
  EXPECT_EQ(hawser_version(), HAWSER_VERSION);
  EXPECT_STREQ(hawser_version_text(), HAWSER_PROJECT_VERSION);
}

}  // namespace
