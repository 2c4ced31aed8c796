// The in-process transport: mailboxes, and parcels that change hands between sender and receiver by one atomic.
#include <hawser/transport/in_process.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace hawser::transport {

/// A message that lies in its sender's memory. `state` says who may do what:
/// waiting: the sender may withdraw it, the receiver may begin to read; reading: the sender must wait;
/// answered: the receiver is through with it; withdrawn: the receiver must not read, and will not answer.
struct in_process_hub::parcel {
  enum class status { waiting, reading, answered, withdrawn };
  std::atomic<status> state{status::waiting};
  std::span<const std::byte> bytes;
  rank from;
  rank to;
  // The sender's own:
  completion* done = nullptr;  // null where nothing is pending
};

struct in_process_hub::letter {
  enum class kind { message, answer, departure };
  kind what = kind::message;
  rank from;
  tag match;
  parcel* about = nullptr;
  bool is_delivered = false;
};

struct in_process_hub::mailbox {
  mailbox() : bell(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (bell < 0) throw error(errc::resource, "cannot create an event descriptor").with_native_code(errno);
  }
  ~mailbox() { ::close(bell); }
  mailbox(mailbox&&) = delete;

  /// False where the owner has shut down.
  bool post(const letter& added) {
    std::lock_guard lock(mutex);
    if (is_closed) return false;
    letters.push_back(added);
    has_mail.store(true, std::memory_order_relaxed);
    if (is_sleeping) {
      // Under the lock, so that the owner that clears the bell finds it rung.
      is_sleeping = false;
      is_rung = true;
      const std::uint64_t one = 1;
      if (::write(bell, &one, sizeof one) < 0 && errno != EAGAIN) std::abort();  // an owned eventfd cannot fail else
    }
    return true;
  }

  const int bell;
  std::atomic<bool> has_mail{false};
  std::mutex mutex;
  std::vector<letter> letters;
  bool is_sleeping = false;
  bool is_rung = false;
  bool is_closed = false;
  // Touched by the owner only. Parcels outlive their endpoint, because receivers hold pointers to them.
  std::deque<parcel> parcels;
  std::vector<parcel*> free_parcels;
};

namespace {

failure departed(rank peer) {
  return {errc::peer_failed, peer, "rank " + to_string(peer) + " has shut its endpoint down"};
}

}  // namespace

in_process_hub::in_process_hub(int size) {
  if (size < 1) fail(errc::invalid_argument, "a hub needs at least one rank", std::to_string(size) + " were asked for");
  for (int i = 0; i < size; ++i) mailboxes_.push_back(std::make_unique<mailbox>());
}

in_process_hub::~in_process_hub() = default;

int in_process_hub::size() const noexcept {
  return static_cast<int>(mailboxes_.size());
}

