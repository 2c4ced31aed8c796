// The decorator behind with_faults: messages that leave late, twice, damaged or not at all.
#include <hawser/transport/faults.hpp>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <hawser/core/error.hpp>

#include "../core/socket.hpp"

namespace hawser::transport {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds longest_reorder{10};
/// One generator per rank, far apart whatever the seed.
constexpr std::uint64_t rank_stride = 0x9e3779b97f4a7c15u;

class faulty_transport {
 public:
  faulty_transport(any_transport inner, const fault_plan& plan, rank self, std::shared_ptr<fault_log> log)
      : inner_(std::move(inner)),
        plan_(plan),
        self_(self),
        log_(std::move(log)),
        random_(plan.seed.value_or(0) + rank_stride * (static_cast<std::uint64_t>(self.value) + 1)) {
    make_alarm();
  }
  faulty_transport(const faulty_transport&) = delete;
  faulty_transport& operator=(const faulty_transport&) = delete;
  ~faulty_transport() { shutdown(); }

  std::string_view name() const { return inner_.name(); }
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void receive(rank peer, tag match, sink into, completion& done) {
    if (const failure* gone = why_cut(peer)) return done.done(done, gone);
    inner_.receive(peer, match, into, done);
  }
  bool progress();
  bool arm();
  int wait_descriptor() const { return epoll_ ? epoll_.value() : inner_.wait_descriptor(); }
  bool consumes_in_place(rank peer) const { return inner_.consumes_in_place(peer); }
  bool reaches(rank peer) const { return inner_.reaches(peer); }
  void peer_failed(const failure& why);
  void shutdown();

 private:
  /// A message that leaves later.
  struct held {
    rank peer;
    tag match;
    std::span<const std::byte> bytes;
    completion* done;
    clock::time_point due;
    bool is_overtaken = false;  // by whatever goes to the same peer next
  };
  /// A message whose bytes are not the caller's.
  struct forgery : completion {
    std::vector<std::byte> bytes;
    completion* told = nullptr;
    faulty_transport* owner = nullptr;
    std::list<forgery>::iterator self;
  };

  void make_alarm();
  void set_alarm();
  bool draws(message_fault kind);
  void note(message_fault kind, rank to, std::size_t bytes);
  bool may_strike(rank peer) const noexcept;
  void pass(rank peer, tag match, std::span<const std::byte> bytes, completion& done);
  void forge(rank peer, tag match, std::vector<std::byte> bytes, completion* told);
  void hold(held message);
  bool is_behind_another(rank peer, tag match) const;
  bool release_due();
  void cut(rank peer);
  const failure* why_cut(rank peer) const;
  void drop_held(const failure& why, bool (*concerns)(const held&, rank));

