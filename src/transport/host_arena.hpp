// The memory behind host_memory(), and how another process reaches it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

namespace hawser::transport {

/// One file in memory, mapped once, given out first fit. Its first page holds a random identity.
class host_arena final : public std::pmr::memory_resource {
 public:
  using nonce = std::array<std::uint64_t, 2>;

  /// The process's, made at the first call and never destroyed; a forked child makes its own. Throws errc::resource.
  static host_arena& instance();
  /// The process's where it has been made, else null; for the question whether memory lies in it.
  static host_arena* existing() noexcept;

  host_arena();
  host_arena(const host_arena&) = delete;
  host_arena& operator=(const host_arena&) = delete;

  int file() const noexcept { return file_; }
  const nonce& identity() const noexcept { return identity_; }
  /// Where in the file the bytes lie; nothing where they do not.
  std::optional<std::uint64_t> offset_of(std::span<const std::byte> bytes) const noexcept;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  int file_ = -1;
  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  nonce identity_{};
  std::mutex mutex_;
  std::map<std::size_t, std::size_t> free_;             // offset -> bytes
  std::unordered_map<std::size_t, std::size_t> taken_;  // offset -> bytes, padding included
};

/// Another process's arena, mapped to be read.
class mapped_arena {
 public:
  mapped_arena() = default;
  /// Maps the arena that is file `file` of process `pid`; throws errc::resource or errc::mismatch where that is not
  /// one.
  mapped_arena(std::int64_t pid, int file, const host_arena::nonce& identity);
  mapped_arena(mapped_arena&& other) noexcept;
  mapped_arena& operator=(mapped_arena&& other) noexcept;
  ~mapped_arena();

  /// The bytes at an offset; null where they do not lie inside.
  const std::byte* at(std::uint64_t offset, std::uint64_t bytes) const noexcept;
  explicit operator bool() const noexcept { return base_ != nullptr; }

 private:
  const std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Whether files of that process can be opened, tried with one that is known: `file` must be the file `device`,
/// `inode`.
bool can_open_file_of(std::int64_t pid, int file, std::uint64_t device, std::uint64_t inode) noexcept;

}  // namespace hawser::transport
