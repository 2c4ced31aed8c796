// The store's client as the ranks see it: requests that wait on a condition variable.
#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/units.hpp>

#include "agreement_wire.hpp"
#include "store_client.hpp"
#include "store_connect.hpp"

namespace hawser::bootstrap {
namespace {

constexpr milliseconds leave_timeout{2000};  // the store's answer to `leave`
constexpr std::size_t longest_key = 4096;    // and longest reason of an abort
constexpr milliseconds server_linger{2000};  // rank 0 waits this long for the others to leave

}  // namespace

store_bootstrap::implementation::implementation(store_options options)
    : options_(std::move(options)), self_(options_.self), peer_timeout_(options_.peer_timeout) {
  if (options_.has_tls) keys_ = net::make_tls_keys(options_.secret, service::store);
  fd_ = connect_to_store(options_, keys_);
  local_address_ = net::local_address(fd_.value()).host();
  store_at_ = options_.address + " " + std::to_string(options_.port);
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ending_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_ || !ending_) net::fail_errno(errno, "cannot start the monitor of the store");
  board_.add_listener({&wake, this});
  thread_ = std::thread([this] { monitor(); });
  if (options_.self.value >= 0) return;
  std::unique_lock lock(mutex_);  // a newcomer is told its number
  changed_.wait_until(lock, clock::now() + options_.connect_timeout,
                      [this] { return self_.value >= 0 || link_ == link::down; });
}

store_bootstrap::implementation::~implementation() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ::eventfd_write(ending_.value(), 1);
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

/// With the lock held. `fields`: what comes after the request's number.
std::uint64_t store_bootstrap::implementation::start(wire::message type, const std::string& fields) {
  const std::uint64_t id = next_request_++;
  requests_.try_emplace(id);
  send(wire::writer(type).number(id).raw(fields).finish());
  return id;
}

store_bootstrap::implementation::wait_end store_bootstrap::implementation::wait(std::unique_lock<std::mutex>& lock,
                                                                                const request& on,
                                                                                clock::time_point deadline,
                                                                                const failure_board* heeded) {
  for (;;) {
    if (on.is_answered) return wait_end::answered;
    if (on.is_cut || is_closing_ || link_ == link::down) return wait_end::failed;
    if (heeded && on.is_waiting && heeded->generation() != 0) return wait_end::failed;
    if (clock::now() >= deadline) return wait_end::timed_out;
    changed_.wait_until(lock, deadline);
  }
}

/// With the lock held: waits while a successor of a lost store is looked for; false where there is no store.
bool store_bootstrap::implementation::wait_for_link(std::unique_lock<std::mutex>& lock, clock::time_point deadline) {
  changed_.wait_until(lock, deadline, [this] { return link_ != link::recovering; });
  return link_ == link::up && !is_closing_;
}

std::string store_bootstrap::implementation::call(wire::message type, std::string_view key,
                                                  std::optional<std::string_view> value, milliseconds timeout,
                                                  const std::string& problem, const failure_board* heeded) {
  const auto deadline = clock::now() + timeout;
  std::unique_lock lock(mutex_);
  if (has_left_) fail(errc::invalid_argument, problem, "this rank has left the job");
  if (key.size() > longest_key) fail(errc::invalid_argument, "a key of the store is longer than 4096 bytes");
  if (heeded && heeded->generation() != 0 && link_ != link::up) {
    lock.unlock();
    raise(wait_end::failed, {}, problem, timeout, heeded);
  }
  wait_for_link(lock, deadline);
  wire::writer fields(type);
  if (type != wire::message::missing) fields.text(key);
  if (value) fields.text(*value);
  const std::uint64_t id = start(type, fields.body());
  const auto entry = requests_.find(id);  // other requests come and go; unordered_map keeps references to this one
  request& mine = entry->second;
  const wait_end end = wait(lock, mine, deadline, heeded);
  request seen = std::move(mine);
  requests_.erase(id);
  if (end != wait_end::answered && type == wire::message::get)
    send(wire::writer(wire::message::cancel).number(id).text(key).finish());
  lock.unlock();
  if (end != wait_end::answered) raise(end, seen, problem, timeout, heeded);
  if (seen.status != 0) throw error(static_cast<errc>(seen.status - 1), seen.text);
  return std::move(seen.text);
}