  any_transport inner_;
  fault_plan plan_;
  rank self_;
  std::shared_ptr<fault_log> log_;  // null: nobody wants to know
  std::mt19937_64 random_;
  std::uint64_t seen_ = 0, struck_ = 0;
  std::vector<held> held_;  // in the order of posting
  std::list<forgery> forgeries_;
  std::map<std::int32_t, failure> cut_;
  clock::time_point stalled_until_{};
  bool is_closed_ = false;
  net::unique_fd epoll_, timer_;
};

/// A blocked owner must wake up when something held is due: a timer beside the inner descriptor.
void faulty_transport::make_alarm() {
  if (inner_.wait_descriptor() < 0) return;
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  for (const int each : {inner_.wait_descriptor(), timer_.value()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (!epoll_ || each < 0 || ::epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, each, &event) != 0)
      net::fail_errno(errno, "cannot inject faults");
  }
}

void faulty_transport::set_alarm() {
  clock::time_point next = stalled_until_;
  if (next <= clock::now()) {
    next = clock::time_point::max();
    for (const held& each : held_) next = std::min(next, each.due);
  }
  itimerspec when{};
  if (next != clock::time_point::max()) {
    const auto left = std::max<std::int64_t>(1, std::chrono::nanoseconds(next - clock::now()).count());
    when.it_value = {static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  }
  ::timerfd_settime(timer_.value(), 0, &when, nullptr);
}

/// Draws for every message and kind with a chance, so that what is drawn does not depend on what struck before.
bool faulty_transport::draws(message_fault kind) {
  const double chance = plan_.chance_of(kind);
  return chance > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < chance;
}

bool faulty_transport::may_strike(rank peer) const noexcept {
  return seen_ > plan_.after && struck_ < plan_.most && (!plan_.only || *plan_.only == self_) &&
         (!plan_.towards || *plan_.towards == peer);
}

void faulty_transport::note(message_fault kind, rank to, std::size_t bytes) {
  const bool needs_bytes = kind == message_fault::corrupt || kind == message_fault::short_write;
  if (log_ && (bytes > 0 || !needs_bytes)) log_->add({kind, self_, to, bytes});
}

void faulty_transport::send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  if (is_closed_) return inner_.send(peer, match, bytes, done);
  if (const failure* gone = why_cut(peer)) return done.done(done, gone);
  std::array<bool, message_fault_count> strikes{};
  for (std::size_t i = 0; i < message_fault_count; ++i) strikes[i] = draws(static_cast<message_fault>(i));
  ++seen_;
  if (!may_strike(peer)) strikes = {};
  const auto has = [&](message_fault kind) { return strikes[static_cast<std::size_t>(kind)]; };
  if (std::find(strikes.begin(), strikes.end(), true) != strikes.end()) ++struck_;
  // What leaves no message to strike comes alone.
  const bool is_gone = has(message_fault::disconnect) || has(message_fault::drop);
  for (std::size_t i = 0; i < message_fault_count; ++i)
    if (const auto kind = static_cast<message_fault>(i);
        strikes[i] && (!is_gone || kind == message_fault::stall || kind == message_fault::disconnect ||
                       (kind == message_fault::drop && !has(message_fault::disconnect))))
      note(kind, peer, bytes.size());
  const auto now = clock::now();
  if (has(message_fault::stall)) stalled_until_ = std::max(stalled_until_, now + plan_.stall);
  if (has(message_fault::disconnect)) {
    cut(peer);
    return done.done(done, why_cut(peer));
  }
  if (has(message_fault::drop)) return done.done(done, nullptr);
  held message{peer, match, bytes, &done, now};
  if (has(message_fault::duplicate)) forge(peer, match, {bytes.begin(), bytes.end()}, nullptr);
  if (!bytes.empty() && (has(message_fault::corrupt) || has(message_fault::short_write))) {
    std::vector<std::byte> damaged(bytes.begin(), bytes.end());
    if (has(message_fault::corrupt)) damaged[random_() % damaged.size()] ^= std::byte{1} << (random_() % 8);
    if (has(message_fault::short_write)) damaged.pop_back();
    return forge(peer, match, std::move(damaged), &done);
  }
  if (has(message_fault::delay)) message.due += plan_.delay;
  if (has(message_fault::reorder)) {
    message.due = std::max(message.due, now + longest_reorder);
    message.is_overtaken = true;
  }
  if (message.due > now || stalled_until_ > now || is_behind_another(peer, match)) return hold(message);
  pass(peer, match, bytes, done);
}

/// Sends a message, and then those that wait to be overtaken by it.
void faulty_transport::pass(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  for (held& each : held_)
    if (each.is_overtaken && each.peer == peer && each.match != match) each.due = clock::now();
  inner_.send(peer, match, bytes, done);
}

void faulty_transport::forge(rank peer, tag match, std::vector<std::byte> bytes, completion* told) {
  forgery& made = forgeries_.emplace_back();
  made.bytes = std::move(bytes);
  made.told = told;
  made.owner = this;
  made.self = std::prev(forgeries_.end());
  made.done = [](completion& self, const failure* why) {
    auto& ended = static_cast<forgery&>(self);
    completion* const outer = ended.told;
    ended.owner->forgeries_.erase(ended.self);
    if (outer) outer->done(*outer, why);
  };
  // As the message that it stands for: behind those of its tag that are held, and not during a stall.
  if (stalled_until_ > clock::now() || is_behind_another(peer, match))
    return hold({peer, match, made.bytes, &made, clock::now()});
  pass(peer, match, made.bytes, made);
}

void faulty_transport::hold(held message) {
  for (const held& each : held_)
    if (each.peer == message.peer && each.match == message.match) message.due = std::max(message.due, each.due);
  held_.push_back(message);
  if (timer_) set_alarm();
}

bool faulty_transport::is_behind_another(rank peer, tag match) const {
  return std::any_of(held_.begin(), held_.end(),
                     [&](const held& each) { return each.peer == peer && each.match == match; });
}

/// Lets go what is due, unless an earlier message of its tag is not.
bool faulty_transport::release_due() {
  const auto now = clock::now();
  bool moved = false;
  for (std::size_t i = 0; i < held_.size();) {
    const held each = held_[i];
    const bool is_first = std::none_of(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(i),
                                       [&](const held& h) { return h.peer == each.peer && h.match == each.match; });
    if (each.due > now || !is_first) {
      ++i;
      continue;
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    pass(each.peer, each.match, each.bytes, *each.done);
    moved = true;
    i = 0;  // completions may have sent, or ended, anything
  }
  return moved;
}

bool faulty_transport::progress() {
  if (is_closed_) return false;
  if (stalled_until_ > clock::now()) return false;
  const bool moved = !held_.empty() && release_due();
  return inner_.progress() || moved;
}

bool faulty_transport::arm() {
  if (!timer_) return inner_.arm();
  std::uint64_t ignored;
  static_cast<void>(!::read(timer_.value(), &ignored, sizeof ignored));
  const auto now = clock::now();
  if (stalled_until_ <= now && std::any_of(held_.begin(), held_.end(), [&](const held& h) { return h.due <= now; }))
    return false;
  set_alarm();
  return inner_.arm();
}

const failure* faulty_transport::why_cut(rank peer) const {
  const auto found = cut_.find(peer.value);
  return found == cut_.end() ? nullptr : &found->second;
}

void faulty_transport::cut(rank peer) {
  const failure why{errc::peer_failed, peer,
                    describe("the link to rank " + hawser::to_string(peer) + " is cut", "an injected fault",
                             "HAWSER_FAULTS or the option `faults` asks for it")};
  cut_.emplace(peer.value, why);
  peer_failed(why);
}

/// Takes out first what concerns the failure: completions may send again.
void faulty_transport::drop_held(const failure& why, bool (*concerns)(const held&, rank)) {
  std::vector<completion*> dropped;
  std::erase_if(held_, [&](const held& each) {
    if (!concerns(each, why.peer)) return false;
    dropped.push_back(each.done);
    return true;
  });
  for (completion* each : dropped) each->done(*each, &why);
}

void faulty_transport::peer_failed(const failure& why) {
  drop_held(why, [](const held& each, rank gone) { return each.peer == gone; });
  inner_.peer_failed(why);
}

void faulty_transport::shutdown() {
  if (std::exchange(is_closed_, true)) return;
  drop_held({errc::aborted, self_, "the endpoint was shut down"}, [](const held&, rank) { return true; });
  inner_.shutdown();
}

static_assert(transport<faulty_transport>);

}  // namespace

any_transport with_faults(any_transport endpoint, const fault_plan& plan, rank self, std::shared_ptr<fault_log> log) {
  return any_transport(std::make_unique<faulty_transport>(std::move(endpoint), plan, self, std::move(log)));
}

}  // namespace hawser::transport
