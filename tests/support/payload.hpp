// What tests of transports send and receive.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <utility>

namespace hawser::testing {

/// Bytes in memory of the default resource, as it is when they are made. Not a std::pmr::vector, which makes them one
/// by one: a test of a few messages of MiB takes a quarter of a minute so under sanitizers.
class payload {
 public:
  payload() = default;
  explicit payload(std::size_t bytes, std::byte value = {}) {
    reserve(bytes);
    size_ = bytes;
    if (bytes > 0) std::memset(data_, std::to_integer<int>(value), bytes);
  }
  payload(const payload& other) { append(other.data_, other.size_); }
  payload(payload&& other) noexcept { swap(other); }
  payload& operator=(payload other) noexcept {
    swap(other);
    return *this;
  }
  ~payload() {
    if (data_ != nullptr) memory_->deallocate(data_, capacity_);
  }

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::byte* begin() noexcept { return data_; }
  std::byte* end() noexcept { return data_ + size_; }
  const std::byte* begin() const noexcept { return data_; }
  const std::byte* end() const noexcept { return data_ + size_; }
  std::byte& operator[](std::size_t at) noexcept { return data_[at]; }
  const std::byte& operator[](std::size_t at) const noexcept { return data_[at]; }

  void append(const std::byte* from, std::size_t bytes) {
    reserve(size_ + bytes);
    if (bytes > 0) std::memcpy(data_ + size_, from, bytes);
    size_ += bytes;
  }
  void fill(std::byte value) noexcept {
    if (size_ > 0) std::memset(data_, std::to_integer<int>(value), size_);
  }

  friend bool operator==(const payload& a, const payload& b) noexcept {
    return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
  }

 private:
  void swap(payload& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }
  void reserve(std::size_t bytes) {
    if (bytes <= capacity_) return;
    const std::size_t wanted = std::max(bytes, 2 * capacity_);
    auto* const moved = static_cast<std::byte*>(memory_->allocate(wanted));
    if (size_ > 0) std::memcpy(moved, data_, size_);
    if (data_ != nullptr) memory_->deallocate(data_, capacity_);
    data_ = moved;
    capacity_ = wanted;
  }

  std::pmr::memory_resource* memory_ = std::pmr::get_default_resource();
  std::byte* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

/// Bytes that only their seed determines.
inline payload pattern(std::size_t bytes, std::uint64_t seed) {
  payload made(bytes);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 0x1234567;
  for (std::size_t at = 0; at < bytes; at += sizeof state) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    std::memcpy(made.data() + at, &state, std::min(sizeof state, bytes - at));
  }
  return made;
}

}  // namespace hawser::testing
