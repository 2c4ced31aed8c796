// One pair of the shared-memory transport whose neighbour writes nonsense into the shared memory: errors, no crashes.
#include "../../../src/transport/shared_memory_pair.hpp"

#include <unistd.h>

#include <cstring>

#include "support/transport_world.hpp"

namespace hawser::testing {
namespace {

using namespace transport::shared_memory;

/// The receiving rank 0; the test plays rank 1 with its bare hands.
struct victim {
  victim()
      : own(object::create(0, {1}, std::size_t{8} << 10, std::size_t{1} << 20)),
        theirs(object::create(1, {0}, std::size_t{8} << 10, std::size_t{1} << 20)),
        in(1, own, 0, theirs, 0, bounce) {
    in.receive({}, into(data), done);
  }

  void write(const frame& head, std::uint64_t tail) {
    std::memcpy(own.ring(0), &head, sizeof head);
    own.slot(0).tail.store(tail);
  }
  void expect_failure(errc code, std::string_view text) {
    for (int i = 0; i < 10; ++i) in.progress();
    ASSERT_EQ(done.calls, 1);
    ASSERT_TRUE(done.why);
    EXPECT_EQ(done.why->code, code);
    EXPECT_NE(done.why->what.find(text), std::string::npos) << done.why->what;
  }

  object own;
  object theirs;
  std::vector<std::byte> bounce;
  std::vector<std::byte> data = std::vector<std::byte>(100);
  ticket done;
  receiver in;
};

TEST(shared_memory_pair, refuses_a_tail_beyond_the_ring) {
  victim rank_0;
  rank_0.write({.what = frame::kind::message, .match = {}, .bytes = 100}, std::uint64_t{1} << 40);
  rank_0.expect_failure(errc::internal, "more bytes than the ring holds");
}

TEST(shared_memory_pair, refuses_an_unknown_frame) {
  victim rank_0;
  rank_0.write({.what = static_cast<frame::kind>(99), .match = {}, .bytes = 100}, 192);
  rank_0.expect_failure(errc::internal, "an unknown frame");
}

TEST(shared_memory_pair, refuses_an_offer_slot_that_does_not_exist) {
  victim rank_0;
  rank_0.write({.what = frame::kind::offer, .offer_slot = 5000, .match = {}, .bytes = 100}, 64);
  rank_0.expect_failure(errc::internal, "an unknown frame");
}

TEST(shared_memory_pair, a_message_that_ends_before_its_padding_is_refused) {
  victim rank_0;
  rank_0.write({.what = frame::kind::message, .match = {}, .bytes = 100}, sizeof(frame) + 100);
  for (int i = 0; i < 10; ++i) rank_0.in.progress();
  EXPECT_TRUE(rank_0.done.has_succeeded()) << "the message itself was whole";
  ticket next;
  rank_0.in.receive({}, into(rank_0.data), next);
  rank_0.in.progress();
  ASSERT_TRUE(next.why);
  EXPECT_EQ(next.why->code, errc::internal);
}

TEST(shared_memory_pair, an_offer_of_unreadable_memory_is_an_error) {
  victim rank_0;
  rank_0.theirs.header().pid = ::getpid();
  rank_0.theirs.slot(0).offers[3].store(static_cast<std::uint32_t>(offer_state::offered));
  rank_0.write({.what = frame::kind::offer, .offer_slot = 3, .match = {}, .bytes = 100, .address = 8}, 64);
  rank_0.expect_failure(errc::io, "cannot be read");
  EXPECT_EQ(rank_0.theirs.slot(0).offers[3].load(), static_cast<std::uint32_t>(offer_state::refused));
}

TEST(shared_memory_pair, a_claim_of_a_huge_message_takes_no_memory) {
  victim rank_0;
  rank_0.write({.what = frame::kind::message, .match = {.segment = 9}, .bytes = std::uint64_t{1} << 60}, 8192);
  for (int i = 0; i < 10; ++i) rank_0.in.progress();
  EXPECT_FALSE(rank_0.done.is_over());
}

TEST(shared_memory_pair, an_object_of_another_layout_is_refused) {
  object theirs = object::create(1, {0}, std::size_t{8} << 10, std::size_t{1} << 20);
  EXPECT_NO_THROW(object::open(1, theirs.name()));
  EXPECT_THROW(object::open(2, theirs.name()), error) << "another owner";
  theirs.header().ring_bytes = 12345;
  EXPECT_THROW(object::open(1, theirs.name()), error);
  EXPECT_THROW(object::open(1, "hawser-../../etc/passwd"), error);
}

}  // namespace
}  // namespace hawser::testing
