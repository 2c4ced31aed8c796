// Validation mode between real processes: every rank is told what differs, before data moves.
#include <gtest/gtest.h>

#include <multiprocess/local_job.hpp>
#include <multiprocess/transports.hpp>
#include <support/differing_calls.hpp>

namespace hawser {
namespace {

class validation : public testing::TestWithParam<int> {};

TEST_P(validation, tells_all_processes_what_differs) {
  const int size = GetParam();
  const auto calls = test::differing_calls();
  for (const std::string& transport : test::transport_names()) {
    SCOPED_TRACE(transport);
    const auto ends = test::run_job(size, bootstrap::milliseconds(10'000), [&](auto door) {
      communicator_options options;
      options.transports = test::transport_named(transport);
      options.validate = true;
      communicator members(std::move(door), options);
      std::size_t found = 0;
      for (const test::differing_call& each : calls) {
        try {
          each.make(members, members.rank() == rank(size - 1));
        } catch (const error& raised) {
          const bool says_it = std::string(raised.what()).find("another " + each.field) != std::string::npos;
          if (raised.code() != errc::mismatch || !says_it) return std::string(raised.what());
          ++found;
        }
      }
      std::vector<int> data(100, 1);
      members.all_reduce(data);
      return std::to_string(found) + " found, then " + std::to_string(data[99]);
    });
    for (const test::rank_end& end : ends)
      EXPECT_EQ(end.said, std::to_string(calls.size()) + " found, then " + std::to_string(size));
  }
}

INSTANTIATE_TEST_SUITE_P(processes, validation, testing::Values(2, 3, 4, 5));

}  // namespace
}  // namespace hawser
