// See device_communicator.hpp and device_state.hpp.
#include <hawser/communicator/device_communicator.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "device_state.hpp"
#include "run.hpp"

namespace hawser {
namespace detail {

using executor::memory_kind;

namespace {

/// How often a blocking call looks whether its stream has ended, after the first moments.
constexpr std::chrono::microseconds nap{50};
constexpr int spins = 200;

/// The ranks that only the innermost level keeps apart, in the order of the machine.
std::vector<rank> innermost_group(const topology::hierarchy& tree, rank self) {
  const std::int64_t own = tree.position_of(self);
  const auto is_near = [&](std::int64_t position) {
    return position == own || topology::crossed_level(tree, self, tree.rank_at(position)) == tree.depth() - 1;
  };
  std::int64_t first = own, last = own;
  while (first > 0 && is_near(first - 1)) --first;
  while (last + 1 < tree.size() && is_near(last + 1)) ++last;
  std::vector<rank> group;
  for (std::int64_t position = first; position <= last; ++position) group.push_back(tree.rank_at(position));
  return group;
}

}  // namespace

device_state::device_state(std::shared_ptr<communicator_state> members, device_backend backend)
    : members_(std::move(members)),
      name_("device of " + members_->name_device()),
      door_(*members_, name_),
      backend_(std::move(backend)) {
  members_->owner().check();
  if (!backend_.device)
    fail(errc::invalid_argument, "a communicator's device side without a device", {},
         "see hawser/cuda/stream_device.hpp");
  open_wires();
  executor_ = std::make_unique<executor::stream_executor>(*backend_.device, *wire_);
  own_stream_ = backend_.device->make_stream();
  own_end_ = backend_.device->make_event();
  watch_ = std::make_unique<stream_watch>(
      *backend_.device, [this] { return look_for_failures(); }, [this] { fail_late(); });
  members_->owner().door().failures().add_listener({&device_state::on_notice, this});
  if (members_->owner().door().failures().generation() != 0) on_notice(this);  // one that came before
}

/// Returns why there is none, where one was wanted.
std::string device_state::open_inside_domain() {
  const topology::hierarchy& tree = members_->planner().tree();
  const rank self = members_->self();
  if (!backend_.inside_domains) return {};
  const std::vector<rank> ranks = innermost_group(tree, self);
  if (ranks.size() < 2) return {};
  const auto number = std::find(ranks.begin(), ranks.end(), self) - ranks.begin();
  domain_door_ =
      std::make_unique<communicator_door>(*members_, name_ + " domain " + to_string(ranks.front()),
                                          rank(static_cast<std::int32_t>(number)), static_cast<int>(ranks.size()));
  try {
    const std::size_t added = wire_->add(backend_.inside_domains(*domain_door_));
    for (std::size_t i = 0; i < ranks.size(); ++i) wire_->route(ranks[i], added, rank(static_cast<std::int32_t>(i)));
  } catch (const error& refused) {
    if (refused.code() != errc::unsupported) throw;
    return refused.what();
  }
  return {};
}

void device_state::open_wires() {
  wire_ = std::make_unique<executor::stream_router>(*backend_.device);
  const std::string refusal = open_inside_domain();
  if (backend_.between_all) {
    const std::size_t added = wire_->add(backend_.between_all(door_));
    for (int r = 0; r < members_->size(); ++r)
      if (!wire_->reaches(rank(r))) wire_->route(rank(r), added, rank(r));
  }
  for (int r = 0; r < members_->size(); ++r)
    if (rank(r) != members_->self() && !wire_->reaches(rank(r)))
      fail(errc::unsupported, "no wire between devices reaches rank " + std::to_string(r),
           refusal.empty() ? "it is in another domain, and there is no wire between those" : refusal,
           "add one that reaches all ranks, or use the host's memory");
}

device_state::~device_state() {
  members_->owner().door().failures().remove_listener({&device_state::on_notice, this});
  executor_.reset();  // waits for the streams, which the watch bounds
  watch_.reset();
  backend_.device->destroy(own_end_);
  backend_.device->destroy(own_stream_);
}

/// From the thread that learns of a failure: streams must not wait for who will never come.
void device_state::on_notice(void* self) {
  static_cast<device_state*>(self)->wire_->abort("a rank of the job has failed, or the job was aborted");
}

std::optional<transport::failure> device_state::poll_wire() {
  std::lock_guard lock(polling_);
  return wire_->poll_failure();
}

/// A wire that one rank has ended looks broken to the others: they wait for that rank's reason.
transport::failure device_state::fail_by_wire(const transport::failure& why) {
  job& owner = members_->owner();
  if (why.code != errc::peer_failed && !owner.failed()) owner.wait_for_notice();
  return owner.fail(why);
}

/// From the watch's thread, while the caller waits for a stream.
bool device_state::look_for_failures() noexcept {
  try {
    if (const auto failed = poll_wire()) {
      wire_->abort(fail_by_wire(*failed).what);
      return false;
    }
    return true;
  } catch (const std::exception& raised) {
    wire_->abort(raised.what());
    return false;
  }
}

void device_state::fail_late() noexcept {
  const char* const what = "a collective on the device did not end in time; is every rank in the same call?";
  try {
    members_->owner().fail({errc::timeout, rank(-1), what});
  } catch (const std::exception&) {  // out of memory: the others time out too
  }
  wire_->abort(what);
}

std::chrono::milliseconds device_state::timeout_of(const call& made) const {
  return made.options.timeout.value_or(members_->owner().options().operation_timeout);
}

void device_state::check() {
  job& owner = members_->owner();
  if (owner.door().failures().generation() != 0) owner.engine().poll();  // takes the notices
  owner.check();
  if (const auto failed = poll_wire()) throw to_error(fail_by_wire(*failed), "a collective on the device");
}

void device_state::enqueue(const call& made, executor::stream_handle stream) {
  check();
  for (const void* each : {made.input, static_cast<const void*>(made.output)}) {
    const memory_kind kind = each == nullptr ? memory_kind::device : backend_.device->kind_of(each);
    if (kind == memory_kind::host || kind == memory_kind::other_device)
      fail(errc::invalid_argument,
           std::string(to_string(made.what)) + " on a stream of " + std::string(backend_.device->name()),
           kind == memory_kind::host ? "a buffer is memory of the host that the device cannot touch"
                                     : "a buffer is memory of another device",
           kind == memory_kind::host ? "pin it, or leave the stream out" : "use the rank's own device");
  }
  const stream_call prepared(*members_, programs_, made);
  try {
    executor_->enqueue(prepared.arguments(), stream);
    if (!backend_.device->is_capturing(stream)) watch_->add(stream, stream_watch::clock::now() + timeout_of(made));
  } catch (const error& raised) {
    // Refused before anything was enqueued, the ranks are in step; after that they are not.
    if (raised.code() == errc::unsupported) throw;
    check();  // the wire may only have been closed because of what another rank has told
    members_->owner().fail({raised.code(), raised.peer().value_or(rank(-1)), raised.what()});
    throw;
  }
}

device_state::side device_state::side_of(const call& made) {
  bool has_host = false, has_device = false;
  for (const void* each : {made.input, static_cast<const void*>(made.output)}) {
    if (each == nullptr) continue;
    const memory_kind kind = backend_.device->kind_of(each);
    if (kind == memory_kind::other_device)
      fail(errc::invalid_argument, to_string(made.what), "a buffer is memory of another device",
           "use the rank's own device");
    (kind == memory_kind::host ? has_host : has_device) = true;
  }
  if (has_host && has_device)
    fail(errc::invalid_argument, to_string(made.what), "one buffer is memory of the host, the other one of the device",
         "copy one of them, or pin the host's");
  return has_device ? side::device : side::host;
}

void device_state::run(const call& made) {
  if (side_of(made) == side::host) {
    const run_handle run = members_->runs().take(*members_, made);
    run->start(attendance::caller);
    return run->wait();
  }
  enqueue(made, own_stream_);
  backend_.device->record(own_end_, own_stream_);
  // The watch ends the wait where a rank is missing.
  for (int looks = 0; !backend_.device->has_passed(own_end_); ++looks) {
    if (looks < spins)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(nap);
  }
  check();
}

}  // namespace detail

void stream_forms::launch(const detail::call& made) {
  state_->enqueue(made, stream_);
}

device_communicator::device_communicator(communicator& members, device_backend backend)
    : state_(std::make_shared<detail::device_state>(members.state(), std::move(backend))) {}
device_communicator::device_communicator(device_communicator&&) noexcept = default;
device_communicator& device_communicator::operator=(device_communicator&&) noexcept = default;
device_communicator::~device_communicator() = default;

void device_communicator::launch(const detail::call& made) {
  state_->run(made);
}
void device_communicator::check() {
  state_->check();
}
std::string_view device_communicator::wire_to(rank peer) const {
  return state_->wire().name_for(peer);
}
int device_communicator::lanes() const {
  return state_->wire().lanes();
}

}  // namespace hawser
