// See stream_router.hpp.
#include <hawser/executor/stream_router.hpp>

#include <algorithm>

#include <hawser/core/error.hpp>

namespace hawser::executor {

stream_router::~stream_router() {
  for (back_end& each : back_ends_) {
    for (const stream_handle side : each.sides) device_.destroy(side);
    for (const event_handle end : each.ends) device_.destroy(end);
  }
  for (const event_handle begin : begins_) device_.destroy(begin);
}

std::size_t stream_router::add(std::unique_ptr<stream_wire> wire) {
  name_ += (name_.empty() ? "" : " and ") + std::string(wire->name());
  back_ends_.emplace_back().wire = std::move(wire);
  if (back_ends_.size() > 1) prepare_sides();
  return back_ends_.size() - 1;
}

/// Every back end but the first has a stream beside each lane's.
void stream_router::prepare_sides() {
  const auto lanes_now = static_cast<std::size_t>(lanes());
  while (begins_.size() < lanes_now) begins_.push_back(device_.make_event());
  for (std::size_t b = 1; b < back_ends_.size(); ++b)
    while (back_ends_[b].sides.size() < lanes_now) {
      back_ends_[b].sides.push_back(device_.make_stream());
      back_ends_[b].ends.push_back(device_.make_event());
    }
}

void stream_router::route(rank peer, std::size_t through, rank number) {
  const auto at = static_cast<std::size_t>(peer.value);
  if (ways_.size() <= at) ways_.resize(at + 1);
  ways_[at] = {static_cast<std::int32_t>(through), number};
  std::vector<rank>& peers = back_ends_[through].peers;
  const auto there = static_cast<std::size_t>(number.value);
  if (peers.size() <= there) peers.resize(there + 1, rank(-1));
  peers[there] = peer;
}

const stream_router::way* stream_router::way_to(rank peer) const noexcept {
  if (peer.value < 0 || static_cast<std::size_t>(peer.value) >= ways_.size()) return nullptr;
  const way& found = ways_[static_cast<std::size_t>(peer.value)];
  return found.back_end < 0 ? nullptr : &found;
}

bool stream_router::reaches(rank peer) const noexcept {
  return way_to(peer) != nullptr;
}

std::string_view stream_router::name_for(rank peer) const {
  const way* const found = way_to(peer);
  return found == nullptr ? "none" : back_ends_[static_cast<std::size_t>(found->back_end)].wire->name();
}

int stream_router::lanes() const {
  int fewest = 0;
  for (const back_end& each : back_ends_)
    fewest = fewest == 0 ? each.wire->lanes() : std::min(fewest, each.wire->lanes());
  return std::max(fewest, 1);
}

void stream_router::exchange(int lane, stream_handle stream, std::span<const stream_transfer> transfers) {
  for (back_end& each : back_ends_) each.transfers.clear();
  for (stream_transfer each : transfers) {
    const way* const found = way_to(each.peer);
    if (found == nullptr)
      fail(errc::unsupported, "no wire between devices reaches rank " + to_string(each.peer),
           name_.empty() ? "there is none" : "there is " + name_, "use the host's memory");
    each.peer = found->number;
    back_ends_[static_cast<std::size_t>(found->back_end)].transfers.push_back(each);
  }
  const auto l = static_cast<std::size_t>(lane);
  bool has_begun = false;
  for (std::size_t b = 1; b < back_ends_.size(); ++b) {
    back_end& beside = back_ends_[b];
    if (beside.transfers.empty()) continue;
    if (!std::exchange(has_begun, true)) device_.record(begins_[l], stream);
    device_.wait(beside.sides[l], begins_[l]);
    beside.wire->exchange(lane, beside.sides[l], beside.transfers);
    device_.record(beside.ends[l], beside.sides[l]);
  }
  if (!back_ends_.empty() && !back_ends_[0].transfers.empty())
    back_ends_[0].wire->exchange(lane, stream, back_ends_[0].transfers);
  for (std::size_t b = 1; b < back_ends_.size(); ++b)
    if (!back_ends_[b].transfers.empty()) device_.wait(stream, back_ends_[b].ends[l]);
}

std::string_view stream_router::why_not_capturable() const {
  for (const back_end& each : back_ends_)
    if (const std::string_view why = each.wire->why_not_capturable(); !why.empty()) return why;
  return {};
}

std::optional<transport::failure> stream_router::poll_failure() {
  for (back_end& each : back_ends_) {
    std::optional<transport::failure> found = each.wire->poll_failure();
    if (!found) continue;
    const auto number = static_cast<std::size_t>(found->peer.value);
    if (found->peer.value >= 0) found->peer = number < each.peers.size() ? each.peers[number] : rank(-1);
    return found;
  }
  return {};
}

void stream_router::abort(std::string_view reason) noexcept {
  for (back_end& each : back_ends_) each.wire->abort(reason);
}

}  // namespace hawser::executor
