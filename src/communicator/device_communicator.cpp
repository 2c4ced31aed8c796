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
constexpr std::chrono::microseconds longest_nap{50};
constexpr int spins = 200;

/// The communicator's ranks as a wire sees them; equal on all ranks, and new to the job.
transport::endpoint_environment environment_of(communicator_state& members) {
  job& owner = members.owner();
  transport::endpoint_environment made;
  made.self = members.self();
  made.size = members.size();
  made.incarnation = "device of " + members.name_device();
  const std::string prefix = made.incarnation + ":";
  made.publish = [&owner, prefix](std::string_view key, std::string_view value) {
    owner.door().put(prefix + std::string(key), value);
  };
  made.look_up = [&owner, prefix](std::string_view key) {
    return owner.door().get(prefix + std::string(key), owner.options().rendezvous_timeout);
  };
  made.secret = owner.door().secret();
  made.peer_timeout = owner.options().peer_timeout;
  made.interface = owner.options().interface;
  for (int r = 0; r < members.size(); ++r) {
    const auto host_of = [&](rank member) {
      return owner.host_numbers()[static_cast<std::size_t>(members.in_job(member).value)];
    };
    if (host_of(r) == host_of(members.self())) made.neighbours.emplace_back(r);
  }
  return made;
}

}  // namespace

device_state::device_state(std::shared_ptr<communicator_state> members, device_backend backend)
    : members_(std::move(members)), backend_(std::move(backend)) {
  members_->owner().check();
  if (!backend_.device || !backend_.open_wire)
    fail(errc::invalid_argument, "a communicator's device side without a device or a wire", {},
         "use hawser::cuda's backend");
  wire_ = backend_.open_wire(environment_of(*members_));
  executor_ = std::make_unique<executor::stream_executor>(*backend_.device, *wire_);
  own_stream_ = backend_.device->make_stream();
  own_end_ = backend_.device->make_event();
  members_->owner().door().failures().add_listener({&device_state::on_notice, this});
  if (members_->owner().door().failures().generation() != 0) on_notice(this);  // one that came before
}

device_state::~device_state() {
  members_->owner().door().failures().remove_listener({&device_state::on_notice, this});
  executor_.reset();
  backend_.device->destroy(own_end_);
  backend_.device->destroy(own_stream_);
}

/// From the thread that learns of a failure: streams must not wait for who will never come.
void device_state::on_notice(void* self) {
  static_cast<device_state*>(self)->wire_->abort("a rank of the job has failed, or the job was aborted");
}

void device_state::check() {
  job& owner = members_->owner();
  if (owner.door().failures().generation() != 0) owner.engine().poll();  // takes the notices
  owner.check();
  if (const auto failed = wire_->poll_failure()) throw to_error(owner.fail(*failed), "the device's wire");
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

void device_state::run(call made) {
  if (side_of(made) == side::host) {
    const run_handle run = members_->runs().take(*members_, std::move(made));
    run->start(attendance::caller);
    return run->wait();
  }
  enqueue(made, own_stream_);
  backend_.device->record(own_end_, own_stream_);
  wait_for_own_stream(made.options.timeout.value_or(members_->owner().options().operation_timeout));
}

void device_state::wait_for_own_stream(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (int looks = 0; !backend_.device->has_passed(own_end_); ++looks) {
    if (std::chrono::steady_clock::now() > deadline) {
      members_->owner().fail({errc::timeout, rank(-1), "a collective on the device did not end in time"});
      wire_->abort("a collective did not end in time");
      backend_.device->synchronise(own_stream_);
      fail(errc::timeout, "a collective on the device did not end within " + std::to_string(timeout.count()) + " ms",
           {}, "is every rank in the same call?");
    }
    if (looks < spins)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(longest_nap);
  }
  check();
}

}  // namespace detail

void stream_forms::launch(detail::call made) {
  state_->enqueue(made, stream_);
}

device_communicator::device_communicator(communicator& members, device_backend backend)
    : state_(std::make_shared<detail::device_state>(members.state(), std::move(backend))) {}
device_communicator::device_communicator(device_communicator&&) noexcept = default;
device_communicator& device_communicator::operator=(device_communicator&&) noexcept = default;
device_communicator::~device_communicator() = default;

void device_communicator::launch(detail::call made) {
  state_->run(std::move(made));
}
void device_communicator::check() {
  state_->check();
}
std::string_view device_communicator::wire_name() const {
  return state_->wire().name();
}
int device_communicator::lanes() const {
  return state_->wire().lanes();
}

}  // namespace hawser
