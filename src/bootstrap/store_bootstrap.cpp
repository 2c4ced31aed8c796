// The store's client as the ranks see it: requests that wait on a condition variable.
#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>

#include "store_client.hpp"
#include "store_connect.hpp"

namespace hawser::bootstrap {
namespace {

constexpr milliseconds leave_timeout{2000};  // the store's answer to `leave`
constexpr std::size_t longest_key = 4096;    // and longest reason of an abort
constexpr milliseconds server_linger{2000};  // rank 0 waits this long for the others to leave

}  // namespace

store_bootstrap::implementation::implementation(store_options options)
    : options_(std::move(options)), peer_timeout_(options_.peer_timeout) {
  fd_ = connect_to_store(options_);
  local_address_ = net::local_address(fd_.value()).host();
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_) net::fail_errno(errno, "cannot start the monitor of the store");
  board_.add_listener({&wake, this});
  thread_ = std::thread([this] { monitor(); });
}

store_bootstrap::implementation::~implementation() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ::eventfd_write(wake_.value(), 1);
  thread_.join();
  board_.remove_listener({&wake, this});
  net::shut_down(fd_.value());
}

/// Listener of the board: a request may be waiting for what the failed rank will never publish.
void store_bootstrap::implementation::wake(void* self) {
  auto& mine = *static_cast<implementation*>(self);
  std::lock_guard lock(mine.mutex_);
  mine.changed_.notify_all();
}

void store_bootstrap::implementation::send(const std::string& message) {
  output_.append(message);
  ::eventfd_write(wake_.value(), 1);
}

/// With the lock held.
std::uint64_t store_bootstrap::implementation::start(wire::message type, std::string_view key,
                                                     std::optional<std::string_view> value) {
  const std::uint64_t id = next_request_++;
  wire::writer message(type);
  message.number(id);
  const bool has_key = type == wire::message::put || type == wire::message::get || type == wire::message::erase;
  if (has_key) message.text(key);
  if (value) message.text(*value);
  requests_.try_emplace(id);
  send(message.finish());
  return id;
}

store_bootstrap::implementation::wait_end store_bootstrap::implementation::wait(std::unique_lock<std::mutex>& lock,
                                                                                const request& on,
                                                                                clock::time_point deadline,
                                                                                bool heeds_failures) {
  for (;;) {
    if (on.is_answered) return wait_end::answered;
    if (is_lost_ || is_closing_) return wait_end::failed;
    if (heeds_failures && on.is_waiting && board_.generation() != 0) return wait_end::failed;
    if (clock::now() >= deadline) return wait_end::timed_out;
    changed_.wait_until(lock, deadline);
  }
}

std::string store_bootstrap::implementation::call(wire::message type, std::string_view key,
                                                  std::optional<std::string_view> value, milliseconds timeout,
                                                  const std::string& problem, bool heeds_failures) {
  const auto deadline = clock::now() + timeout;
  std::unique_lock lock(mutex_);
  if (has_left_) fail(errc::invalid_argument, problem, "this rank has left the job");
  if (key.size() > longest_key) fail(errc::invalid_argument, "a key of the store is longer than 4096 bytes");
  const std::uint64_t id = start(type, key, value);
  const auto entry = requests_.find(id);  // other requests come and go; unordered_map keeps references to this one
  request& mine = entry->second;
  const wait_end end = wait(lock, mine, deadline, heeds_failures);
  request seen = std::move(mine);
  requests_.erase(id);
  if (end != wait_end::answered && type == wire::message::get)
    send(wire::writer(wire::message::cancel).number(id).text(key).finish());
  lock.unlock();
  if (end != wait_end::answered) raise(end, seen, problem, timeout);
  if (seen.status != 0) throw error(static_cast<errc>(seen.status - 1), seen.text);
  return std::move(seen.text);
}

void store_bootstrap::implementation::raise(wait_end end, const request& seen, const std::string& problem,
                                            milliseconds timeout) {
  if (end == wait_end::failed) {
    if (const auto known = board_.since(0); !known.empty()) throw to_error(known.front(), problem);
    fail(errc::io, problem, "the store at " + options_.address + ":" + std::to_string(options_.port) + " has ended");
  }
  if (seen.is_waiting)
    fail(errc::timeout, problem, "nobody published it within " + to_string(seconds(timeout)),
         "does every rank make the same calls?");
  fail(errc::timeout, problem, "the store did not answer within " + to_string(seconds(timeout)));
}

