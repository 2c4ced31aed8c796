// From the transfers of an exchange to the call of the kernel that makes them: order, and the CTAs of each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/cuda/device/point_to_point.hpp>
#include <hawser/executor/stream_wire.hpp>

namespace hawser::cuda {

/// The call that makes an exchange, of the window's shape. Messages of one peer and direction keep their order. Throws
/// errc::unsupported for a peer that is not of the group, this rank itself, and more messages than a call holds: all of
/// them have to be under way at the same time.
inline device::message_call call_for(std::span<const executor::stream_transfer> transfers,
                                     const device::rank_view& view, const device::mailbox_layout& mail) {
  if (transfers.size() > device::message_call::most)
    fail(errc::unsupported, std::to_string(transfers.size()) + " messages in one exchange through peer memory",
         "a kernel takes " + std::to_string(device::message_call::most),
         "choose an algorithm with fewer peers a round");
  std::vector<executor::stream_transfer> sorted(transfers.begin(), transfers.end());
  for (const executor::stream_transfer& each : sorted)
    if (each.peer.value < 0 || each.peer.value >= view.size || each.peer.value == view.rank)
      fail(errc::unsupported, "a message to rank " + to_string(each.peer) + " through peer memory",
           "the group has ranks 0 to " + std::to_string(view.size - 1) + ", and this one is " +
               std::to_string(view.rank));
  const auto lane = [&](const executor::stream_transfer& each) {
    const int turn = (each.peer.value - view.rank + view.size) % view.size;  // not all ranks begin with rank 0
    return 2 * turn + (each.is_send ? 0 : 1);
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) { return lane(a) < lane(b); });
  device::message_call call;
  call.view = view;
  call.mail = mail;
  for (std::size_t i = 0; i < sorted.size();) {
    std::int32_t widest = 0;
    const int here = lane(sorted[i]);
    for (; i < sorted.size() && lane(sorted[i]) == here; ++i) {
      widest = std::max(widest, device::shares_of(mail.shape, sorted[i].bytes));
      call.messages[call.count] = {.data = static_cast<std::byte*>(sorted[i].data),
                                   .bytes = sorted[i].bytes,
                                   .peer = static_cast<std::int16_t>(sorted[i].peer.value),
                                   .is_send = static_cast<std::uint8_t>(sorted[i].is_send)};
      call.first_cta[call.count++] = static_cast<std::int16_t>(call.ctas);
    }
    call.ctas += widest;
  }
  return call;
}

/// The most shares such that every rank's messages with all its peers, on every lane at once, are resident together.
/// `resident`: CTAs that the smallest GPU of the group holds.
constexpr std::int32_t most_shares(std::int32_t resident, std::int32_t ranks, std::int32_t lanes) {
  const std::int32_t ways = 2 * std::max(ranks - 1, 1) * std::max(lanes, 1);
  return std::clamp(resident / ways, 0, 8);
}

}  // namespace hawser::cuda
