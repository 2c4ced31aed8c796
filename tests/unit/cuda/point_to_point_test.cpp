// Messages through mailboxes of the device core on host threads: any number at once, each at its own pace.
#include <hawser/cuda/messages.hpp>

#include <algorithm>
#include <deque>
#include <map>

#include <hawser/cuda/device/host_block.hpp>

#include "unit/cuda/host_grid.hpp"

namespace device_testing {
namespace {

using hawser::executor::stream_transfer;

/// Ranks with mailboxes in host memory.
class mail_group {
 public:
  explicit mail_group(int ranks,
                      mailbox_shape shape = {.shares = 3, .slots = 2, .slot_bytes = 256, .least_share_bytes = 512},
                      std::uint64_t patience_ns = 60'000'000'000)
      : layout_{shape}, views_(static_cast<std::size_t>(ranks)) {
    layout_.shape.ranks = ranks;
    for (int r = 0; r < ranks; ++r) windows_.push_back(std::make_unique<vec16[]>(layout_.bytes() / sizeof(vec16) + 1));
    for (int r = 0; r < ranks; ++r) {
      rank_view& view = views_[static_cast<std::size_t>(r)];
      view.rank = r;
      view.size = ranks;
      view.timeout_ns = patience_ns;
      for (int p = 0; p < ranks; ++p)
        view.windows[p] = reinterpret_cast<std::byte*>(windows_[static_cast<std::size_t>(p)].get());
    }
  }

  const rank_view& view(int r) const { return views_[static_cast<std::size_t>(r)]; }
  const mailbox_layout& layout() const { return layout_; }
  fault fault_of(int r) const { return fault::of(*view(r).at<std::uint32_t>(r, 0)); }
  /// Every counter of every rank, as if so many pieces had been moved before.
  void begin_at(std::uint32_t pieces) {
    for (const rank_view& each : views_)
      for (int p = 0; p < each.size; ++p)
        for (int s = 0; s < layout_.shape.shares; ++s)
          for (const std::uint64_t at :
               {layout_.sent(p, s), layout_.taken(p, s), layout_.filled(p, s), layout_.drained(p, s)})
            *each.at<std::uint32_t>(each.rank, at) = pieces;
  }

  /// One rank's exchanges, one after the other, as on a stream.
  void start(int r, std::vector<std::vector<stream_transfer>> exchanges) {
    streams_.emplace_back([this, r, list = std::move(exchanges)] {
      for (const std::vector<stream_transfer>& each : list) run_exchange(r, each);
    });
  }
  /// Waits for all of them.
  void finish() {
    for (std::thread& each : streams_) each.join();
    streams_.clear();
  }

 private:
  void run_exchange(int r, const std::vector<stream_transfer>& transfers) const {
    const message_call call = hawser::cuda::call_for(transfers, view(r), layout_);
    std::vector<std::unique_ptr<host_block_state>> blocks;
    std::vector<std::thread> threads;
    for (unsigned c = 0; c < static_cast<unsigned>(call.ctas); ++c) {
      blocks.push_back(std::make_unique<host_block_state>(2));
      for (unsigned t = 0; t < 2; ++t)
        threads.emplace_back([&state = *blocks.back(), &call, t, c] {
          move_messages(host_block(state, t, c, static_cast<unsigned>(call.ctas)), call);
        });
    }
    for (std::thread& each : threads) each.join();
  }

  mailbox_layout layout_;
  std::vector<rank_view> views_;
  std::vector<std::unique_ptr<vec16[]>> windows_;
  std::vector<std::thread> streams_;
};

using bytes = device_buffer<std::byte>;

/// A message and both of its ends.
struct letter {
  int from, to;
  std::unique_ptr<bytes> sent, received;
};

letter write_letter(int from, int to, std::size_t size, std::mt19937_64& random) {
  letter made{from, to, std::make_unique<bytes>(size, random() % 17), std::make_unique<bytes>(size, random() % 17)};
  for (std::size_t i = 0; i < size; ++i) made.sent->data()[i] = static_cast<std::byte>(random());
  return made;
}

void expect_delivered(const letter& each) {
  ASSERT_TRUE(each.received->has_intact_guards());
  for (std::size_t i = 0; i < each.sent->size(); ++i)
    ASSERT_EQ((*each.received)[i], (*each.sent)[i]) << each.from << " to " << each.to << ", byte " << i;
}

/// What rank r does in an exchange of these letters.
std::vector<stream_transfer> part_of(int r, const std::vector<letter>& all) {
  std::vector<stream_transfer> part;
  for (const letter& each : all) {
    if (each.from == r) part.push_back({hawser::rank(each.to), true, each.sent->data(), each.sent->size()});
    if (each.to == r) part.push_back({hawser::rank(each.from), false, each.received->data(), each.received->size()});
  }
  return part;
}

TEST(point_to_point, random_exchanges_of_random_sizes) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("HAWSER_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (const int ranks : {2, 3, 5}) {
    mail_group group(ranks);
    group.begin_at(static_cast<std::uint32_t>(-3));  // numbers wrap around
    for (int round = 0; round < 12; ++round) {
      std::vector<letter> letters;
      for (std::size_t i = 0; i < 1 + random() % 6; ++i) {
        const int from = static_cast<int>(random() % static_cast<unsigned>(ranks));
        const int to = (from + 1 + static_cast<int>(random() % static_cast<unsigned>(ranks - 1))) % ranks;
        letters.push_back(write_letter(from, to, 1 + random() % (random() % 2 == 0 ? 40 : 5000), random));
      }
      for (int r = 0; r < ranks; ++r) group.start(r, {part_of(r, letters)});
      group.finish();
      for (const letter& each : letters) ASSERT_NO_FATAL_FAILURE(expect_delivered(each));
    }
  }
}

/// Three letters in one exchange of the sender, taken in three of the receiver's; more than its slots hold.
TEST(point_to_point, the_two_ends_may_be_in_different_exchanges) {
  std::mt19937_64 random(1);
  mail_group group(2);
  std::vector<letter> letters;
  for (const std::size_t size : {std::size_t{4000}, std::size_t{70}, std::size_t{9000}})
    letters.push_back(write_letter(0, 1, size, random));
  const std::vector<stream_transfer> wanted = part_of(1, letters);
  group.start(0, {part_of(0, letters)});
  group.start(1, {{wanted[0]}, {wanted[1]}, {wanted[2]}});
  group.finish();
  for (const letter& each : letters) ASSERT_NO_FATAL_FAILURE(expect_delivered(each));
}

/// Rank 1 comes to what rank 0 sends it only after rank 2 has all of what rank 0 sends in the same exchange.
TEST(point_to_point, a_message_is_not_held_up_by_another_one) {
  std::mt19937_64 random(1);
  mail_group group(3);
  std::vector<letter> letters;
  letters.push_back(write_letter(0, 1, 5000, random));
  letters.push_back(write_letter(0, 2, 5000, random));
  letters.push_back(write_letter(2, 1, 10, random));
  const auto one = part_of(1, letters), two = part_of(2, letters);
  group.start(0, {part_of(0, letters)});
  group.start(1, {{one[1]}, {one[0]}});
  group.start(2, {{two[0]}, {two[1]}});
  group.finish();
  for (const letter& each : letters) ASSERT_NO_FATAL_FAILURE(expect_delivered(each));
}

TEST(point_to_point, a_rank_that_never_comes_is_named) {
  std::mt19937_64 random(1);
  mail_group group(3, {.shares = 2, .slots = 2, .slot_bytes = 256, .least_share_bytes = 512}, 50'000'000);
  std::vector<letter> letters;
  letters.push_back(write_letter(0, 2, 5000, random));
  letters.push_back(write_letter(1, 0, 100, random));
  group.start(0, {part_of(0, letters)});
  group.start(1, {part_of(1, letters)});
  group.finish();  // rank 2 does nothing
  EXPECT_EQ(group.fault_of(0).reason, fault_reason::never_arrived);
  EXPECT_EQ(group.fault_of(0).peer, 2);
  EXPECT_EQ(group.fault_of(1).peer, 2) << "all ranks are told";
}

TEST(point_to_point, a_call_has_a_cta_per_share_and_keeps_the_order_of_a_lane) {
  mail_group group(4);
  std::byte memory[1];
  const auto at = [&](int peer, bool is_send, std::size_t size) {
    return stream_transfer{hawser::rank(peer), is_send, memory, size};
  };
  const message_call call =
      hawser::cuda::call_for(std::vector{at(3, true, 1), at(0, true, 5000), at(3, false, 600), at(3, true, 1100)},
                             group.view(2), group.layout());
  // To rank 3 first, in order, then from it, then to rank 0: whoever comes next.
  ASSERT_EQ(call.count, 4);
  constexpr std::uint64_t sizes[] = {1, 1100, 600, 5000};
  constexpr std::int16_t first[] = {0, 0, 3, 5};
  for (int m = 0; m < 4; ++m) {
    EXPECT_EQ(call.messages[m].bytes, sizes[m]);
    EXPECT_EQ(call.first_cta[m], first[m]);
  }
  EXPECT_EQ(call.ctas, 8);
  EXPECT_EQ(hawser::cuda::call_for({}, group.view(0), group.layout()).ctas, 0);
}

TEST(point_to_point, all_messages_of_a_full_exchange_are_resident_together) {
  EXPECT_EQ(hawser::cuda::most_shares(264, 8, 2), 8);
  EXPECT_EQ(hawser::cuda::most_shares(264, 72, 1), 1);
  EXPECT_EQ(hawser::cuda::most_shares(132, 72, 1), 0);  // not possible
  EXPECT_EQ(hawser::cuda::most_shares(132, 1, 2), 8);
}

TEST(point_to_point, more_messages_than_a_call_holds_are_refused) {
  mail_group group(2);
  std::byte memory[1];
  std::vector<stream_transfer> many(message_call::most + 1, {hawser::rank(1), true, memory, 1});
  EXPECT_THROW(hawser::cuda::call_for(many, group.view(0), group.layout()), hawser::error);
  many.pop_back();
  EXPECT_EQ(hawser::cuda::call_for(many, group.view(0), group.layout()).count, message_call::most);
}

TEST(point_to_point, peers_that_are_not_there_are_refused) {
  mail_group group(3);
  std::byte memory[1];
  for (const int peer : {-1, 1, 3}) {
    try {
      hawser::cuda::call_for(std::vector{stream_transfer{hawser::rank(peer), true, memory, 1}}, group.view(1),
                             group.layout());
      ADD_FAILURE() << peer;
    } catch (const hawser::error& refused) {
      EXPECT_EQ(refused.code(), hawser::errc::unsupported);
      EXPECT_NE(std::string(refused.what()).find("ranks 0 to 2, and this one is 1"), std::string::npos)
          << refused.what();
    }
  }
}

}  // namespace
}  // namespace device_testing
