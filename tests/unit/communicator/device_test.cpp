// Collectives as work of streams, on devices of threads joined by the strictest wire: every algorithm, order, graphs,
// memory kinds, refusals.
#include <hawser/communicator/device_communicator.hpp>

#include <gtest/gtest.h>

#include <random>

#include <hawser/algorithm/enumerate.hpp>
#include <hawser/algorithm/properties.hpp>
#include <hawser/topology/synthetic.hpp>
#include <support/collective_battery.hpp>
#include <support/device_world.hpp>
#include <support/seed.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

using test::device_buffer;
using test::device_job;
using test::run_devices;
using test::seed_of_run;
using test::stream_handle;
using test::thread_device;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;  // the same code, ten times slower: fewer of everything
#else
constexpr bool is_sanitized = false;
#endif

class device_collectives : public testing::TestWithParam<std::string> {};

/// Every collective, in place and not, ragged and rooted, of several types.
TEST_P(device_collectives, battery) {
  const int size = static_cast<int>(topology::parse_synthetic(GetParam()).size());
  run_devices({size, GetParam(), 2, seed_of_run()},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                test::through_a_device copies(members, devices, device);
                test::battery tests(copies);
                for (const std::int64_t count : {0, 1, 17, 1000}) tests.all_types_of_collectives<std::int32_t>(count);
                tests.all_types_of_collectives<float>(33);
                tests.all_types_of_collectives<bfloat16>(5);
                tests.all_types_of_collectives<double>(1'001);
              });
}

constexpr std::size_t elements_per_block = 13;

/// One call of a collective through any forms; what a rank gets, nothing where the call gives it nothing.
template <class Forms>
std::vector<std::int32_t> result_of(Forms& forms, schedule::collective what, const call_options& options,
                                    const std::vector<std::int32_t>& blocks) {
  using schedule::collective;
  const auto n = static_cast<std::size_t>(forms.size());
  const rank root(forms.size() - 1);
  const bool is_root = forms.rank() == root;
  const std::span block(blocks.data(), elements_per_block);
  std::vector<std::int32_t> one(elements_per_block), all(n * elements_per_block);
  const std::vector<std::int64_t> sizes(n, static_cast<std::int64_t>(elements_per_block));
  switch (what) {
    case collective::all_reduce: return forms.all_reduce(block, one, op::sum, options), one;
    case collective::reduce_scatter: return forms.reduce_scatter(blocks, one, op::sum, options), one;
    case collective::all_gather: return forms.all_gather(block, all, options), all;
    case collective::all_to_all: return forms.all_to_all(blocks, all, options), all;
    case collective::all_to_all_v: return forms.all_to_all_v(blocks, sizes, all, sizes, options), all;
    case collective::broadcast:
      std::copy(block.begin(), block.end(), one.begin());
      return forms.broadcast(one, root, options), one;
    case collective::reduce: forms.reduce(block, one, root, op::sum, options); break;
    case collective::gather: forms.gather(block, all, root, options); break;
    case collective::scatter: return forms.scatter(blocks, one, root, options), one;
    case collective::barrier: forms.barrier(options); return {};
  }
  if (!is_root) return {};
  return what == collective::reduce ? one : all;
}

/// The host's results are the reference; integers, so that any association gives their bits.
void expect_same_as_host(communicator& members, test::through_a_device& copies, schedule::collective what,
                         const call_options& options) {
  std::vector<std::int32_t> blocks(static_cast<std::size_t>(members.size()) * elements_per_block);
  std::iota(blocks.begin(), blocks.end(), 1000 * members.rank().value);
  EXPECT_EQ(result_of(copies, what, options, blocks), result_of(members, what, options, blocks))
      << to_string(what) << " by " << options.algorithm << " in " << options.segments << " segments, rank "
      << members.rank().value;
}

