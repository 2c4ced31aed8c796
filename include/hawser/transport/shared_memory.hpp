// Shared memory between the processes of one host: rings for small messages, one copy for large. In hawser::runtime.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <hawser/transport/endpoint.hpp>
#include <hawser/transport/transport.hpp>

namespace hawser::transport {

/// How messages between processes of a host are copied.
struct shared_memory_options {
  /// Which messages are copied once, by the kernel, and which twice, through a ring.
  enum class copy {
    automatic,  ///< host memory without a copy, other memory by one copy from a threshold on, where the system allows
                ///< it
    staged,     ///< everything through the rings
    one_copy,   ///< every message with a payload by one copy, where that is possible at all (for tests)
  };
  copy path = copy::automatic;
  /// Largest capacity of a ring, a power of two; 256 KiB where there are many, and smaller where memory_budget or
  /// /dev/shm is.
  std::size_t ring_bytes = std::size_t{1} << 20;
  /// Messages of at least this size are copied once, through the kernel. Never, unless it is asked for: staging was
  /// faster at every size (docs/transports.md).
  std::size_t one_copy_threshold = SIZE_MAX;
  /// Messages of at least this size out of `host_memory()` are read by the neighbour where they lie.
  std::size_t share_threshold = std::size_t{16} << 10;
  /// How long shutdown and peer_failed wait for a neighbour that is reading the caller's memory that moment.
  std::chrono::milliseconds abort_timeout{1000};
};

/// One rank's endpoint. Opening it is collective over environment.neighbours.
///
/// A neighbour is reached when each side has mapped the other's memory object and read its nonce; both sides come to
/// the same verdict. The names of the objects are gone when the constructor returns. Where shared memory is not to be
/// had, nobody is reached and the reason is in `problems`. Not usable in a child after fork.
///
/// A small message is complete when it lies in the ring; a large one when the receiver has copied it. After shutdown,
/// and after peer_failed for that peer, no neighbour reads the caller's memory; a neighbour that was stopped by a
/// signal in the middle of a read is waited for at most abort_timeout.
class shared_memory_transport {
 public:
  /// Throws what environment.look_up throws.
  explicit shared_memory_transport(const endpoint_environment& environment, const shared_memory_options& options = {});
  ~shared_memory_transport();
  shared_memory_transport(shared_memory_transport&&) = delete;

  std::string_view name() const noexcept { return "shared_memory"; }
  /// As the concept `transport` says.
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank peer, tag match, sink into, completion& done);
  bool progress();
  bool arm();
  int wait_descriptor() const noexcept;
  bool consumes_in_place(rank) const noexcept { return true; }
  /// False for ranks that another transport must serve, this rank among them.
  bool reaches(rank peer) const noexcept;
  /// Whether large messages to that peer are copied only once.
  bool copies_once(rank peer) const noexcept;
  /// Whether messages out of `host_memory()` to that peer are not copied at all.
  bool shares_host_memory(rank peer) const noexcept;
  /// Why ranks of environment.neighbours are not reached.
  const std::map<rank, std::string>& problems() const noexcept;
  void peer_failed(const failure& why);
  void shutdown();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

static_assert(transport<shared_memory_transport>);

/// The registry line "shared_memory"; its endpoints reach neighbours on this host only.
factory shared_memory_factory(const shared_memory_options& options = {});

}  // namespace hawser::transport
