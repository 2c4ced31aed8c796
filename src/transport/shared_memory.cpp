// The shared-memory endpoint: finding out which neighbours share memory, and driving the pairs.
#include <hawser/transport/shared_memory.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "shared_memory_pair.hpp"

namespace hawser::transport {

using shared_memory::object;
using shared_memory::pair;

struct shared_memory_transport::state {
  rank self;
  shared_memory_options options;
  object own;
  shared_memory::nonce witness{};  // neighbours try to read it across processes
  std::vector<std::byte> bounce;
  std::vector<std::unique_ptr<pair>> pairs;  // in the order of their ranks
  std::vector<pair*> by_rank;                // null: not reached
  std::map<rank, std::string> problems;
  std::optional<failure> closed;
  bool is_armed = false;
  bool is_progressing = false;
  int silence = -1;  // a descriptor that never turns readable, for a rank without a bell

  ~state() {
    if (silence >= 0) ::close(silence);
  }
  pair& at(rank peer) const;
};

namespace {

// Rings of 1 MiB are fastest for two ranks, of 256 KiB for eight: what all of them hold should stay in the caches.
constexpr std::size_t most_ring_memory = std::size_t{2} << 20;
constexpr std::size_t least_ring = std::size_t{256} << 10;

constexpr std::string_view no_object = "none ";

/// What a rank found out about a neighbour: the nonce it read in the neighbour's object, and what it can reach beside
/// that. An entry of the published verdict: "RANK:NONCE:REACH ".
struct finding {
  object theirs;
  unsigned reach = 0;
};
constexpr unsigned reads_process = 1;  // through the kernel
constexpr unsigned opens_files = 2;    // and so maps host memory

std::string key_of(rank who) {
  return "shared_memory/" + to_string(who);
}
std::string verdict_key_of(rank who) {
  return key_of(who) + "/verdict";
}

std::string entry_of(rank whom, const shared_memory::nonce& identity) {
  return to_string(whom) + ":" + shared_memory::to_hex(identity) + ":";
}

bool can_read_process_of(const object& theirs) {
  shared_memory::nonce seen{};
  return shared_memory::read_process(theirs.header().pid, theirs.header().witness_address,
                                     reinterpret_cast<std::byte*>(&seen), sizeof seen) &&
         seen == theirs.header().witness;
}

/// What a verdict says behind an entry; nothing where it has none.
std::optional<unsigned> reach_in(const std::string& verdict, const std::string& entry) {
  std::istringstream words(verdict);
  for (std::string word; words >> word;)
    if (word.size() == entry.size() + 1 && word.starts_with(entry)) return static_cast<unsigned>(word.back() - '0');
  return std::nullopt;
}

std::vector<rank> others(const endpoint_environment& environment) {
  std::vector<rank> result = environment.neighbours;
  std::erase(result, environment.self);
  return result;
}

/// Maps the objects of all neighbours that can be mapped.
std::map<rank, finding> map_neighbours(const endpoint_environment& environment, bool has_own_object,
                                       std::map<rank, std::string>& problems) {
  std::map<rank, finding> found;
  for (rank each : others(environment)) {
    const std::string published = environment.look_up(key_of(each));
    if (!has_own_object) continue;
    if (published.starts_with(no_object)) {
      problems[each] = "rank " + to_string(each) + " has no memory object: " + published.substr(no_object.size());
      continue;
    }
    try {
      object theirs = object::open(each, published);
      if (theirs.slot_of(environment.self) < 0) {
        problems[each] =
            "rank " + to_string(each) + " does not take rank " + to_string(environment.self) + " for a neighbour";
        continue;
      }
      const unsigned reach =
          (can_read_process_of(theirs) ? reads_process : 0) | (theirs.can_open_files() ? opens_files : 0);
      found.emplace(each, finding{std::move(theirs), reach});
    } catch (const error& problem) {
      problems[each] = problem.what();
    }
  }
  return found;
}

std::string verdict_of(const std::map<rank, finding>& found) {
  std::string verdict;
  for (const auto& [who, each] : found)
    verdict += entry_of(who, each.theirs.header().identity) + std::to_string(each.reach) + " ";
  return verdict;
}

/// `reach`: of the neighbour, which reads what this rank sends.
shared_memory::thresholds thresholds_for(const shared_memory_options& options, unsigned reach) {
  using copy = shared_memory_options::copy;
  shared_memory::thresholds from;
  if ((reach & opens_files) != 0 && options.path != copy::staged) from.share = options.share_threshold;
  if ((reach & reads_process) == 0) return from;
  if (options.path == copy::one_copy) from.offer = 1;
  if (options.path == copy::automatic) from.offer = std::max<std::size_t>(options.one_copy_threshold, 1);
  return from;
}

/// Makes the own object, or says in the problems of all neighbours why there is none.
object create_own(const endpoint_environment& environment, const shared_memory_options& options,
                  shared_memory::nonce& witness, std::map<rank, std::string>& problems) {
  const std::vector<rank> neighbours = others(environment);
  if (neighbours.empty()) return {};
  const std::size_t share = std::bit_floor(most_ring_memory / neighbours.size());
  const std::size_t ring_bytes = std::min(options.ring_bytes, std::max(share, least_ring));
  try {
    witness = shared_memory::random_nonce();
    object own = object::create(environment.self, neighbours, ring_bytes, environment.memory_budget);
    own.header().witness = witness;
    own.header().witness_address = reinterpret_cast<std::uintptr_t>(&witness);
    environment.publish(key_of(environment.self), own.name());
    return own;
  } catch (const error& problem) {
    for (rank each : neighbours) problems[each] = problem.what();
    environment.publish(key_of(environment.self), std::string(no_object) + problem.what());
    return {};
  }
}

}  // namespace

shared_memory_transport::shared_memory_transport(const endpoint_environment& environment,
                                                 const shared_memory_options& options)
    : state_(std::make_unique<state>()) {
  state& s = *state_;
  if (!std::has_single_bit(options.ring_bytes))
    fail(errc::invalid_argument, "the ring size " + std::to_string(options.ring_bytes) + " is not a power of two");
  s.self = environment.self;
  s.options = options;
  s.by_rank.resize(static_cast<std::size_t>(environment.size));
  s.own = create_own(environment, options, s.witness, s.problems);
  if (!s.own && (s.silence = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
    throw error(errc::resource, "cannot create an event descriptor").with_native_code(errno);
  if (others(environment).empty()) return;

  std::map<rank, finding> found = map_neighbours(environment, static_cast<bool>(s.own), s.problems);
  environment.publish(verdict_key_of(s.self), verdict_of(found));
  for (rank each : others(environment)) {
    const std::string verdict = environment.look_up(verdict_key_of(each));
    const auto mine = found.find(each);
    if (mine == found.end()) continue;
    const auto reach = reach_in(verdict, entry_of(s.self, s.own.header().identity));
    if (!reach) {
      s.problems[each] = "rank " + to_string(each) + " could not map the memory object of rank " + to_string(s.self);
      continue;
    }
    object& theirs = mine->second.theirs;
    const int their_slot = theirs.slot_of(s.self);
    s.pairs.push_back(std::make_unique<pair>(each, s.own, s.own.slot_of(each), std::move(theirs), their_slot,
                                             thresholds_for(options, *reach), options.abort_timeout, s.bounce));
    s.by_rank[static_cast<std::size_t>(each.value)] = s.pairs.back().get();
  }
  s.own.unlink();  // every neighbour that can map it has said so
}

shared_memory_transport::~shared_memory_transport() {
  shutdown();
}

pair& shared_memory_transport::state::at(rank peer) const {
  const auto index = static_cast<std::size_t>(peer.value);
  if (index >= by_rank.size() || !by_rank[index]) {
    const auto known = problems.find(peer);
    hawser::fail(errc::unsupported, "rank " + to_string(peer) + " is not reached by shared memory",
                 known != problems.end() ? known->second : "it is not a neighbour", "use another transport for it");
  }
  return *by_rank[index];
}

void shared_memory_transport::send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
  if (state_->closed) return done.done(done, &*state_->closed);
  state_->at(peer).out.send(match, bytes, done);
}

void shared_memory_transport::receive(rank peer, tag match, sink into, completion& done) {
  if (state_->closed) return done.done(done, &*state_->closed);
  state_->at(peer).in.receive(match, into, done);
}

bool shared_memory_transport::progress() {
  state& s = *state_;
  if (s.is_progressing || s.closed) return false;  // called from a completion
  if (std::exchange(s.is_armed, false)) {
    s.own.header().sleeping.store(0, std::memory_order_seq_cst);
    s.own.drain_bell();
  }
  s.is_progressing = true;
  bool moved = false;
  for (const auto& each : s.pairs) {
    moved = each->in.progress() || moved;
    moved = each->out.progress() || moved;
  }
  s.is_progressing = false;
  return moved;
}

bool shared_memory_transport::arm() {
  state& s = *state_;
  if (s.closed || !s.own) return true;
  s.is_armed = true;
  s.own.header().sleeping.store(1, std::memory_order_seq_cst);
  return std::all_of(s.pairs.begin(), s.pairs.end(),
                     [](const auto& each) { return each->in.can_sleep() && each->out.can_sleep(); });
}

int shared_memory_transport::wait_descriptor() const noexcept {
  return state_->own ? state_->own.bell() : state_->silence;
}

bool shared_memory_transport::reaches(rank peer) const noexcept {
  const auto index = static_cast<std::size_t>(peer.value);
  return index < state_->by_rank.size() && state_->by_rank[index];
}

bool shared_memory_transport::copies_once(rank peer) const noexcept {
  return reaches(peer) && state_->at(peer).out.copies_once();
}

bool shared_memory_transport::shares_host_memory(rank peer) const noexcept {
  return reaches(peer) && state_->at(peer).out.shares();
}

const std::map<rank, std::string>& shared_memory_transport::problems() const noexcept {
  return state_->problems;
}

void shared_memory_transport::peer_failed(const failure& why) {
  if (reaches(why.peer) && !state_->closed) state_->at(why.peer).fail(why);
}

void shared_memory_transport::shutdown() {
  state& s = *state_;
  if (s.closed) return;
  s.closed = failure{errc::aborted, s.self, "the endpoint of rank " + to_string(s.self) + " was shut down"};
  for (const auto& each : s.pairs) each->fail(*s.closed);
}

factory shared_memory_factory(const shared_memory_options& options) {
  return {.name = "shared_memory",
          .reaches = reach::host,
          .is_authenticated = true,  // by the user id that owns the memory objects
          .open = [options](const endpoint_environment& environment) {
            return any_transport(std::make_unique<shared_memory_transport>(environment, options));
          }};
}

}  // namespace hawser::transport
