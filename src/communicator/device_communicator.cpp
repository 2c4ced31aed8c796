// See device_communicator.hpp and device_state.hpp.
#include <hawser/communicator/device_communicator.hpp>

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

}  // namespace

device_state::device_state(std::shared_ptr<communicator_state> members, device_backend backend)
    : members_(std::move(members)),
      name_("device of " + members_->name_device()),
      door_(*members_, name_),
      host_door_(*members_, name_ + " host"),
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
const std::string& device_communicator::refusals() const {
  return state_->refusals();
}
int device_communicator::lanes() const {
  return state_->wire().lanes();
}

}  // namespace hawser