void store_bootstrap::implementation::put(std::string_view key, std::string_view value) {
  const std::string problem = "cannot publish the key \"" + std::string(key) + "\"";
  if (key.size() + value.size() > wire::longest_message - 64)
    fail(errc::invalid_argument, problem,
         "the value has " + std::to_string(value.size()) + " bytes, the limit is 16 MiB");
  call(wire::message::put, key, value, options_.request_timeout, problem, false);
}

std::string store_bootstrap::implementation::get(std::string_view key, milliseconds timeout) {
  return call(wire::message::get, key, {}, timeout, "waiting for the key \"" + std::string(key) + "\"", true);
}

void store_bootstrap::implementation::erase(std::string_view key) {
  call(wire::message::erase, key, {}, options_.request_timeout, "cannot erase the key \"" + std::string(key) + "\"",
       false);
}

void store_bootstrap::implementation::rendezvous(milliseconds timeout) {
  const std::string problem = "the job is not complete";
  const auto deadline = clock::now() + timeout;
  std::unique_lock lock(mutex_);
  if (has_left_) fail(errc::invalid_argument, problem, "this rank has left the job");
  const std::uint64_t id = start(wire::message::rendezvous, {});
  request& mine = requests_.find(id)->second;
  mine.is_waiting = true;
  const wait_end end = wait(lock, mine, deadline, true);
  requests_.erase(id);
  lock.unlock();
  if (end == wait_end::answered) return;
  if (end == wait_end::failed) raise(end, {}, problem, timeout);
  const std::string missing = call(wire::message::missing, {}, {}, options_.request_timeout, problem, false);
  fail(errc::timeout, problem, missing + " did not join within " + to_string(seconds(timeout)),
       "is it started, with the same MASTER_ADDR, MASTER_PORT and WORLD_SIZE?");
}

void store_bootstrap::implementation::abort(std::string_view reason) {
  reason = reason.substr(0, longest_key);
  {
    std::lock_guard lock(mutex_);
    send(wire::writer(wire::message::abort).text(reason).finish());
  }
  board_.post({errc::aborted, std::nullopt, std::string(reason)});
}

void store_bootstrap::implementation::report_lost(rank peer, std::string_view reason) {
  std::lock_guard lock(mutex_);
  if (has_left_ || is_lost_ || is_closing_) return;
  send(wire::writer(wire::message::link_lost).number(peer.value).text(reason.substr(0, longest_key)).finish());
}

void store_bootstrap::implementation::leave() {
  std::unique_lock lock(mutex_);
  if (std::exchange(has_left_, true) || is_lost_ || is_closing_) return;
  const std::uint64_t id = start(wire::message::leave, {});
  wait(lock, requests_.find(id)->second, clock::now() + leave_timeout, false);
  requests_.erase(id);
}

store_bootstrap::store_bootstrap(store_options options) : self_(std::make_unique<implementation>(std::move(options))) {}
store_bootstrap::store_bootstrap(store_options options, std::unique_ptr<store_server> server)
    : server_(std::move(server)), self_(std::make_unique<implementation>(std::move(options))) {}
store_bootstrap::~store_bootstrap() = default;

rank store_bootstrap::self() const noexcept {
  return self_->options().self;
}
int store_bootstrap::size() const noexcept {
  return self_->options().size;
}
void store_bootstrap::put(std::string_view key, std::string_view value) {
  self_->put(key, value);
}
std::string store_bootstrap::get(std::string_view key, milliseconds timeout) {
  return self_->get(key, timeout);
}
void store_bootstrap::erase(std::string_view key) {
  self_->erase(key);
}
void store_bootstrap::rendezvous(milliseconds timeout) {
  self_->rendezvous(timeout);
}
failure_board& store_bootstrap::failures() noexcept {
  return self_->failures();
}
void store_bootstrap::abort(std::string_view reason) {
  self_->abort(reason);
}
void store_bootstrap::report_lost(rank peer, std::string_view reason) {
  self_->report_lost(peer, reason);
}
std::string store_bootstrap::local_address() const {
  return self_->local_address();
}
const std::string& store_bootstrap::secret() const noexcept {
  return self_->options().secret;
}
void store_bootstrap::leave() {
  self_->leave();
  if (server_) server_->close(server_linger);
}

}  // namespace hawser::bootstrap
