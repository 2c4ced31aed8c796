// What a rank does when the store is lost: it looks for the rank that opens another one, or opens it itself.
// Model-checked: tests/models/shrink.hpp changes with it.
#include <algorithm>
#include <cerrno>
#include <sstream>

#include <hawser/core/error.hpp>

#include "death_probe.hpp"
#include "store_client.hpp"
#include "store_connect.hpp"
#include "store_server.hpp"

namespace hawser::bootstrap {
namespace {

/// A lost store that still listens is asked for this part of the peer time-out what it thinks of this rank.
constexpr int last_questions_in_peer_timeout = 4;
/// A successor is told of the last agreements; an agreement has at most two that are not over.
constexpr std::size_t most_remembered = 8;

}  // namespace

/// With the lock held: opens the listener of a store of this process; none where that is not possible.
void store_bootstrap::implementation::stand_by() {
  if (standby_) return;
  try {
    const net::address where = net::resolve(local_address_, 0, true).front();
    if (options_.secret.empty() && !where.is_loopback()) return;  // anybody could join
    standby_ = net::listen_on(where);
    standby_address_ = local_address_ + " " + std::to_string(net::local_address(standby_.value()).port());
  } catch (const error&) {  // this rank will not be a successor
    standby_.reset();
  }
}

/// With the lock held: "rank host port" a line.
void store_bootstrap::implementation::learn_standbys(const std::string& table) {
  standbys_.clear();
  std::istringstream lines(table);
  standby each;
  while (lines >> each.number.value && std::getline(lines >> std::ws, each.where)) standbys_.push_back(each);
}

void store_bootstrap::implementation::remember(const std::string& name, const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!decided_.insert_or_assign(name, text).second) return;
  decided_order_.push_back(name);
  if (decided_order_.size() <= most_remembered) return;
  decided_.erase(decided_order_.front());
  decided_order_.pop_front();
}

/// Who may open the next store, lowest first: those of whom no failure is known.
std::vector<standby> store_bootstrap::implementation::candidates(std::optional<rank> lost) {
  std::vector<standby> able;
  {
    std::lock_guard lock(mutex_);
    able = standbys_;
  }
  const auto notices = board_.since(0);
  std::erase_if(able, [&](const standby& each) {
    return each.number == lost ||
           std::any_of(notices.begin(), notices.end(), [&](const auto& notice) { return notice.peer == each.number; });
  });
  return able;
}

/// True once this rank is connected to another store, false when its monitor has nothing more to do.
bool store_bootstrap::implementation::recover() {
  std::optional<rank> lost;
  std::string lost_at;
  {
    std::lock_guard lock(mutex_);
    if (link_ != link::recovering) return false;
    lost = options_.server_rank;
    lost_at = store_at_;
  }
  const introduction who{service::store, self(), rank{0}, options_.size};
  const auto ask = [&](const std::string& where, milliseconds patience, net::channel& joined) {
    try {
      return ask_successor(address_of(where), options_.secret, keys_, who, clock::now() + patience, ending_.value(), joined);
    } catch (const error&) {
      return reception::no_answer;
    }
  };
  net::channel joined;
  // The lost store first: it may live, and have given this rank up.
  reception came = ask(lost_at, peer_timeout_ / last_questions_in_peer_timeout, joined);
  if (came == reception::joined) return resume(std::move(joined), lost, lost_at), true;
  if (came == reception::nobody && lost)
    board_.post({errc::peer_failed, lost, "its process has ended", failure_kind::dead, {}, true});
  const std::vector<standby> able = candidates(lost);
  for (auto each = able.begin(); each != able.end() && came != reception::given_up && came != reception::cancelled;
       ++each) {
    if (each->number == who.from && !promote()) continue;
    came = ask(each->where, peer_timeout_, joined);
    if (came == reception::joined) return resume(std::move(joined), each->number, each->where), true;
    if (came == reception::nobody)
      board_.post({errc::peer_failed, each->number, "its process has ended", failure_kind::dead, {}, true});
  }
  if (came == reception::given_up) board_.post({errc::peer_failed, who.from, "the other ranks have given this one up"});
  std::lock_guard lock(mutex_);
  link_ = link::down;
  changed_.notify_all();
  return false;
}

/// Opens a store in this process, at the address that the others know.
bool store_bootstrap::implementation::promote() {
  const std::vector<failure_notice> known =
      board_.since(0);  // before the lock: the board calls `wake` with its own held
  std::lock_guard lock(mutex_);
  if (!standby_ || is_ending_) return false;
  store_server::inheritance inherited;
  inherited.listener = std::move(standby_);
  inherited.known = known;
  // That a store was lost without a rank's fault is of the past, and both ends of a cut link live.
  std::erase_if(inherited.known, [](const auto& each) {
    return each.code == errc::peer_failed && (!each.peer || each.kind == failure_kind::cut_link);
  });
  inherited.stores_before = stores_before_ + 1;
  inherited.grace = peer_timeout_;
  for (const standby& each : standbys_) inherited.standbys[each.number.value] = each.where;
  store_server_options options;
  options.size = options_.size;
  options.secret = options_.secret;
  options.has_tls = options_.has_tls;
  options.allow_empty_secret = true;  // as decided when it was opened, on loopback
  options.peer_timeout = peer_timeout_;
  try {
    successor_.reset(
        new store_server(std::make_unique<store_server::implementation>(std::move(options), std::move(inherited))));
  } catch (const std::exception&) {  // out of descriptors, threads or memory: the next one's turn
    return false;
  }
  return true;
}

/// What waited for the lost store goes on with this one, which is told what it cannot know.
void store_bootstrap::implementation::resume(net::channel connected, std::optional<rank> server,
                                             const std::string& where) {
  std::lock_guard lock(mutex_);
  store_at_ = where;
  fd_ = std::move(connected);
  input_ = {};
  outgoing_.clear();
  wire::writer here(wire::message::rendezvous);
  std::string first = here.number(std::uint64_t{0}).text(standby_address_).finish();
  for (const auto& [name, text] : decided_) first += wire::writer(wire::message::adopt).text(name).text(text).finish();
  if (has_left_) first += wire::writer(wire::message::leave).number(std::uint64_t{0}).finish();
  output_.insert(0, first);
  options_.server_rank = server;
  link_ = link::up;
  changed_.notify_all();
}

}  // namespace hawser::bootstrap
