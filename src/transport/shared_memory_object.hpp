// A rank's memory object in /dev/shm and its doorbell: layout, creation, opening with checks, removal.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/rank.hpp>

namespace hawser::transport::shared_memory {

inline constexpr std::size_t line_bytes = 64;
inline constexpr unsigned offer_slots = 64;  // large messages on their way to one neighbour
using nonce = std::array<std::uint64_t, 2>;

/// What has become of an offered message. The sender writes offered, the receiver reading and back, and then taken or
/// refused; either side may only leave `offered` by compare-and-exchange. Withdrawn means: do not read any more.
enum class offer_state : std::uint32_t { none, offered, reading, taken, refused, withdrawn };

/// The begin of the object. Constant once the name of the object is published, but for what begins at `sleeping`.
struct alignas(line_bytes) object_header {
  std::uint64_t magic;
  std::uint64_t bytes;
  std::uint64_t ring_bytes;
  std::uint32_t slots;
  std::int32_t owner;
  nonce identity;
  nonce witness;  // the same bytes lie at witness_address of process pid
  std::uint64_t witness_address;
  std::int64_t pid;
  std::int32_t file;  // the owner's descriptor of this object, for the question whether its files can be opened
  alignas(line_bytes) std::atomic<std::uint32_t> sleeping;  // the owner blocks, or is about to: ring its bell
  // The owner's host memory, written before its first message out of there.
  alignas(line_bytes) std::int32_t arena_file;
  nonce arena_identity;
};

/// What owner and one neighbour share: the control of the ring from the neighbour to the owner, and the states of what
/// the owner offers to the neighbour. Positions count bytes since the beginning; modulo ring_bytes they are offsets.
struct alignas(line_bytes) object_slot {
  std::int32_t neighbour;
  alignas(line_bytes) std::atomic<std::uint64_t> tail;  // written by the neighbour
  std::atomic<std::uint32_t> is_writer_closed;
  alignas(line_bytes) std::atomic<std::uint64_t> head;  // written by the owner, a multiple of line_bytes
  std::atomic<std::uint32_t> is_reader_closed;
  alignas(line_bytes) std::atomic<std::uint32_t> is_writer_waiting;  // for room; cleared by the owner, which then wakes
  alignas(line_bytes) std::atomic<std::uint32_t> offers[offer_slots];  // offer_state
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

/// A mapped object: one's own, or a neighbour's.
class object {
 public:
  object() = default;
  /// Creates an object with a slot per neighbour and its bell, and maps it. Rings shrink down to `smallest_ring` where
  /// /dev/shm is small. Throws errc::resource or errc::io.
  static object create(rank owner, const std::vector<rank>& neighbours, std::size_t ring_bytes, std::size_t budget);
  /// Opens another rank's object and checks that it is what it should be. Throws errc::io, errc::mismatch.
  static object open(rank owner, std::string_view name);
  object(object&& other) noexcept;
  object& operator=(object&& other) noexcept;
  ~object();

  const std::string& name() const noexcept { return name_; }
  object_header& header() const noexcept { return *static_cast<object_header*>(base_); }
  std::size_t ring_bytes() const noexcept { return ring_bytes_; }
  int bell() const noexcept { return bell_; }
  /// The index of a rank's slot, -1 where it has none.
  int slot_of(rank neighbour) const noexcept;
  object_slot& slot(int index) const noexcept;
  std::byte* ring(int index) const noexcept;

  /// Whether the owner's files can be opened, as its host memory must be; of a neighbour's object.
  bool can_open_files() const noexcept { return can_open_files_; }

  void ring_bell() const noexcept;
  void drain_bell() const noexcept;
  /// Removes the names of an own object; the memory lives on as long as it is mapped.
  void unlink() noexcept;
  explicit operator bool() const noexcept { return base_ != nullptr; }

 private:
  void map(std::size_t bytes);
  void check(rank owner) const;

  std::string name_;
  bool is_linked_ = false;
  int file_ = -1;  // locked by its creator as long as the name exists, so that others see whether the creator lives
  int bell_ = -1;
  void* base_ = nullptr;
  std::size_t bytes_ = 0;
  // Private copies: what lies in the object may be changed by another process at any time.
  std::size_t ring_bytes_ = 0;
  int slots_ = 0;
  bool can_open_files_ = false;
};

/// Reads a neighbour's memory. True when all of it was read, else errno tells why (ESRCH: the process is gone).
bool read_process(std::int64_t pid, std::uint64_t address, std::byte* into, std::size_t bytes) noexcept;

/// Random bytes from the kernel; throws errc::io.
nonce random_nonce();
std::string to_hex(const nonce& value);

}  // namespace hawser::transport::shared_memory
