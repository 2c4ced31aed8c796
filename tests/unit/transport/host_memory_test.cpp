// Host memory that neighbours read: its allocator, and what another process sees of it.
#include <hawser/transport/host_memory.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/core/error.hpp>

#include "../../../src/transport/host_arena.hpp"

namespace hawser::transport {
namespace {

std::span<const std::byte> bytes_of(const void* at, std::size_t size) {
  return {static_cast<const std::byte*>(at), size};
}

TEST(host_memory, is_a_standard_allocator) {
  std::vector<float, host_allocator<float>> data(100'000, 1.5f);
  const auto bytes = std::as_bytes(std::span(data));
  ASSERT_NE(host_arena::existing(), nullptr);
  EXPECT_TRUE(host_arena::existing()->offset_of(bytes));
  EXPECT_FALSE(host_arena::existing()->offset_of(bytes_of(bytes.data(), SIZE_MAX / 2))) << "beyond its end";
  const int elsewhere = 0;
  EXPECT_FALSE(host_arena::existing()->offset_of(bytes_of(&elsewhere, sizeof elsewhere)));
  EXPECT_THROW(host_allocator<float>().allocate(SIZE_MAX / 2), std::bad_array_new_length);
  EXPECT_THROW((void)host_memory().allocate(std::size_t{1} << 60), std::bad_alloc);
}

TEST(host_memory, gives_no_byte_twice_and_takes_all_back) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  struct block {
    std::byte* at;
    std::size_t bytes, alignment;
    std::byte filled;
  };
  std::vector<block> blocks;
  const auto release = [&](std::size_t i) {
    const block each = blocks[i];
    for (std::size_t k = 0; k < each.bytes; ++k) ASSERT_EQ(each.at[k], each.filled) << "somebody else wrote here";
    host_memory().deallocate(each.at, each.bytes, each.alignment);
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
  };
  void* const first = host_memory().allocate(64 << 20);
  host_memory().deallocate(first, 64 << 20);
  for (int round = 0; round < 2000; ++round) {
    if (!blocks.empty() && random() % 5 < 2) release(random() % blocks.size());
    if (HasFatalFailure()) return;
    block made{.at = nullptr,
               .bytes = random() % (random() % 4 == 0 ? 200'000 : 300),
               .alignment = std::size_t{1} << (random() % 13),
               .filled = static_cast<std::byte>(random())};
    made.at = static_cast<std::byte*>(host_memory().allocate(made.bytes, made.alignment));
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(made.at) % made.alignment, 0u);
    std::memset(made.at, static_cast<int>(made.filled), made.bytes);
    blocks.push_back(made);
  }
  while (!blocks.empty() && !HasFatalFailure()) release(blocks.size() - 1);
  void* const again = host_memory().allocate(64 << 20);
  EXPECT_EQ(again, first) << "the holes have grown together again";
  host_memory().deallocate(again, 64 << 20);
}

TEST(host_memory, serves_several_threads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 500; ++i) {
        std::vector<int, host_allocator<int>> data(static_cast<std::size_t>(1 + i), t);
        for (const int each : data) ASSERT_EQ(each, t);
      }
    });
  for (std::thread& each : threads) each.join();
}

TEST(host_memory, another_process_maps_it_and_sees_what_is_written_later) {
  std::vector<int, host_allocator<int>> data(1000, 1);
  const host_arena& own = *host_arena::existing();
  const auto offset = own.offset_of(std::as_bytes(std::span(data)));
  ASSERT_TRUE(offset);
  int ready[2], written[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(written), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char token = 0;
    try {
      const mapped_arena theirs(::getppid(), own.file(), own.identity());
      if (::write(ready[1], &token, 1) != 1 || ::read(written[0], &token, 1) != 1) ::_exit(3);
      const std::byte* at = theirs.at(*offset, sizeof(int));
      int value = 0;
      if (at) std::memcpy(&value, at, sizeof value);
      ::_exit(value == 2 && theirs.at(~std::uint64_t{0}, 8) == nullptr ? 0 : 1);
    } catch (const error& refused) {
      std::fprintf(stderr, "%s\n", refused.what());
      ::_exit(2);
    }
  }
  char token = 0;
  ASSERT_EQ(::read(ready[0], &token, 1), 1);
  data[0] = 2;
  ASSERT_EQ(::write(written[1], &token, 1), 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (const int each : {ready[0], ready[1], written[0], written[1]}) ::close(each);
}

TEST(host_memory, what_is_not_an_arena_is_refused) {
  (void)host_memory();
  const host_arena& own = *host_arena::existing();
  EXPECT_THROW(mapped_arena(::getpid(), own.file(), {1, 2}), error) << "another identity";
  EXPECT_THROW(mapped_arena(::getpid(), 100'000, own.identity()), error) << "no such file";
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_THROW(mapped_arena(::getpid(), ends[0], own.identity()), error) << "no file of memory";
  struct stat facts {};
  ASSERT_EQ(::fstat(own.file(), &facts), 0);
  EXPECT_TRUE(can_open_file_of(::getpid(), own.file(), facts.st_dev, facts.st_ino));
  EXPECT_FALSE(can_open_file_of(::getpid(), ends[0], facts.st_dev, facts.st_ino));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(host_memory, a_forked_child_has_its_own) {
  std::vector<int, host_allocator<int>> data(1000, 1);
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<int, host_allocator<int>> mine(1000, 2);
    const bool is_apart = host_arena::existing()->offset_of(std::as_bytes(std::span(mine))).has_value() &&
                          !host_arena::existing()->offset_of(std::as_bytes(std::span(data)));
    { const auto inherited = std::move(data); }  // freed here: harmless
    ::_exit(is_apart ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (const int each : data) EXPECT_EQ(each, 1);
}

}  // namespace
}  // namespace hawser::transport
