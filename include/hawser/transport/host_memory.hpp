// Host memory that the other ranks of the host can read directly: a polymorphic memory resource and a standard
// allocator. hawser::runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace hawser {

/// The process's own: one anonymous file in memory, as large as the machine's memory, of which only what is used is
/// backed. What is allocated here is sent to ranks on the same host without a copy: they reduce, or copy, straight out
/// of it. Freed memory stays with the process for the next allocation. Thread-safe; a forked child has its own.
/// Allocation throws std::bad_alloc where the space is used up, and `error` (errc::resource) where the system gives
/// none.
std::pmr::memory_resource& host_memory();

/// As std::allocator, from `host_memory()`: `std::vector<float, hawser::host_allocator<float>>`.
template <class T>
struct host_allocator {
  using value_type = T;

  host_allocator() = default;
  template <class U>
  host_allocator(const host_allocator<U>&) noexcept {}

  /// Throws as `host_memory`, and std::bad_array_new_length for a count that no memory holds.
  T* allocate(std::size_t count) {
    if (count > PTRDIFF_MAX / sizeof(T)) throw std::bad_array_new_length();
    return static_cast<T*>(host_memory().allocate(count * sizeof(T), alignof(T)));
  }
  void deallocate(T* at, std::size_t count) noexcept { host_memory().deallocate(at, count * sizeof(T), alignof(T)); }

  template <class U>
  bool operator==(const host_allocator<U>&) const noexcept {
    return true;
  }
};

}  // namespace hawser