std::shared_ptr<in_process_hub> in_process_hub::successor(const std::string& incarnation, int size) {
  std::lock_guard lock(mutex_);
  std::erase_if(successors_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<in_process_hub>& known = successors_[incarnation];
  auto found = known.lock();
  if (!found) known = found = std::make_shared<in_process_hub>(size);
  return found;
}

in_process_transport::in_process_transport(std::shared_ptr<in_process_hub> shared, rank self)
    : hub_(std::move(shared)), self_(self) {
  if (!reaches(self))
    fail(errc::invalid_argument, "rank " + to_string(self) + " is not in the hub",
         "it has " + std::to_string(hub_->size()) + " ranks");
  own_ = &mailbox_of(self);
  queues_.resize(static_cast<std::size_t>(hub_->size()));
}

in_process_transport::~in_process_transport() {
  shutdown();
}

in_process_hub::mailbox& in_process_transport::mailbox_of(rank peer) {
  if (!reaches(peer))
    fail(errc::invalid_argument, "rank " + to_string(peer) + " is not in this process",
         "it has " + std::to_string(hub_->size()) + " ranks");
  return *hub_->mailboxes_[static_cast<std::size_t>(peer.value)];
}

match_queue& in_process_transport::queue_of(rank peer) {
  mailbox_of(peer);  // checks the range
  auto& queue = queues_[static_cast<std::size_t>(peer.value)];
  if (!queue) queue = std::make_unique<match_queue>(peer);
  return *queue;
}

in_process_hub::parcel& in_process_transport::new_parcel(rank peer, std::span<const std::byte> bytes,
                                                         completion& done) {
  if (own_->free_parcels.empty()) own_->free_parcels.push_back(&own_->parcels.emplace_back());
  hub::parcel& made = *own_->free_parcels.back();
  own_->free_parcels.pop_back();
  made.state.store(hub::parcel::status::waiting, std::memory_order_relaxed);
  made.bytes = bytes;
  made.from = self_;
  made.to = peer;
  made.done = &done;
  return made;
}

void in_process_transport::send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  if (closed_) return done.done(done, &*closed_);
  if (const failure* why = queue_of(peer).reason()) return done.done(done, why);
  hub::parcel& parcel = new_parcel(peer, bytes, done);
  if (mailbox_of(peer).post({hub::letter::kind::message, self_, match, &parcel})) return;
  const failure gone = departed(peer);
  parcel.done = nullptr;
  own_->free_parcels.push_back(&parcel);
  done.done(done, &gone);
}

void in_process_transport::receive(rank peer, tag match, sink into, completion& done) {
  if (closed_) return done.done(done, &*closed_);
  match_queue& queue = queue_of(peer);
  if (arrival* message = queue.post(match, into, done)) fetch(queue, *message);
}

bool in_process_transport::progress() {
  if (!inbox_.empty() || closed_) return false;  // called from a completion
  if (!own_->has_mail.load(std::memory_order_relaxed)) return false;
  {
    std::lock_guard lock(own_->mutex);
    inbox_.swap(own_->letters);
    own_->has_mail.store(false, std::memory_order_relaxed);
    own_->is_sleeping = false;
    if (own_->is_rung) {
      std::uint64_t rings = 0;
      if (::read(own_->bell, &rings, sizeof rings) > 0) own_->is_rung = false;
    }
  }
  for (std::size_t i = 0; i < inbox_.size(); ++i) open_letter(inbox_[i]);
  inbox_.clear();
  return true;
}

bool in_process_transport::arm() {
  std::lock_guard lock(own_->mutex);
  if (!own_->letters.empty()) return false;
  own_->is_sleeping = true;
  return true;
}

int in_process_transport::wait_descriptor() const noexcept {
  return own_->bell;
}

void in_process_transport::open_letter(const hub::letter& letter) {
  switch (letter.what) {
    case hub::letter::kind::message: {
      if (closed_) return refuse(*letter.about);
      match_queue& queue = queue_of(letter.from);
      const auto address = reinterpret_cast<std::uintptr_t>(letter.about);
      if (arrival* message = queue.offer(letter.match, letter.about->bytes.size(), address, 0)) fetch(queue, *message);
      return;
    }
    case hub::letter::kind::answer: {
      completion* done = std::exchange(letter.about->done, nullptr);
      const rank peer = letter.about->to;
      own_->free_parcels.push_back(letter.about);
      if (!done) return;
      if (letter.is_delivered) return done->done(*done, nullptr);
      const failure refused{errc::peer_failed, peer, "rank " + to_string(peer) + " refuses messages of this rank"};
      return done->done(*done, &refused);
    }
    case hub::letter::kind::departure: {
      queue_of(letter.from).fail_all(departed(letter.from), [this](arrival& each) { refuse(parcel_of(each)); });
      return;
    }
  }
}

in_process_hub::parcel& in_process_transport::parcel_of(const arrival& offered) {
  return *reinterpret_cast<hub::parcel*>(static_cast<std::uintptr_t>(offered.address));
}