std::string store_bootstrap::implementation::persevere(wire::message type, const std::string& fields,
                                                       milliseconds timeout, const std::string& problem) {
  const auto deadline = clock::now() + timeout;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (has_left_) fail(errc::invalid_argument, problem, "this rank has left the job");
    if (!wait_for_link(lock, deadline)) break;
    const std::uint64_t id = start(type, fields);
    request& mine = requests_.find(id)->second;
    const wait_end end = wait(lock, mine, deadline, nullptr);
    request seen = std::move(mine);
    requests_.erase(id);
    if (end == wait_end::answered) return std::move(seen.text);
    if (end == wait_end::timed_out) break;
  }
  const bool is_link_up = link_ == link::up && !is_closing_;
  lock.unlock();
  if (is_link_up) fail(errc::timeout, problem, "the store did not answer within " + to_string(seconds(timeout)));
  raise_lost(problem);
}

/// There is no store any more that could decide anything.
void store_bootstrap::implementation::raise_lost(const std::string& problem) {
  if (is_given_up()) {
    error given_up(errc::peer_failed, describe(problem, "the other ranks have given this one up", "start it anew"));
    throw given_up.with_peer(self());
  }
  fail(errc::io, problem,
       "the store has ended, and no rank that could open another one can be reached (docs/recovery.md)");
}

void store_bootstrap::implementation::raise(wait_end end, const request& seen, const std::string& problem,
                                            milliseconds timeout, const failure_board* heeded) {
  if (end == wait_end::failed) {
    const auto known = heeded ? heeded->since(0) : std::vector<failure_notice>();
    if (!known.empty()) throw to_error(known.front(), problem);
    // What heeds no failures has failed with the store, whoever else has ended before.
    if (const auto lost = why_lost()) throw to_error(*lost, problem);
    fail(errc::io, problem, "the store at " + options_.address + ":" + std::to_string(options_.port) + " has ended");
  }
  if (seen.is_waiting)
    fail(errc::timeout, problem, "nobody published it within " + to_string(seconds(timeout)),
         "does every rank make the same calls?");
  fail(errc::timeout, problem, "the store did not answer within " + to_string(seconds(timeout)));
}

std::optional<failure_notice> store_bootstrap::implementation::why_lost() const {
  std::lock_guard lock(mutex_);
  return lost_;
}

void store_bootstrap::implementation::put(std::string_view key, std::string_view value) {
  const std::string problem = "cannot publish the key \"" + std::string(key) + "\"";
  if (key.size() + value.size() > wire::longest_message - 64)
    fail(errc::invalid_argument, problem,
         "the value has " + std::to_string(value.size()) + " bytes, the limit is 16 MiB");
  call(wire::message::put, key, value, options_.request_timeout, problem, nullptr);
}

std::string store_bootstrap::implementation::get(std::string_view key, milliseconds timeout,
                                                 const failure_board& heeded) {
  return call(wire::message::get, key, {}, timeout, "waiting for the key \"" + std::string(key) + "\"", &heeded);
}

void store_bootstrap::implementation::erase(std::string_view key) {
  call(wire::message::erase, key, {}, options_.request_timeout, "cannot erase the key \"" + std::string(key) + "\"",
       nullptr);
}

void store_bootstrap::implementation::rendezvous(milliseconds timeout) {
  const std::string problem = "the job is not complete";
  const auto deadline = clock::now() + timeout;
  std::unique_lock lock(mutex_);
  if (has_left_) fail(errc::invalid_argument, problem, "this rank has left the job");
  stand_by();
  wire::writer fields(wire::message::rendezvous);
  const std::uint64_t id = start(wire::message::rendezvous, fields.text(standby_address_).body());
  request& mine = requests_.find(id)->second;
  mine.is_waiting = true;
  // A newcomer is told of ranks that failed before its time.
  const wait_end end = wait(lock, mine, deadline, options_.self.value < 0 ? nullptr : &board_);
  // The whole table is pushed when all have come; it may be here before this thread is.
  if (end == wait_end::answered && standbys_.empty()) learn_standbys(mine.text);
  requests_.erase(id);
  lock.unlock();
  if (end == wait_end::answered) return;
  if (end == wait_end::failed) raise(end, {}, problem, timeout, &board_);
  const std::string missing = call(wire::message::missing, {}, {}, options_.request_timeout, problem, nullptr);
  fail(errc::timeout, problem, missing + " did not join within " + to_string(seconds(timeout)),
       "is it started, with the same MASTER_ADDR, MASTER_PORT and WORLD_SIZE?");
}

