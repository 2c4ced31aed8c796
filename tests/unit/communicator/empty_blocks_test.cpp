// v-collectives whose block sizes all ranks know: empty blocks cost no message, both ends agree on which those are, and
// ranks that do not agree find out.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <hawser/algorithm/enumerate.hpp>
#include <support/threads_over.hpp>

namespace hawser {
namespace {

using sizes = std::vector<std::int64_t>;

/// Passes everything on, and counts the empty messages that are sent.
class counting_wire {
 public:
  counting_wire(transport::any_transport wire, int& empty) : wire_(std::move(wire)), empty_(empty) {}

  std::string_view name() const { return wire_.name(); }
  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
    if (bytes.empty()) ++empty_;
    wire_.send(peer, match, bytes, done);
  }
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
    wire_.receive(peer, match, into, done);
  }
  bool progress() { return wire_.progress(); }
  bool arm() { return wire_.arm(); }
  int wait_descriptor() const { return wire_.wait_descriptor(); }
  bool consumes_in_place(rank peer) const { return wire_.consumes_in_place(peer); }
  bool reaches(rank peer) const { return wire_.reaches(peer); }
  void peer_failed(const transport::failure& why) { wire_.peer_failed(why); }
  void shutdown() { wire_.shutdown(); }

 private:
  transport::any_transport wire_;
  int& empty_;
};

/// Runs `body(communicator, empty messages of this rank)` on threads.
template <class Body>
void run_counted(int size, const std::string& topology, Body&& body) {
  std::vector<int> empty(static_cast<std::size_t>(size), 0);
  const auto hub = std::make_shared<transport::in_process_hub>(size);
  transport::factory counting = transport::in_process_factory(hub);
  counting.open = [&empty, open = counting.open](const transport::endpoint_environment& environment) {
    auto wire =
        std::make_unique<counting_wire>(open(environment), empty[static_cast<std::size_t>(environment.self.value)]);
    return transport::any_transport(std::move(wire));
  };
  communicator_options options;
  options.topology = topology;
  options.transports = {counting};
  detail::run_threads(size, options, [&](communicator& members) {
    body(members, empty[static_cast<std::size_t>(members.rank().value)]);
  });
}

std::int64_t sum(const sizes& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

/// Half of the blocks empty; and: all of them, all but the first, all but the last.
std::vector<sizes> some_sizes(int n) {
  std::mt19937 random(20'261);
  std::vector<sizes> all(3, sizes(static_cast<std::size_t>(n), 0));
  all[1].front() = 41;
  all[2].back() = 1;
  for (int i = 0; i < 4; ++i) {
    sizes counts;
    for (int r = 0; r < n; ++r) counts.push_back(random() % 2 == 0 ? 0 : static_cast<std::int64_t>(random() % 50));
    all.push_back(counts);
  }
  return all;
}

std::int32_t element(std::int64_t from, std::int64_t i) {
  return static_cast<std::int32_t>(from * 100'000 + i);
}

void gather(communicator& members, const sizes& blocks, const call_options& options) {
  const auto self = members.rank().value;
  std::vector<std::int32_t> own, wanted, got(static_cast<std::size_t>(sum(blocks)), -1);
  for (std::int64_t i = 0; i < blocks[static_cast<std::size_t>(self)]; ++i) own.push_back(element(self, i));
  for (std::size_t r = 0; r < blocks.size(); ++r)
    for (std::int64_t i = 0; i < blocks[r]; ++i) wanted.push_back(element(static_cast<std::int64_t>(r), i));
  members.all_gather_v(own, got, blocks, options);
  ASSERT_EQ(got, wanted) << options.algorithm;
}

void scatter_sums(communicator& members, const sizes& blocks, const call_options& options) {
  const auto self = static_cast<std::size_t>(members.rank().value);
  std::vector<std::int32_t> all, wanted, got(static_cast<std::size_t>(blocks[self]), -1);
  for (std::int64_t i = 0; i < sum(blocks); ++i) all.push_back(element(members.rank().value, i));
  const std::int64_t begin = sum(sizes(blocks.begin(), blocks.begin() + members.rank().value));
  for (std::int64_t i = begin; i < begin + blocks[self]; ++i) {
    wanted.push_back(0);
    for (int r = 0; r < members.size(); ++r) wanted.back() += element(r, i);
  }
  members.reduce_scatter_v(all, got, blocks, op::sum, options);
  ASSERT_EQ(got, wanted) << options.algorithm;
}

TEST(empty_blocks, send_nothing_by_any_algorithm) {
  const std::pair<int, const char*> machines[] = {{1, ""}, {2, ""}, {4, ""}, {5, "rack:[2,3]"}, {8, "rack:2 gpu:4"}};
  for (const auto& [size, topology] : machines)
    run_counted(size, topology, [](communicator& members, const int& empty) {
      for (const std::int64_t segments : {1, 3})
        for (const sizes& blocks : some_sizes(members.size())) {
          call_options options;
          options.segments = segments;
          for (const auto& each : algorithm::algorithm_names(members.hierarchy(), schedule::collective::all_gather)) {
            options.algorithm = each;
            gather(members, blocks, options);
          }
          for (const auto& each :
               algorithm::algorithm_names(members.hierarchy(), schedule::collective::reduce_scatter)) {
            options.algorithm = each;
            scatter_sums(members, blocks, options);
          }
        }
      EXPECT_EQ(empty, 0);
    });
}

/// Where each rank knows its own sizes only, an empty block is a message, without which 0 against n would be a hang.
TEST(empty_blocks, of_private_sizes_are_messages) {
  run_counted(3, "", [](communicator& members, const int& empty) {
    const sizes none(3, 0);
    std::vector<float> nothing;
    call_options straight;
    straight.algorithm = "pairwise";
    members.all_to_all_v(nothing, none, nothing, none, straight);
    EXPECT_EQ(empty, 2);
  });
}

/// The same number of elements in all, but not in the same blocks: rank 0 expects a message that rank 1 does not send.
TEST(empty_blocks, that_ranks_do_not_agree_on_are_a_mismatch) {
  communicator_options options;
  options.peer_timeout = milliseconds(400);
  options.operation_timeout = milliseconds(30'000);
  std::atomic<int> mismatches{0}, errors{0};
  run_in_process(2, options, [&](communicator& members) {
    const bool is_first = members.rank() == rank(0);
    const sizes blocks = is_first ? sizes{0, 8} : sizes{8, 0};
    std::vector<float> own, all(8);
    try {
      members.all_gather_v(own, all, blocks);
      members.barrier();
    } catch (const error& raised) {
      ++errors;
      if (raised.code() == errc::mismatch) ++mismatches;
    }
  });
  EXPECT_EQ(errors, 2);
  EXPECT_GE(mismatches, 1);
}

}  // namespace
}  // namespace hawser