/// Copies a message out of its sender's memory; the sender cannot take it back meanwhile.
void in_process_transport::fetch(match_queue& queue, arrival& message) {
  hub::parcel& parcel = parcel_of(message);
  auto expected = hub::parcel::status::waiting;
  if (!parcel.state.compare_exchange_strong(expected, hub::parcel::status::reading, std::memory_order_acquire)) {
    const failure withdrawn{errc::peer_failed, queue.peer(),
                            "rank " + to_string(queue.peer()) + " has taken its message back"};
    return queue.abandon(message, withdrawn);
  }
  queue.append(message, parcel.bytes.data(), parcel.bytes.size());
  answer(parcel, !queue.has_failed());
  queue.finish(message);
}

/// Gives a parcel that this rank was reading, or has refused, back to its sender.
void in_process_transport::answer(hub::parcel& parcel, bool is_delivered) {
  const rank sender = parcel.from;  // read before the sender may go on
  parcel.state.store(hub::parcel::status::answered, std::memory_order_release);
  parcel.state.notify_one();
  mailbox_of(sender).post({hub::letter::kind::answer, self_, {}, &parcel, is_delivered});
}

void in_process_transport::refuse(hub::parcel& parcel) {
  auto expected = hub::parcel::status::waiting;
  if (parcel.state.compare_exchange_strong(expected, hub::parcel::status::reading, std::memory_order_acquire))
    answer(parcel, false);
}

/// Ends a pending send; when its completion is called, the receiver does not read the buffer and will not.
void in_process_transport::take_back(hub::parcel& parcel, const failure& why) {
  auto state = hub::parcel::status::waiting;
  if (!parcel.state.compare_exchange_strong(state, hub::parcel::status::withdrawn, std::memory_order_acq_rel))
    parcel.state.wait(hub::parcel::status::reading, std::memory_order_acquire);
  completion& done = *std::exchange(parcel.done, nullptr);
  done.done(done, &why);
}

void in_process_transport::peer_failed(const failure& why) {
  queue_of(why.peer).fail_all(why, [this](arrival& each) { refuse(parcel_of(each)); });
  for (std::size_t i = 0; i < own_->parcels.size(); ++i)
    if (hub::parcel& each = own_->parcels[i]; each.done && each.to == why.peer) take_back(each, why);
}

void in_process_transport::shutdown() {
  if (closed_) return;
  closed_ = failure{errc::aborted, self_, "the endpoint of rank " + to_string(self_) + " was shut down"};
  std::vector<hub::letter> unread;
  {
    std::lock_guard lock(own_->mutex);
    own_->is_closed = true;
    unread.swap(own_->letters);
  }
  for (const hub::letter& each : unread)
    if (each.what == hub::letter::kind::message) refuse(*each.about);
  for (int i = 0; i < hub_->size(); ++i)
    if (i != self_.value) mailbox_of(i).post({hub::letter::kind::departure, self_, {}, nullptr});
  for (std::size_t i = 0; i < own_->parcels.size(); ++i)
    if (own_->parcels[i].done) take_back(own_->parcels[i], *closed_);
  for (auto& queue : queues_)
    if (queue) queue->fail_all(*closed_, [this](arrival& each) { refuse(parcel_of(each)); });
}

std::vector<any_transport> in_process_endpoints(int size) {
  const auto hub = std::make_shared<in_process_hub>(size);
  std::vector<any_transport> endpoints;
  endpoints.reserve(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) endpoints.emplace_back(std::make_unique<in_process_transport>(hub, i));
  return endpoints;
}

factory in_process_factory(std::shared_ptr<in_process_hub> hub) {
  return {.name = "in_process",
          .reaches = reach::process,
          .is_authenticated = true,  // the same process
          .open = [hub = std::move(hub)](const endpoint_environment& environment) {
            auto own =
                environment.incarnation.empty() ? hub : hub->successor(environment.incarnation, environment.size);
            return any_transport(std::make_unique<in_process_transport>(std::move(own), environment.self));
          }};
}

}  // namespace hawser::transport