void store_bootstrap::implementation::abort(std::string_view scope, std::string_view reason) {
  reason = reason.substr(0, longest_key);
  {
    std::lock_guard lock(mutex_);
    send(wire::writer(wire::message::abort).text(scope).text(reason).finish());
  }
  board_.post({errc::aborted, std::nullopt, std::string(reason), failure_kind::unknown, std::string(scope)});
}

void store_bootstrap::implementation::report_lost(std::string_view scope, rank peer, std::string_view reason) {
  std::lock_guard lock(mutex_);
  if (has_left_ || link_ != link::up || is_closing_) return;
  reason = reason.substr(0, longest_key);
  send(wire::writer(wire::message::link_lost).number(peer.value).text(scope).text(reason).finish());
}

agreement store_bootstrap::implementation::agree(const question& asked) {
  wire::writer fields(wire::message::agree);
  wire::write(fields, asked);
  const std::string text = persevere(wire::message::agree, fields.body(), asked.timeout + options_.request_timeout,
                                     "the ranks cannot agree on \"" + asked.name + "\"");
  remember(asked.name, text);
  return wire::read_agreement(text);
}

admission_notice store_bootstrap::implementation::await_admission(milliseconds timeout) {
  if (options_.self.value >= 0)
    fail(errc::invalid_argument, "rank " + to_string(options_.self) + " is no newcomer",
         "it has been in the job from the start");
  return wire::read_admission(persevere(wire::message::admit, {}, timeout, "this process was not admitted to the job"));
}

void store_bootstrap::implementation::leave(milliseconds linger) {
  std::unique_lock lock(mutex_);
  if (!std::exchange(has_left_, true) && link_ == link::up && !is_closing_) {
    const std::uint64_t id = start(wire::message::leave, {});
    wait(lock, requests_.find(id)->second, clock::now() + leave_timeout, nullptr);
    requests_.erase(id);
  }
  store_server* const own = successor_.get();
  lock.unlock();
  if (own) own->close(linger);
}

std::string store_bootstrap::implementation::store_address() const {
  std::lock_guard lock(mutex_);
  return store_at_.substr(0, store_at_.find(' ')) + ":" + store_at_.substr(store_at_.find(' ') + 1);
}

rank store_bootstrap::implementation::self() const {
  std::lock_guard lock(mutex_);
  return self_;
}

store_bootstrap::store_bootstrap(store_options options) : self_(std::make_unique<implementation>(std::move(options))) {}
store_bootstrap::store_bootstrap(store_options options, std::unique_ptr<store_server> server)
    : server_(std::move(server)), self_(std::make_unique<implementation>(std::move(options))) {}
store_bootstrap::~store_bootstrap() = default;

rank store_bootstrap::self() const noexcept {
  return self_->self();
}
int store_bootstrap::size() const noexcept {
  return self_->options().size;
}
void store_bootstrap::put(std::string_view key, std::string_view value) {
  self_->put(key, value);
}
std::string store_bootstrap::get(std::string_view key, milliseconds timeout, const failure_board& heeded) {
  return self_->get(key, timeout, heeded);
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
void store_bootstrap::abort(std::string_view scope, std::string_view reason) {
  self_->abort(scope, reason);
}
agreement store_bootstrap::agree(const question& asked) {
  return self_->agree(asked);
}
admission_notice store_bootstrap::await_admission(milliseconds timeout) {
  return self_->await_admission(timeout);
}
void store_bootstrap::report_lost(std::string_view scope, rank peer, std::string_view reason) {
  self_->report_lost(scope, peer, reason);
}
std::string store_bootstrap::local_address() const {
  return self_->local_address();
}
std::string store_bootstrap::store_address() const {
  return self_->store_address();
}
const std::string& store_bootstrap::secret() const noexcept {
  return self_->options().secret;
}
void store_bootstrap::leave() {
  self_->leave(server_linger);
  if (server_) server_->close(server_linger);
}

}  // namespace hawser::bootstrap
