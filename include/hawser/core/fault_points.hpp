// Where the library asks the system for something that can fail: a test may let it fail there. hawser::runtime.
#pragma once

#include <cerrno>
#include <cstdint>

namespace hawser {

/// The kinds of system calls that can be made to fail.
enum class fault_point : std::uint8_t {
  send,             ///< sendmsg of a socket
  receive,          ///< recvmsg of a socket
  accept,           ///< accept4
  open_descriptor,  ///< socket, epoll_create1, eventfd, timerfd_create, memfd_create, open and mkfifo in /dev/shm
  reserve_memory,   ///< posix_fallocate and ftruncate of shared memory
  map_memory,       ///< mmap of shared memory
  connect,          ///< how a connection that the TCP transport has begun came out (SO_ERROR)
};

/// What a hook answers beside an errno: make the call, or make it with as few bytes as possible (send, receive).
inline constexpr int no_fault = 0, short_transfer = -1;

/// Decides what becomes of a call: an errno that it is to fail with, `no_fault` or `short_transfer`. Called from every
/// thread of the library.
using fault_hook = int (*)(fault_point at);

/// Sets the hook of this process; null takes it away. For tests: without a hook a fault point costs one relaxed load.
void set_fault_hook(fault_hook hook) noexcept;

namespace detail {
/// The hook's answer; sets errno where it is one.
int ask_fault_hook(fault_point at) noexcept;
/// Whether the call at this point is to fail, with errno set.
inline bool is_struck(fault_point at) noexcept {
  return ask_fault_hook(at) > 0;
}
}  // namespace detail

}  // namespace hawser
