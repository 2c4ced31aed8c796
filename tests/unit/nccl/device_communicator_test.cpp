// A communicator's device side over NCCL: every collective, between all ranks and beside a wire inside domains.
#include <gtest/gtest.h>

#include <hawser/nccl/wire.hpp>

#include "support/collective_battery.hpp"
#include "support/device_world.hpp"
#include "unit/nccl/ranks.hpp"

namespace hawser::test {
namespace {

/// The battery on `size` ranks whose devices are joined by NCCL; `has_domains`: and by mailboxes inside domains.
void run_battery_over_nccl(int size, const std::string& topology, bool has_domains) {
  fake_nccl fake(seed_of_run());
  post_offices offices;
  communicator_options options;
  options.topology = topology;
  run_in_process(size, options, [&](communicator& members) {
    const int self = members.rank().value;
    auto device = std::make_shared<thread_device>(seed_of_run() + static_cast<std::uint64_t>(self),
                                                  std::chrono::microseconds(20));
    device_job job{size, topology};
    job.has_domains = has_domains;
    device_backend backend = make_backend(job, device, offices, members);
    nccl::nccl_options asked;
    asked.lanes = 2;
    backend.between_all = [&](bootstrap::bootstrap& all) {
      return nccl::make_wire(nccl::communicators({all, "nccl", {}, nullptr}, asked,
                                                 nccl::make_library(fake.of(self, *device), "the fake")));
    };
    {
      device_communicator devices(members, std::move(backend));
      EXPECT_EQ(devices.wire_to(size - 1), "nccl");
      through_a_device copies(members, devices, *device);
      battery tests(copies);
      tests.all_types_of_collectives<std::int32_t>(17);
      tests.all_types_of_collectives<float>(1'000);
    }
    EXPECT_EQ(device->violations(), std::vector<std::string>{});
    EXPECT_EQ(device->live(), 0U);
  });
  expect_nothing_left(fake);
}

TEST(nccl_device_communicator, battery_between_all_ranks) {
  for (const int size : {2, 3, 5}) run_battery_over_nccl(size, "gpu:" + std::to_string(size), false);
}

TEST(nccl_device_communicator, battery_between_racks) {
  run_battery_over_nccl(4, "rack:4 gpu:1", true);
  run_battery_over_nccl(5, "rack:[2,2,1]", true);
}

}  // namespace
}  // namespace hawser::test
