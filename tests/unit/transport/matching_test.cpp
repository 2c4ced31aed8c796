// match_queue: posting order per tag, unexpected messages, pieces, consuming sinks, mismatch, failure, back-pressure.
#include <hawser/transport/matching.hpp>

#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hawser::transport {
namespace {

struct outcome : completion {
  outcome() { done = &record; }
  static void record(completion& self, const failure* failed) {
    auto& mine = static_cast<outcome&>(self);
    ++mine.calls;
    if (failed) mine.why = *failed;
  }
  int calls = 0;
  std::optional<failure> why;
};

std::vector<std::byte> pattern(std::size_t bytes, unsigned seed) {
  std::vector<std::byte> made(bytes);
  std::mt19937 random(seed);
  for (std::byte& each : made) each = static_cast<std::byte>(random());
  return made;
}

sink into(std::vector<std::byte>& data) {
  return {.data = data.data(), .bytes = data.size()};
}

void deliver(match_queue& queue, tag match, const std::vector<std::byte>& data, std::size_t piece) {
  arrival& message = queue.begin(match, data.size());
  for (std::size_t at = 0; at < data.size(); at += piece)
    queue.append(message, data.data() + at, std::min(piece, data.size() - at));
  queue.finish(message);
}

constexpr tag first{.segment = 1};
constexpr tag second{.segment = 2};

TEST(match_queue, posted_receive_is_filled_in_pieces) {
  match_queue queue(3);
  const auto sent = pattern(1000, 1);
  std::vector<std::byte> got(1000);
  outcome done;
  EXPECT_EQ(queue.post(first, into(got), done), nullptr);
  EXPECT_EQ(queue.outstanding(), 1u);
  deliver(queue, first, sent, 7);
  EXPECT_EQ(done.calls, 1);
  EXPECT_FALSE(done.why);
  EXPECT_EQ(got, sent);
  EXPECT_EQ(queue.outstanding(), 0u);
}

TEST(match_queue, place_points_into_the_destination) {
  match_queue queue(3);
  const auto sent = pattern(100, 2);
  std::vector<std::byte> got(100);
  outcome done;
  queue.post(first, into(got), done);
  arrival& message = queue.begin(first, 100);
  ASSERT_EQ(queue.place(message).data(), got.data());
  std::memcpy(queue.place(message).data(), sent.data(), 60);
  queue.advance(message, 60);
  ASSERT_EQ(queue.place(message).size(), 40u);
  std::memcpy(queue.place(message).data(), sent.data() + 60, 40);
  queue.advance(message, 40);
  EXPECT_TRUE(queue.place(message).empty());
  EXPECT_EQ(done.calls, 0);
  queue.finish(message);
  EXPECT_EQ(done.calls, 1);
  EXPECT_EQ(got, sent);
}

TEST(match_queue, equal_tags_match_in_posting_order_and_others_overtake) {
  match_queue queue(0);
  std::vector<std::byte> a(8), b(8), c(8);
  outcome done_a, done_b, done_c;
  queue.post(first, into(a), done_a);
  queue.post(second, into(b), done_b);
  queue.post(first, into(c), done_c);
  deliver(queue, second, pattern(8, 20), 8);
  EXPECT_EQ(done_a.calls + done_c.calls, 0);
  deliver(queue, first, pattern(8, 10), 8);
  EXPECT_EQ(done_a.calls, 1);
  EXPECT_EQ(done_c.calls, 0);
  deliver(queue, first, pattern(8, 11), 8);
  EXPECT_EQ(a, pattern(8, 10));
  EXPECT_EQ(b, pattern(8, 20));
  EXPECT_EQ(c, pattern(8, 11));
}

TEST(match_queue, unexpected_messages_wait_in_order) {
  match_queue queue(0);
  deliver(queue, first, pattern(200'000, 1), 999);
  deliver(queue, second, pattern(0, 0), 1);
  deliver(queue, first, pattern(200'000, 2), 200'000);
  EXPECT_EQ(queue.buffered(), 400'000u);
  std::vector<std::byte> a(200'000), b(200'000), none;
  outcome done_a, done_b, done_none;
  queue.post(first, into(a), done_a);
  queue.post(first, into(b), done_b);
  queue.post(second, into(none), done_none);
  EXPECT_EQ(done_a.calls + done_b.calls + done_none.calls, 3);
  EXPECT_EQ(a, pattern(200'000, 1));
  EXPECT_EQ(b, pattern(200'000, 2));
  EXPECT_EQ(queue.buffered(), 0u);
}

TEST(match_queue, a_receive_may_be_posted_in_the_middle_of_its_message) {
  match_queue queue(0);
  const auto sent = pattern(1000, 5);
  arrival& message = queue.begin(first, 1000);
  queue.append(message, sent.data(), 400);
  std::vector<std::byte> got(1000);
  outcome done;
  queue.post(first, into(got), done);
  EXPECT_EQ(queue.buffered(), 0u);
  EXPECT_EQ(queue.place(message).data(), got.data() + 400);
  queue.append(message, sent.data() + 400, 600);
  EXPECT_EQ(done.calls, 0);
  queue.finish(message);
  EXPECT_EQ(done.calls, 1);
  EXPECT_EQ(got, sent);
}

struct consumer {
  std::vector<std::byte> got;
  std::size_t granule = 1;
  bool was_aligned = true;
  bool had_last = false;
  sink as_sink(std::size_t bytes) {
    return {.bytes = bytes, .consume = &consumer::take, .state = this, .granule = granule};
  }
  static void take(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) {
    auto& mine = *static_cast<consumer*>(state);
    mine.was_aligned = mine.was_aligned && offset == mine.got.size() && offset % mine.granule == 0 && !mine.had_last;
    mine.had_last = bytes % mine.granule != 0;
    mine.got.insert(mine.got.end(), from, from + bytes);
  }
};

TEST(match_queue, consumers_get_whole_granules_whatever_the_pieces) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", static_cast<int>(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    match_queue queue(0);
    consumer taker;
    taker.granule = 1 + random() % 40;
    const std::size_t bytes = random() % 600;
    const auto sent = pattern(bytes, static_cast<unsigned>(round));
    const std::size_t posted_at = random() % (bytes + 1);
    outcome done;
    arrival& message = queue.begin(first, bytes);
    bool is_posted = false;
    for (std::size_t at = 0; at < bytes;) {
      if (!is_posted && at >= posted_at) queue.post(first, taker.as_sink(bytes), done), is_posted = true;
      const std::size_t piece = std::min<std::size_t>(1 + random() % 50, bytes - at);
      queue.append(message, sent.data() + at, piece);
      at += piece;
    }
    queue.finish(message);
    if (!is_posted) queue.post(first, taker.as_sink(bytes), done);
    ASSERT_EQ(done.calls, 1) << "seed " << seed;
    ASSERT_TRUE(taker.was_aligned) << "seed " << seed << " granule " << taker.granule;
    ASSERT_EQ(taker.got, sent) << "seed " << seed;
  }
}

TEST(match_queue, another_size_is_a_mismatch_that_names_peer_and_sizes) {
  for (const bool is_posted_first : {true, false}) {
    match_queue queue(7);
    std::vector<std::byte> got(32, std::byte{0x55});
    outcome done, after;
    if (is_posted_first) queue.post(first, into(got), done);
    deliver(queue, first, pattern(64, 1), 10);
    if (!is_posted_first) queue.post(first, into(got), done);
    ASSERT_EQ(done.calls, 1);
    ASSERT_TRUE(done.why);
    EXPECT_EQ(done.why->code, errc::mismatch);
    EXPECT_EQ(done.why->peer, rank(7));
    EXPECT_NE(done.why->what.find("rank 7"), std::string::npos);
    EXPECT_NE(done.why->what.find("64 bytes were sent, 32 expected"), std::string::npos);
    EXPECT_EQ(got, std::vector<std::byte>(32, std::byte{0x55})) << "the destination is not touched";
    std::vector<std::byte> next(8);
    queue.post(first, into(next), after);
    deliver(queue, first, pattern(8, 2), 8);
    EXPECT_EQ(next, pattern(8, 2)) << "the next message is not disturbed";
  }
}

TEST(match_queue, offered_messages_wait_for_their_receive) {
  match_queue queue(0);
  std::vector<std::byte> got(16);
  outcome done;
  EXPECT_EQ(queue.offer(first, 16, 0x1000, 42), nullptr);
  EXPECT_EQ(queue.buffered(), 0u);
  arrival* matched = queue.post(first, into(got), done);
  ASSERT_NE(matched, nullptr);
  EXPECT_EQ(matched->address, 0x1000u);
  EXPECT_EQ(matched->token, 42u);
  const auto sent = pattern(16, 3);
  queue.append(*matched, sent.data(), 16);
  queue.finish(*matched);
  EXPECT_EQ(done.calls, 1);
  EXPECT_EQ(got, sent);

  outcome again;
  queue.post(second, into(got), again);
  matched = queue.offer(second, 8, 0x2000, 43);
  ASSERT_NE(matched, nullptr) << "a mismatched offer comes back too: its sender waits for an answer";
  EXPECT_TRUE(matched->is_discarded());
  EXPECT_EQ(again.why->code, errc::mismatch);
  queue.finish(*matched);
}

TEST(match_queue, failure_reaches_every_receive_once) {
  match_queue queue(4);
  std::vector<std::byte> a(8), b(8), c(8);
  outcome waiting, streaming, late;
  queue.post(first, into(a), waiting);
  queue.post(second, into(b), streaming);
  arrival& message = queue.begin(second, 8);
  const auto sent = pattern(8, 1);
  queue.append(message, sent.data(), 4);
  arrival& unexpected = queue.begin({.segment = 9}, 100);
  queue.append(unexpected, sent.data(), 8);
  queue.offer({.segment = 10}, 100, 0, 77);
  std::vector<std::uint64_t> released;
  queue.fail_all({errc::peer_failed, 4, "gone"}, [&](arrival& offer) { released.push_back(offer.token); });
  EXPECT_EQ(released, std::vector<std::uint64_t>{77});
  EXPECT_EQ(waiting.calls, 1);
  EXPECT_EQ(streaming.calls, 1);
  EXPECT_EQ(waiting.why->what, "gone");
  EXPECT_EQ(queue.buffered(), 0u);
  EXPECT_TRUE(queue.place(message).empty());
  queue.append(message, sent.data() + 4, 4);
  queue.finish(message);
  queue.append(unexpected, sent.data(), 8);
  queue.finish(unexpected);
  queue.post(first, into(c), late);
  EXPECT_EQ(late.calls, 1);
  EXPECT_EQ(late.why->code, errc::peer_failed);
  EXPECT_EQ(queue.outstanding(), 0u);
  EXPECT_TRUE(queue.begin(first, 8).is_discarded());
}

TEST(match_queue, reads_while_a_receive_is_outstanding_even_when_the_buffer_is_full) {
  match_queue queue(0, 1000);
  EXPECT_TRUE(queue.wants_data());
  deliver(queue, first, pattern(1001, 1), 1001);
  EXPECT_FALSE(queue.wants_data());
  std::vector<std::byte> other(4), got(1001);
  outcome done_other, done;
  queue.post(second, into(other), done_other);
  EXPECT_TRUE(queue.wants_data()) << "the wanted message may lie behind the buffered ones";
  deliver(queue, second, pattern(4, 1), 4);
  EXPECT_FALSE(queue.wants_data());
  queue.post(first, into(got), done);
  EXPECT_TRUE(queue.wants_data());
}

struct chain : completion {
  chain(match_queue& owner, std::vector<std::byte>& data, int rounds) : queue(&owner), target(&data), left(rounds) {
    done = [](completion& self, const failure*) {
      auto& mine = static_cast<chain&>(self);
      if (--mine.left > 0) mine.queue->post(first, into(*mine.target), mine);
    };
  }
  match_queue* queue;
  std::vector<std::byte>* target;
  int left;
};

TEST(match_queue, a_completion_may_post_again_and_again) {
  match_queue queue(0);
  for (unsigned i = 0; i < 100; ++i) deliver(queue, first, pattern(8, i), 8);
  std::vector<std::byte> got(8);
  chain each(queue, got, 101);
  queue.post(first, into(got), each);
  EXPECT_EQ(each.left, 1);
  EXPECT_EQ(got, pattern(8, 99));
  deliver(queue, first, pattern(8, 100), 8);
  EXPECT_EQ(each.left, 0);
  EXPECT_EQ(got, pattern(8, 100));
}

}  // namespace
}  // namespace hawser::transport
