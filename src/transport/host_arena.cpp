// See host_arena.hpp.
#include "host_arena.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <new>
#include <string>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/fault_points.hpp>
#include <hawser/transport/host_memory.hpp>

#include "../core/socket.hpp"

namespace hawser::transport {

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t line_bytes = 64;
// A block of a page and more begins at one, so that two buffers share no page.
constexpr std::size_t large_block = page_bytes;

std::atomic<host_arena*> made{nullptr};

[[noreturn]] void fail_system(const std::string& problem, std::string_view suggestion = {}) {
  const int number = errno;
  throw error(errc::resource, describe(problem, std::strerror(number), suggestion)).with_native_code(number);
}

constexpr std::size_t round_up(std::size_t value, std::size_t to) {
  return (value + to - 1) / to * to;
}

std::string path_of(std::int64_t pid, int file) {
  return "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(file);
}

}  // namespace

host_arena& host_arena::instance() {
  static std::mutex making;
  const std::lock_guard lock(making);
  if (host_arena* const known = existing()) return *known;
  // What is allocated from it may be freed by the very last destructor.
  auto* const fresh = new host_arena;
  // The file is shared with a forked child, which must not give out the same bytes a second time.
  [[maybe_unused]] static const int registered =
      ::pthread_atfork(nullptr, nullptr, [] { made.store(nullptr, std::memory_order_relaxed); });
  made.store(fresh, std::memory_order_release);
  return *fresh;
}

host_arena* host_arena::existing() noexcept {
  return made.load(std::memory_order_acquire);
}

host_arena::host_arena() {
  bytes_ = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes;
  if (::getrandom(identity_.data(), sizeof identity_, 0) != static_cast<ssize_t>(sizeof identity_))
    fail_system("the system gives no random bytes");
  net::unique_fd file(
      detail::is_struck(fault_point::open_descriptor) ? -1 : ::memfd_create("hawser-host-memory", MFD_CLOEXEC));
  if (!file) fail_system("cannot create host memory that others can reach");
  if (::ftruncate(file.value(), static_cast<off_t>(bytes_)) != 0) fail_system("cannot size host memory");
  void* base = detail::is_struck(fault_point::map_memory)
                   ? MAP_FAILED
                   : ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.value(), 0);
  if (base == MAP_FAILED) fail_system("cannot map host memory", "raise the limit of address space (ulimit -v)");
  base_ = static_cast<std::byte*>(base);
  file_ = file.release();
  std::memcpy(base_, identity_.data(), sizeof identity_);
  free_.emplace(page_bytes, bytes_ - page_bytes);
}

std::optional<std::uint64_t> host_arena::offset_of(std::span<const std::byte> bytes) const noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(bytes.data()), base = reinterpret_cast<std::uintptr_t>(base_);
  if (at < base || at - base >= bytes_ || bytes.size() > bytes_ - (at - base)) return std::nullopt;
  return at - base;
}

void* host_arena::do_allocate(std::size_t bytes, std::size_t alignment) {
  if (bytes > bytes_) throw std::bad_alloc();
  const std::size_t unit = std::max({alignment, bytes >= large_block ? page_bytes : line_bytes, line_bytes});
  const std::size_t wanted = round_up(std::max<std::size_t>(bytes, 1), bytes >= large_block ? page_bytes : line_bytes);
  const std::lock_guard lock(mutex_);
  for (auto hole = free_.begin(); hole != free_.end(); ++hole) {
    const auto [begin, size] = *hole;
    const std::size_t start = round_up(begin, unit);
    if (start - begin > size || size - (start - begin) < wanted) continue;
    const std::size_t end = start + wanted, hole_end = begin + size;
    taken_.emplace(start, wanted);
    free_.erase(hole);
    if (start > begin) free_.emplace(begin, start - begin);
    if (hole_end > end) free_.emplace(end, hole_end - end);
    return base_ + start;
  }
  throw std::bad_alloc();
}

void host_arena::do_deallocate(void* at, std::size_t, std::size_t) {
  const std::lock_guard lock(mutex_);
  // What a forked child has inherited is its parent's to free: it is not known here.
  const auto found = taken_.find(static_cast<std::size_t>(static_cast<std::byte*>(at) - base_));
  if (found == taken_.end()) return;
  auto [begin, size] = *found;
  taken_.erase(found);
  auto after = free_.lower_bound(begin);
  if (after != free_.end() && after->first == begin + size) {
    size += after->second;
    after = free_.erase(after);
  }
  if (after != free_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == begin) {
      before->second += size;
      return;
    }
  }
  free_.emplace(begin, size);
}

mapped_arena::mapped_arena(std::int64_t pid, int file, const host_arena::nonce& identity) {
  const std::string path = path_of(pid, file);
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) fail_system("cannot open " + path);
  struct stat facts {};
  const bool is_known = ::fstat(opened, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0;
  void* base = is_known ? ::mmap(nullptr, static_cast<std::size_t>(facts.st_size), PROT_READ, MAP_SHARED, opened, 0)
                        : MAP_FAILED;
  ::close(opened);
  if (base == MAP_FAILED) fail_system("cannot map " + path);
  base_ = static_cast<const std::byte*>(base);
  bytes_ = static_cast<std::size_t>(facts.st_size);
  if (bytes_ >= page_bytes && std::memcmp(base_, identity.data(), sizeof identity) == 0) return;
  ::munmap(base, bytes_);
  base_ = nullptr;
  fail(errc::mismatch, path + " is not the host memory of that process");
}

mapped_arena::mapped_arena(mapped_arena&& other) noexcept {
  *this = std::move(other);
}

mapped_arena& mapped_arena::operator=(mapped_arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

mapped_arena::~mapped_arena() {
  if (base_) ::munmap(const_cast<std::byte*>(base_), bytes_);
}

const std::byte* mapped_arena::at(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  return base_ && offset <= bytes_ && bytes <= bytes_ - offset ? base_ + offset : nullptr;
}

bool can_open_file_of(std::int64_t pid, int file, std::uint64_t device, std::uint64_t inode) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%lld/fd/%d", static_cast<long long>(pid), file);
  const int opened = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) return false;
  struct stat facts {};
  const bool is_it = ::fstat(opened, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
  ::close(opened);
  return is_it;
}

}  // namespace hawser::transport

namespace hawser {

std::pmr::memory_resource& host_memory() {
  return transport::host_arena::instance();
}

}  // namespace hawser
