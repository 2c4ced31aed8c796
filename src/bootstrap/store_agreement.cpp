// The store as the arbiter of agreements, and what its successors need: who stands by, who has not come.
#include <map>
#include <set>
#include <string>

#include <hawser/core/error.hpp>

#include "agreement_wire.hpp"
#include "store_server.hpp"

namespace hawser::bootstrap {

/// The rendezvous ends when all are connected; the table of standbys is whole when all have come to it.
void store_server::implementation::rendezvous(connection& from, wire::reader& fields) {
  const auto request = fields.number<std::uint64_t>();
  if (const std::string_view standby = fields.text(); !standby.empty()) standbys_[from.peer.value] = standby;
  if (request == 0) return;  // one that was at an earlier rendezvous says where it stands by now
  if (++at_rendezvous_ == options_.size) {
    const std::string message = wire::writer(wire::message::standbys).text(standby_table()).finish();
    for (auto& [id, each] : connections_)
      if (!each.greeting) queue(each, message);
  }
  rendezvous_.push_back({from.id, request});
  if (state_.is_complete()) answer_rendezvous();
}

void store_server::implementation::answer_rendezvous() {
  const std::string table = standby_table();
  for (const waiting_request& each : rendezvous_) answer(each.connection, each.id, table);
  rendezvous_.clear();
}

/// "rank host port" a line, by rank: the lowest rank of each host, and then others, while there is room.
std::string store_server::implementation::standby_table() const {
  const std::map<std::int32_t, std::string> by_rank(standbys_.begin(), standbys_.end());
  std::set<std::int32_t> listed;
  std::set<std::string> hosts;
  for (const auto& [number, where] : by_rank)
    if (listed.size() < most_standbys && hosts.insert(where.substr(0, where.find(' '))).second) listed.insert(number);
  for (const auto& [number, where] : by_rank)
    if (listed.size() < most_standbys) listed.insert(number);
  std::string table;
  for (const std::int32_t each : listed) table += std::to_string(each) + " " + by_rank.at(each) + "\n";
  return table;
}

void store_server::implementation::agree(connection& from, wire::reader& fields) {
  const auto request = fields.number<std::uint64_t>();
  const question asked = wire::read_question(fields);
  agreements_.ask(from.peer, asked, clock::now());
  queue(from, wire::writer(wire::message::is_waiting).number(request).finish());
  if (const agreement* made = agreements_.find(asked.name)) return answer(from.id, request, wire::to_text(*made));
  asking_[asked.name].push_back({from.id, request});
}

/// Once a round, after whatever has changed in it.
void store_server::implementation::decide_agreements() {
  for (const rank dead : probes_.advance(clock::now())) {
    state_.confirm_dead(dead);
    push({errc::peer_failed, dead, "its process has ended", failure_kind::dead, {}, true}, 0);
  }
  if (!agreements_.has_open() && asking_.empty()) return;
  const auto standing_of = [this](rank r) { return probes_.asks_for(r) ? standing::absent : state_.standing_of(r); };
  for (const std::string& name : agreements_.decide(clock::now(), standing_of, lobby_)) {
    const agreement& made = *agreements_.find(name);
    admission_notice notice{name, {}};
    for (const agreement::member& each : made.members) notice.members.push_back(each.number);
    notice.members.insert(notice.members.end(), made.newcomers.begin(), made.newcomers.end());
    for (const rank each : made.newcomers) {
      const waiting_request& waiting = admissions_.at(each.value);
      answer(waiting.connection, waiting.id, wire::to_text(notice));
      admissions_.erase(each.value);
    }
  }
  for (auto each = asking_.begin(); each != asking_.end();) {
    const agreement* const made = agreements_.find(each->first);
    if (!made) {
      ++each;
      continue;
    }
    for (const waiting_request& asking : each->second) answer(asking.connection, asking.id, wire::to_text(*made));
    each = asking_.erase(each);
  }
}

/// A successor gives up those who do not find it: they are dead, or on the other side of a cut.
void store_server::implementation::check_missing() {
  if (!grace_ends_ || clock::now() < *grace_ends_) return;
  grace_ends_.reset();
  probe_missing();
  state_.end_grace();
  for (const rank each : state_.missing_ranks()) {
    const std::string reason = "it has not come to the store that took the lost one's place";
    state_.give_up_missing(each, reason);
    push({errc::peer_failed, each, reason, failure_kind::unreachable}, 0);
  }
}

/// Who died together with the store is found at once.
void store_server::implementation::probe_missing() {
  for (const rank each : state_.missing_ranks())
    if (const auto standby = standbys_.find(each.value); standby != standbys_.end())
      probes_.add(each, standby->second, clock::now());
}

}  // namespace hawser::bootstrap
