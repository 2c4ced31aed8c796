// Devices that nothing joins: their messages go through the host's memory and the communicator's transports.
#include <hawser/communicator/device_communicator.hpp>

#include <gtest/gtest.h>

#include <hawser/topology/synthetic.hpp>
#include <support/collective_battery.hpp>
#include <support/device_world.hpp>
#include <support/seed.hpp>

namespace hawser {
namespace {

using test::device_buffer;
using test::device_job;
using test::run_devices;
using test::seed_of_run;
using test::thread_device;

device_job without_wires(const std::string& topology, const std::string& transport = "in_process") {
  device_job job{static_cast<int>(topology::parse_synthetic(topology).size()), topology, 2, seed_of_run()};
  job.has_wire_between_all = false;
  job.transport = transport;
  return job;
}

std::span<std::int32_t> numbers(const device_buffer& of, std::size_t count) {
  return {reinterpret_cast<std::int32_t*>(of.data()), count};
}

class device_through_host : public testing::TestWithParam<std::string> {};

TEST_P(device_through_host, battery) {
  run_devices(without_wires("rack:[2,1]", GetParam()),
              [](communicator& members, device_communicator& devices, thread_device& device) {
                EXPECT_EQ(devices.wire_to((members.rank().value + 1) % members.size()), "host_memory");
                test::through_a_device copies(members, devices, device);
                test::battery tests(copies);
                for (const std::int64_t count : {0, 17, 5000}) tests.all_types_of_collectives<std::int32_t>(count);
                tests.all_types_of_collectives<bfloat16>(33);
              });
}

/// Pieces of half a MiB on two lanes, beside the same call on the host's memory.
TEST_P(device_through_host, carries_large_messages_beside_calls_of_the_host) {
  run_devices(without_wires("gpu:3", GetParam()),
              [](communicator& members, device_communicator& devices, thread_device& device) {
                constexpr std::size_t count = 1'500'000;
                const auto stream = device.make_stream();
                {
                  const device_buffer buffer(device, count * 4);
                  const auto data = numbers(buffer, count);
                  std::iota(data.begin(), data.end(), members.rank().value);
                  std::vector<std::int32_t> on_host(data.begin(), data.end());
                  call_options options;
                  options.segments = 4;
                  devices.on(stream).all_reduce(data, op::sum, options);
                  members.all_reduce(std::span(on_host));
                  device.synchronise(stream);
                  devices.check();
                  EXPECT_TRUE(std::equal(data.begin(), data.end(), on_host.begin()));
                  EXPECT_EQ(on_host[1000], 3 * 1000 + 3);
                }
                device.destroy(stream);
              });
}

INSTANTIATE_TEST_SUITE_P(over, device_through_host, testing::Values("in_process", "shared_memory", "tcp"),
                         [](const auto& of) { return of.param; });

TEST(device_through_host, joins_domains_that_have_wires_inside) {
  device_job job = without_wires("rack:[3,2]");
  job.has_domains = true;
  run_devices(job, [](communicator& members, device_communicator& devices, thread_device& device) {
    for (int r = 0; r < 5; ++r)
      EXPECT_EQ(devices.wire_to(r), (r < 3) == (members.rank() < rank(3)) ? "domain mailboxes" : "host_memory");
    EXPECT_EQ(devices.refusals(), "");
    test::through_a_device copies(members, devices, device);
    test::battery tests(copies);
    tests.all_types_of_collectives<std::int32_t>(1000);
  });
}

TEST(device_through_host, serves_who_is_refused_a_wire) {
  device_job job = without_wires("rack:2 gpu:2");
  job.has_wire_between_all = job.is_wire_refused = job.has_domains = job.are_domains_refused = true;
  run_devices(job, [](communicator& members, device_communicator& devices, thread_device& device) {
    EXPECT_EQ(devices.wire_to(members.rank().value ^ 3), "host_memory");
    EXPECT_NE(devices.refusals().find("no mailboxes for rank"), std::string::npos) << devices.refusals();
    EXPECT_NE(devices.refusals().find("no mailboxes between all ranks"), std::string::npos) << devices.refusals();
    const device_buffer buffer(device, 400);
    std::fill_n(numbers(buffer, 100).begin(), 100, members.rank().value);
    devices.all_reduce(numbers(buffer, 100));
    EXPECT_EQ(numbers(buffer, 100)[99], 6);
  });
}

TEST(device_through_host, is_refused_where_it_is_not_wanted) {
  device_job job = without_wires("gpu:2");
  job.has_wire_between_all = job.is_wire_refused = true;
  job.may_go_through_host = false;
  try {
    run_devices(job, [](auto&&...) { ADD_FAILURE(); });
    ADD_FAILURE();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::unsupported);
    EXPECT_NE(std::string(refused.what()).find("no mailboxes between all ranks"), std::string::npos) << refused.what();
  }
}

/// Parts of a communicator, at the same time and with ranks of their own.
TEST(device_through_host, joins_parts_of_a_communicator) {
  test::run_threads_over("in_process", 5, {}, [](communicator& all) {
    const auto part = all.split(all.rank().value % 2, -all.rank().value);
    const auto device = std::make_shared<thread_device>(seed_of_run(), std::chrono::microseconds(20));
    {
      device_communicator devices(*part, {device});
      const device_buffer buffer(*device, 400);
      std::fill_n(numbers(buffer, 100).begin(), 100, 1 << all.rank().value);
      for (int round = 0; round < 3; ++round) devices.broadcast(numbers(buffer, 100), rank(part->size() - 1));
      EXPECT_EQ(numbers(buffer, 100)[50], all.rank().value % 2 == 1 ? 2 : 1);
    }
    EXPECT_EQ(device->violations(), std::vector<std::string>{});
    EXPECT_EQ(device->live(), 0U);
  });
}

TEST(device_through_host, cannot_be_captured) {
  run_devices(without_wires("gpu:2"), [](communicator&, device_communicator& devices, thread_device& device) {
    const auto stream = device.make_stream();
    {
      const device_buffer buffer(device, 400);
      devices.all_reduce(numbers(buffer, 100));
      device.begin_capture();
      try {
        devices.on(stream).all_reduce(numbers(buffer, 100));
        ADD_FAILURE();
      } catch (const error& refused) {
        EXPECT_EQ(refused.code(), errc::unsupported);
        EXPECT_NE(std::string(refused.what()).find("which a graph does not replay"), std::string::npos);
      }
      device.end_capture();
      devices.all_reduce(numbers(buffer, 100));
    }
    device.destroy(stream);
  });
}

/// A rank that unwinds in the middle of a call of the others.
TEST(device_through_host, names_a_rank_that_fails) {
  for (const char* const transport : {"in_process", "shared_memory", "tcp"}) {
    std::atomic<int> told{0};
    try {
      run_devices(without_wires("gpu:3", transport),
                  [&](communicator& members, device_communicator& devices, thread_device& device) {
                    if (members.rank() == rank(1)) throw std::runtime_error("rank 1 has failed");
                    const device_buffer buffer(device, 40'000);
                    try {
                      for (;;) devices.all_reduce(numbers(buffer, 10'000));
                    } catch (const error& failed) {
                      EXPECT_EQ(failed.code(), errc::peer_failed) << transport << ": " << failed.what();
                      EXPECT_EQ(failed.peer(), rank(1)) << transport << ": " << failed.what();
                      ++told;
                    }
                  });
      ADD_FAILURE();
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(told, 2) << transport;
  }
}

}  // namespace
}  // namespace hawser