TEST_P(device_collectives, every_algorithm_gives_the_hosts_bits) {
  const topology::hierarchy tree = topology::parse_synthetic(GetParam());
  int calls = 0;
  run_devices({static_cast<int>(tree.size()), GetParam(), 2, seed_of_run()},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                test::through_a_device copies(members, devices, device);
                for (const schedule::collective what : schedule::all_collectives)
                  for (const std::string& name : algorithm::algorithm_names(tree, what)) {
                    if (algorithm::sends_sizes_first(what, name)) continue;
                    for (std::int64_t segments = is_sanitized ? 3 : 1; segments <= 3; segments += 2) {
                      call_options options;
                      options.algorithm = name;
                      options.segments = segments;
                      expect_same_as_host(members, copies, what, options);
                      if (members.rank() == rank(0)) ++calls;
                    }
                  }
              });
  EXPECT_GT(calls, is_sanitized ? 25 : 50);
}

INSTANTIATE_TEST_SUITE_P(machines, device_collectives,
                         testing::Values("gpu:1", "gpu:3", "gpu:4", "rack:2 gpu:2", "rack:[3,2]",
                                         "pod:2 rack:[2,1] gpu:[1,2,1]"));

/// Ranks of a domain through one wire, the others through another one, in the same exchange.
TEST_P(device_collectives, every_algorithm_through_two_wires) {
  const topology::hierarchy tree = topology::parse_synthetic(GetParam());
  device_job job{static_cast<int>(tree.size()), GetParam(), 2, seed_of_run()};
  job.has_domains = true;
  run_devices(job, [&](communicator& members, device_communicator& devices, thread_device& device) {
    test::through_a_device copies(members, devices, device);
    for (const schedule::collective what : schedule::all_collectives)
      for (const std::string& name : algorithm::algorithm_names(tree, what)) {
        if (algorithm::sends_sizes_first(what, name)) continue;
        call_options options;
        options.algorithm = name;
        options.segments = 2;
        expect_same_as_host(members, copies, what, options);
      }
  });
}

TEST(device, domains_have_wires_of_their_own) {
  device_job job{5, "rack:[3,2]", 2, 1};
  job.has_domains = true;
  run_devices(job, [&](communicator& members, device_communicator& devices, thread_device&) {
    EXPECT_EQ(devices.lanes(), 2);
    for (int r = 0; r < 5; ++r)
      EXPECT_EQ(devices.wire_to(r), (r < 3) == (members.rank() < rank(3)) ? "domain mailboxes" : "all mailboxes")
          << r << " from " << members.rank().value;
  });
  job.has_wire_between_all = job.may_go_through_host = false;
  try {
    run_devices(job, [](auto&&...) { ADD_FAILURE(); });
    ADD_FAILURE();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), errc::unsupported);
    EXPECT_NE(std::string(refused.what()).find("in another domain"), std::string::npos) << refused.what();
  }
  job.are_domains_refused = true;
  try {
    run_devices(job, [](auto&&...) { ADD_FAILURE(); });
    ADD_FAILURE();
  } catch (const error& refused) {
    EXPECT_NE(std::string(refused.what()).find("no mailboxes for rank"), std::string::npos) << refused.what();
  }
}

TEST(device, a_domain_that_is_refused_uses_the_wire_between_all) {
  device_job job{4, "rack:2 gpu:2", 2, seed_of_run()};
  job.has_domains = job.are_domains_refused = true;
  run_devices(job, [&](communicator& members, device_communicator& devices, thread_device& device) {
    const device_buffer buffer(device, 64);
    const auto data = std::span(reinterpret_cast<std::int32_t*>(buffer.data()), 16);
    std::fill(data.begin(), data.end(), members.rank().value);
    devices.all_reduce(data);
    EXPECT_EQ(data[15], 6);
  });
}

/// Typed memory of a device.
template <class T>
std::span<T> elements(const device_buffer& of, std::size_t count) {
  return {reinterpret_cast<T*>(of.data()), count};
}

