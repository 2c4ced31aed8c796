// TLS over a pair of sockets: bytes, keys that change, would_block, and who is not let in.
#include "core/channel.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include <hawser/core/error.hpp>

#include <gtest/gtest.h>

namespace hawser::net {
namespace {

const std::string secret = "a secret of the tests";

/// Two ends of a connection, each with the keys it is given.
struct ends {
  ends(const std::shared_ptr<const tls_keys>& mine, const std::shared_ptr<const tls_keys>& theirs) {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) throw std::bad_alloc();
    first = channel(unique_fd(fds[0]), mine, tls_side::connects);
    second = channel(unique_fd(fds[1]), theirs, tls_side::accepts);
  }
  channel first, second;
};

std::vector<std::byte> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> made(count);
  for (std::byte& each : made) each = static_cast<std::byte>(random());
  return made;
}

bool await(channel& of, short event) {
  pollfd waiting{of.value(), event, 0};
  return ::poll(&waiting, 1, 10'000) == 1;
}

/// All of it, in parts of odd sizes; the last result where that is not to be.
io_result write_all(channel& to, std::span<const std::byte> from) {
  for (std::size_t sent = 0; sent < from.size();) {
    std::vector<iovec> parts;
    std::size_t offered = 0;
    for (std::size_t i = 0; sent + offered < from.size(); ++i) {
      const std::size_t piece = std::min(from.size() - sent - offered, std::size_t{1} << ((i + sent) % 18));
      parts.push_back({const_cast<std::byte*>(from.data()) + sent + offered, piece});
      offered += piece;
    }
    const io_result done = to.write(std::span(parts));
    if (done.status == io_status::would_block) {
      if (!await(to, to.awaited_by_write())) return done;
    } else if (done.status != io_status::moved) {
      return done;
    }
    sent += done.count;
  }
  return {io_status::moved, from.size(), 0};
}

io_result read_all(channel& from, std::span<std::byte> into) {
  for (std::size_t filled = 0; filled < into.size();) {
    const std::size_t piece = std::min<std::size_t>(into.size() - filled, 1 + filled % 40'000);
    const io_result done = from.read(into.subspan(filled, piece));
    if (done.status == io_status::would_block) {
      if (from.has_unread() || !await(from, from.awaited_by_read())) return done;
    } else if (done.status != io_status::moved) {
      return done;
    }
    filled += done.count;
  }
  return {io_status::moved, into.size(), 0};
}

class tls_channel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tls()) GTEST_SKIP() << "built without OpenSSL";
  }
};

TEST_F(tls_channel, carries_bytes_both_ways_while_keys_change) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const std::uint64_t records_per_key : {std::uint64_t{3}, std::uint64_t{1} << 20}) {
    const auto keys = make_tls_keys(secret, service::transport, records_per_key);
    ends both(keys, keys);
    const auto there = random_bytes(3'000'000, seed), back = random_bytes(2'000'000, seed + 1);
    std::vector<std::byte> got_there(there.size()), got_back(back.size());
    std::thread other([&] {
      EXPECT_EQ(read_all(both.second, got_there).status, io_status::moved);
      EXPECT_EQ(write_all(both.second, back).status, io_status::moved);
    });
    EXPECT_EQ(write_all(both.first, there).status, io_status::moved);
    EXPECT_EQ(read_all(both.first, got_back).status, io_status::moved);
    other.join();
    EXPECT_EQ(got_there, there);
    EXPECT_EQ(got_back, back);
    both.first.reset();
    std::byte one;
    ASSERT_TRUE(await(both.second, POLLIN));
    EXPECT_EQ(both.second.read(std::span(&one, 1)).status, io_status::closed);
  }
}

TEST_F(tls_channel, what_is_left_inside_is_told) {
  const auto keys = make_tls_keys(secret, service::store);
  ends both(keys, keys);
  std::thread other([&] { EXPECT_EQ(write_all(both.first, random_bytes(1000, 1)).status, io_status::moved); });
  std::vector<std::byte> got(10);
  EXPECT_EQ(read_all(both.second, got).status, io_status::moved);
  other.join();
  std::vector<std::byte> rest(5000);
  std::size_t filled = 10;
  while (filled < 1000) {
    ASSERT_TRUE(both.second.has_unread() || await(both.second, both.second.awaited_by_read()));
    filled += both.second.read(std::span(rest)).count;
  }
  EXPECT_EQ(both.second.read(std::span(rest)).status, io_status::would_block);
  EXPECT_FALSE(both.second.has_unread());
}

/// Both sides write a word until both know how that ended.
std::pair<io_result, io_result> meet(ends& both) {
  io_result theirs;
  std::vector<std::byte> word(100), got(100);
  std::thread other([&] {
    theirs = read_all(both.second, got);
    both.second.reset();
  });
  io_result mine = write_all(both.first, word);
  if (mine.status == io_status::moved) mine = read_all(both.first, got);
  both.first.reset();
  other.join();
  return {mine, theirs};
}

TEST_F(tls_channel, another_secret_or_service_is_refused_on_both_sides) {
  for (const auto& strange : {make_tls_keys("another", service::store), make_tls_keys(secret, service::transport)}) {
    ends both(strange, make_tls_keys(secret, service::store));
    const auto [mine, theirs] = meet(both);
    EXPECT_EQ(mine.status, io_status::failed);
    EXPECT_EQ(mine.code, EKEYREJECTED);
    EXPECT_EQ(theirs.status, io_status::failed);
  }
}

TEST_F(tls_channel, clear_text_is_refused_and_gets_nothing) {
  const auto keys = make_tls_keys(secret, service::store);
  {
    ends both(nullptr, keys);
    const auto [mine, theirs] = meet(both);
    EXPECT_EQ(theirs.status, io_status::failed);
    EXPECT_EQ(theirs.code, EPROTO);
  }
  ends both(keys, nullptr);
  std::vector<std::byte> word(100), got(4096);
  EXPECT_EQ(both.first.write(std::span<const std::byte>(word)).status, io_status::would_block);
  EXPECT_EQ(both.first.awaited_by_write(), POLLIN);  // it waits for the handshake
  ASSERT_TRUE(await(both.second, POLLIN));
  const io_result heard = both.second.read(std::span(got));
  ASSERT_EQ(heard.status, io_status::moved);
  EXPECT_EQ(got[0], std::byte{22});  // a ClientHello
  const std::string answer = "hawser\r\n and what comes after";
  both.second.write(std::as_bytes(std::span(answer)));
  ASSERT_TRUE(await(both.first, POLLIN));
  const io_result told = both.first.write(std::span<const std::byte>(word));
  EXPECT_EQ(told.status, io_status::failed);
  EXPECT_EQ(told.code, EPROTO);
}

TEST(channel, tls_without_a_secret_or_without_openssl_says_so) {
  try {
    make_tls_keys(has_tls() ? "" : secret, service::store);
    ADD_FAILURE();
  } catch (const error& refused) {
    EXPECT_EQ(refused.code(), has_tls() ? errc::authentication : errc::unsupported) << refused.what();
  }
}

TEST(channel, in_the_clear_is_a_plain_socket) {
  ends both(nullptr, nullptr);
  const auto there = random_bytes(1'000'000, 7);
  std::vector<std::byte> got(there.size());
  std::thread other([&] { EXPECT_EQ(read_all(both.second, got).status, io_status::moved); });
  EXPECT_EQ(write_all(both.first, there).status, io_status::moved);
  other.join();
  EXPECT_EQ(got, there);
  EXPECT_FALSE(both.second.has_unread());
}

}  // namespace
}  // namespace hawser::net
