// Why a peer of a connection says nothing: whether its host does.
#pragma once

#include <string>
#include <utility>

#include <hawser/core/failure_kind.hpp>

#include "../core/socket.hpp"

namespace hawser::bootstrap {

/// What the silence of a peer means, to which bytes have been sent since it was last heard, and the words for it: a
/// host acknowledges what a process that is stopped does not read.
inline std::pair<failure_kind, std::string> judge_silence(int fd) {
  if (net::has_unacknowledged(fd))
    return {failure_kind::unreachable, ": its host does not answer either (it is down, or the network to it is cut)"};
  return {failure_kind::silent, ": its host answers, its process does not (stopped, or starved of the processor)"};
}

}  // namespace hawser::bootstrap