/// Copies into and out of the device are on the stream as the calls are, and the host waits once.
TEST(device, calls_are_ordered_by_their_stream) {
  constexpr std::size_t count = 1000, calls = 40;
  run_devices(
      {3, "", 3, seed_of_run()}, [&](communicator& members, device_communicator& devices, thread_device& device) {
        const auto stream = device.make_stream();
        auto* const host = static_cast<std::int32_t*>(
            device.allocate(2 * calls * count * sizeof(std::int32_t), test::memory_kind::pinned));
        const device_buffer in(device, count * 4), out(device, count * 4);
        call_options options;
        options.segments = 4;
        for (std::size_t call = 0; call < calls; ++call) {
          std::int32_t *const from = host + 2 * call * count, *const to = from + count;
          std::fill(from, from + count, static_cast<std::int32_t>(call) + members.rank().value);
          device.copy(stream, in.data(), from, count * 4);
          devices.on(stream).all_reduce(elements<std::int32_t>(in, count), elements<std::int32_t>(out, count), op::sum,
                                        options);
          device.copy(stream, to, out.data(), count * 4);
        }
        device.synchronise(stream);
        for (std::size_t call = 0; call < calls; ++call)
          for (std::size_t i = 0; i < count; ++i)
            ASSERT_EQ(host[(2 * call + 1) * count + i], 3 * static_cast<std::int32_t>(call) + 3) << "call " << call;
        device.release(host, test::memory_kind::pinned);
        device.destroy(stream);
      });
}

/// A call on one stream feeds a call on another one; avg and premul_sum use memory that calls share.
TEST(device, streams_are_joined_by_events) {
  constexpr std::size_t count = 513;
  run_devices({4, "rack:2 gpu:2", 2, seed_of_run()},
              [&](communicator&, device_communicator& devices, thread_device& device) {
                const auto first = device.make_stream(), second = device.make_stream();
                const auto done = device.make_event(), read = device.make_event();
                const device_buffer a(device, count * 4), b(device, count * 4), c(device, count * 4);
                const auto at = [&](const device_buffer& of) { return elements<float>(of, count); };
                std::fill(at(a).begin(), at(a).end(), 1.0F);
                for (int round = 0; round < 20; ++round) {
                  device.wait(first, read);
                  devices.on(first).all_reduce(at(a), at(b), premultiplied_sum(0.5));  // 2
                  device.record(done, first);
                  device.wait(second, done);
                  devices.on(second).all_reduce(at(b), at(c), op::avg);                 // 2
                  devices.on(second).all_reduce(at(c), at(c), premultiplied_sum(2.0));  // 16
                  device.record(read, second);
                }
                device.synchronise(second);
                for (const float each : at(c)) ASSERT_EQ(each, 16.0F);
                device.synchronise(first);
                for (const auto each : {first, second}) device.destroy(each);
                for (const auto each : {done, read}) device.destroy(each);
              });
}

/// Nothing but the order of the calls joins these streams, and scaled inputs share memory.
TEST(device, calls_on_many_streams_do_not_disturb_each_other) {
  constexpr std::size_t count = 20'000;
  run_devices({3, "", 2, seed_of_run()},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                std::vector<stream_handle> streams;
                std::vector<std::unique_ptr<device_buffer>> buffers;
                for (int i = 0; i < 12; ++i) {
                  streams.push_back(device.make_stream());
                  buffers.push_back(std::make_unique<device_buffer>(device, count * 4));
                  const auto data = elements<float>(*buffers.back(), count);
                  std::fill(data.begin(), data.end(), static_cast<float>(i + members.rank().value));
                  devices.on(streams.back()).all_reduce(data, premultiplied_sum(2.0));
                }
                for (int i = 0; i < 12; ++i) {
                  device.synchronise(streams[static_cast<std::size_t>(i)]);
                  for (const float each : elements<float>(*buffers[static_cast<std::size_t>(i)], count))
                    ASSERT_EQ(each, static_cast<float>(6 * i + 6)) << "stream " << i;
                  device.destroy(streams[static_cast<std::size_t>(i)]);
                }
              });
}

