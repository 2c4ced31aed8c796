// See memory_meter.hpp. Replaces the global operator new and delete of the program; the other forms call these.
#include "memory_meter.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

struct counter {
  bool is_active = false;
  std::int64_t held = 0;
  std::int64_t peak = 0;
};
thread_local counter counted;

}  // namespace

void* operator new(std::size_t bytes) {
  void* const memory = std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  if (counted.is_active) {
    counted.held += static_cast<std::int64_t>(malloc_usable_size(memory));
    counted.peak = std::max(counted.peak, counted.held);
  }
  return memory;
}

void operator delete(void* memory) noexcept {
  if (counted.is_active && memory != nullptr) counted.held -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  ::operator delete(memory);
}

namespace hawser::cli {

memory_meter::memory_meter() noexcept {
  counted = {true, 0, 0};
}
memory_meter::~memory_meter() {
  counted.is_active = false;
}
std::int64_t memory_meter::peak_bytes() const noexcept {
  return counted.peak;
}

}  // namespace hawser::cli