TEST(device, a_captured_call_is_replayed_a_thousand_times) {
  constexpr std::size_t count = 37;
  run_devices({3, "", 2, seed_of_run(), std::chrono::microseconds(0)},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                const auto stream = device.make_stream();
                const device_buffer in(device, count * 4), out(device, count * 4);
                const auto data = elements<std::int32_t>(in, count), sums = elements<std::int32_t>(out, count);
                call_options options;
                options.segments = 2;
                const auto call = [&] { devices.on(stream).all_reduce(data, sums, op::sum, options); };
                call();  // leaves the memory that a capture may not allocate
                device.begin_capture();
                call();
                const thread_device::graph graph = device.end_capture();
                for (int replay = 0; replay < 1'000; ++replay) {
                  device.synchronise(stream);
                  std::fill(data.begin(), data.end(), replay * 10 + members.rank().value);
                  thread_device::launch(graph);
                  if (replay % 100 == 0) call();  // both are ordered by the stream
                  device.synchronise(stream);
                  ASSERT_EQ(sums[count - 1], 30 * replay + 3);
                }
                device.destroy(stream);
              });
}

/// Nothing is enqueued, no rank is out of step, and the next call is served.
TEST(device, refusals_leave_all_as_it_was) {
  run_devices({2, "", 1, 1, std::chrono::microseconds(0), "it is driven by the host"},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                const auto stream = device.make_stream();
                const device_buffer buffer(device, 64 * 4);
                const auto data = elements<float>(buffer, 64);
                std::vector<float> hosts(64, 1.0F);
                const auto refused = [&](errc code, const char* reason, auto&& call) {
                  try {
                    call(devices.on(stream));
                    ADD_FAILURE() << "not refused: " << reason;
                  } catch (const error& raised) {
                    EXPECT_EQ(raised.code(), code) << raised.what();
                    EXPECT_NE(std::string(raised.what()).find(reason), std::string::npos) << raised.what();
                  }
                };
                refused(errc::invalid_argument, "memory of the host", [&](auto on) { on.all_reduce(hosts); });
                void* const elsewhere = device.allocate(256, test::memory_kind::other_device);
                refused(errc::invalid_argument, "another device",
                        [&](auto on) { on.all_reduce(std::span(static_cast<float*>(elsewhere), 64)); });
                device.release(elsewhere, test::memory_kind::other_device);
                refused(errc::invalid_argument, "root is out of range", [&](auto on) { on.broadcast(data, 7); });
                refused(errc::unsupported, "function of the host", [&](auto on) {
                  on.all_reduce(data,
                                user_op<float>([](const float& a, const float&) { return a; }, commutativity::ordered));
                });
                call_options options;
                options.reproducibility = schedule::mode::order_invariant;
                refused(errc::unsupported, "integer sums", [&](auto on) { on.all_reduce(data, op::sum, options); });
                options = {};
                options.accumulation = data_type::float64;
                refused(errc::unsupported, "type of the data", [&](auto on) { on.all_reduce(data, op::sum, options); });
                device.begin_capture();
                refused(errc::unsupported, "driven by the host", [&](auto on) { on.all_reduce(data); });
                EXPECT_TRUE(device.end_capture().empty());
                refused(errc::unsupported, "bit_and", [&](auto on) { on.all_reduce(data, op::bit_and); });

                std::fill(data.begin(), data.end(), 2.0F);
                devices.all_reduce(data);  // blocking, on the device
                EXPECT_EQ(data[63], 4.0F);
                devices.all_reduce(hosts);  // blocking, on the host
                EXPECT_EQ(hosts[63], 2.0F);
                EXPECT_THROW(devices.all_reduce(hosts, data), error);
                members.barrier();
                device.destroy(stream);
              });
}

TEST(device, memory_for_a_capture_must_be_there_before) {
  run_devices({3, "", 1, 1, std::chrono::microseconds(0)}, [&](communicator&, device_communicator& devices,
                                                               thread_device& device) {
    const auto stream = device.make_stream();
    const device_buffer buffer(device, 300 * 4);
    const auto data = elements<std::int32_t>(buffer, 300);
    device.begin_capture();
    try {
      devices.on(stream).all_reduce(data);
      ADD_FAILURE();
    } catch (const error& refused) {
      EXPECT_EQ(refused.code(), errc::unsupported);
      EXPECT_NE(std::string(refused.what()).find("make the call once before"), std::string::npos) << refused.what();
    }
    EXPECT_TRUE(device.end_capture().empty());
    std::fill(data.begin(), data.end(), 1);
    devices.on(stream).all_reduce(data);
    device.synchronise(stream);
    EXPECT_EQ(data[299], 3);
    device.destroy(stream);
  });
}

/// Memory that runs out on all ranks: nothing is enqueued, and the call may be made again.
TEST(device, a_call_without_memory_can_be_repeated) {
  run_devices({2, "", 2, 1, std::chrono::microseconds(0)},
              [&](communicator&, device_communicator& devices, thread_device& device) {
                const device_buffer buffer(device, 4'000);
                const auto data = elements<std::int32_t>(buffer, 1'000);
                std::fill(data.begin(), data.end(), 1);
                int failed = 0;
                for (int after = 0;; ++after) {
                  device.fail_allocation_after(after);
                  try {
                    devices.all_reduce(data);
                    break;
                  } catch (const std::bad_alloc&) {
                    ++failed;
                  }
                }
                EXPECT_GT(failed, 0);
                EXPECT_EQ(data[999], 2);
              });
}

/// Streams go on when a rank gives up, and every rank is told.
TEST(device, an_abort_ends_what_waits_on_streams) {
  run_devices({3, "", 2, seed_of_run()},
              [&](communicator& members, device_communicator& devices, thread_device& device) {
                const auto stream = device.make_stream();
                const device_buffer buffer(device, 4'000);
                const auto data = elements<std::int32_t>(buffer, 1'000);
                if (members.rank() == rank(2)) {
                  members.abort("rank 2 has had enough");
                } else {
                  try {
                    devices.on(stream).all_reduce(data);
                    device.synchronise(stream);
                    devices.check();
                    ADD_FAILURE();
                  } catch (const error& told) {
                    EXPECT_EQ(told.code(), errc::aborted);
                    EXPECT_NE(std::string(told.what()).find("had enough"), std::string::npos) << told.what();
                  }
                }
                device.synchronise(stream);
                device.destroy(stream);
              });
}

/// Blocking, and on a stream for which the caller waits.
class missing_rank : public testing::TestWithParam<bool> {};

TEST_P(missing_rank, ends_the_call_at_its_time_out) {
  std::atomic<int> told{0};
  try {
    run_devices({3, "", 2, seed_of_run()},
                [&](communicator& members, device_communicator& devices, thread_device& device) {
                  const device_buffer buffer(device, 400);
                  call_options options;
                  options.timeout = std::chrono::milliseconds(200);
                  if (members.rank() != rank(1)) {
                    try {
                      const auto data = elements<std::int32_t>(buffer, 100);
                      if (GetParam()) {
                        devices.all_reduce(data, op::sum, options);
                      } else {
                        devices.on(stream_handle::none).all_reduce(data, op::sum, options);
                        device.synchronise(stream_handle::none);
                        devices.check();
                      }
                    } catch (const error& late) {
                      told += late.code() == errc::timeout || late.code() == errc::aborted;
                    }
                  } else {
                    EXPECT_TRUE(test::eventually([&] { return told == 2; }));
                  }
                });
  } catch (const error&) {  // the job is over for all of them
  }
  EXPECT_EQ(told, 2);
}

INSTANTIATE_TEST_SUITE_P(blocking_or_not, missing_rank, testing::Bool());

}  // namespace
}  // namespace hawser
