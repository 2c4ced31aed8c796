// What the store server does with a greeting and with each message.
#include <algorithm>

#include <hawser/core/error.hpp>

#include "agreement_wire.hpp"
#include "store_server.hpp"

namespace hawser::bootstrap {
namespace {

/// A process that has died is known to have within less than this part of the peer time-out; heartbeats come at a
/// quarter.
constexpr int links_judged_after = 8;

std::string as_message(const failure_notice& notice) {
  return wire::writer(wire::message::failure)
      .number(static_cast<std::uint8_t>(notice.code))
      .number(notice.peer ? notice.peer->value : std::int32_t{-1})
      .text(notice.reason)
      .number(static_cast<std::uint8_t>(notice.kind))
      .text(notice.scope)
      .number(static_cast<std::uint8_t>(notice.is_certain))
      .finish();
}

std::string as_answer(std::uint64_t request, int status, std::string_view text) {
  return wire::writer(wire::message::answer)
      .number(request)
      .number(static_cast<std::uint8_t>(status))
      .text(text)
      .finish();
}

}  // namespace

/// Writes what the handshake has to say; false when the connection is not to be read any further.
bool store_server::implementation::greet(connection& from) {
  if (from.greeting->current() == handshake::state::deciding) {
    const admission judged = state_.admit(from.greeting->peer());
    from.greeting->decide(judged.result, judged.reason);
  }
  const auto output = from.greeting->output();
  const std::string_view text(reinterpret_cast<const char*>(output.data()), output.size());
  from.greeting->sent(output.size());
  if (from.greeting->current() != handshake::state::ended) {
    queue(from, text);
    return true;
  }
  if (from.greeting->is_malformed()) return drop(from), false;
  if (from.greeting->result() == verdict::accepted) {
    queue(from, text);
    after_greeting(from);
    return true;
  }
  from.closes_when_flushed = true;
  queue(from, text);
  return false;
}

void store_server::implementation::after_greeting(connection& from) {
  from.peer = from.greeting->peer().from;
  if (from.peer == unnumbered) from.peer = state_.number_newcomer();
  from.greeting.reset();
  --greeting_;
  from.is_member = true;
  from.last_heard = clock::now();
  state_.join(from.peer);
  probes_.drop(from.peer);
  queue(from, wire::writer(wire::message::welcome)
                  .number(static_cast<std::uint32_t>(options_.peer_timeout.count()))
                  .number(from.peer.value)
                  .number(static_cast<std::uint32_t>(stores_before_))
                  .finish());
  for (const failure_notice& known : state_.notices()) queue(from, as_message(known));
  if (state_.is_complete()) answer_rendezvous();
}

void store_server::implementation::handle(connection& from, std::string_view body) {
  wire::reader fields(body);
  switch (fields.type()) {
    case wire::message::heartbeat: return queue(from, wire::writer(wire::message::heartbeat).finish());
    case wire::message::put: return put(from, fields);
    case wire::message::get: return get(from, fields);
    case wire::message::cancel: {
      const auto request = fields.number<std::uint64_t>();
      return state_.cancel(fields.text(), {from.id, request});
    }
    case wire::message::erase: {
      const auto request = fields.number<std::uint64_t>();
      state_.erase(fields.text());
      return answer(from.id, request, {});
    }
    case wire::message::rendezvous: return rendezvous(from, fields);
    case wire::message::missing: return answer(from.id, fields.number<std::uint64_t>(), state_.missing());
    case wire::message::abort: {
      failure_notice notice{.code = errc::aborted, .peer = std::nullopt, .reason = {}};
      notice.scope = fields.text();
      notice.reason = fields.text();
      // Connections of what is over end without anybody's fault, and some rank may not have heard why yet.
      std::erase_if(lost_links_, [&](const lost_link& each) { return each.scope == notice.scope; });
      if (state_.abort(notice.scope, notice.reason)) push(notice, from.id);
      return;
    }
    case wire::message::leave:
      from.is_member = false;
      state_.leave(from.peer);
      return answer(from.id, fields.number<std::uint64_t>(), {});
    case wire::message::link_lost: return note_lost_link(from, fields);
    case wire::message::agree: return agree(from, fields);
    case wire::message::adopt: {
      const std::string name(fields.text());
      return agreements_.adopt(name, wire::read_agreement(fields.text()));
    }
    case wire::message::admit:
      admissions_[from.peer.value] = {from.id, fields.number<std::uint64_t>()};
      return lobby_.push_back(from.peer);
    default: fail(errc::mismatch, "an unknown message of the store");
  }
}

void store_server::implementation::put(connection& from, wire::reader& fields) {
  const auto request = fields.number<std::uint64_t>();
  const std::string_view key = fields.text();
  const std::string_view value = fields.text();
  try {
    for (const waiting_request& each : state_.put(key, value)) answer(each.connection, each.id, value);
    answer(from.id, request, {});
  } catch (const error& refused) {
    queue(from, as_answer(request, static_cast<int>(refused.code()) + 1, refused.what()));
  }
}

void store_server::implementation::get(connection& from, wire::reader& fields) {
  const auto request = fields.number<std::uint64_t>();
  const std::string_view key = fields.text();
  if (const std::string* found = state_.find(key)) return answer(from.id, request, *found);
  state_.wait_for(key, {from.id, request});
  queue(from, wire::writer(wire::message::is_waiting).number(request).finish());
}

void store_server::implementation::answer(std::uint64_t connection_id, std::uint64_t request, std::string_view text) {
  if (const auto found = connections_.find(connection_id); found != connections_.end())
    queue(found->second, as_answer(request, 0, text));
}

void store_server::implementation::push(const failure_notice& notice, std::uint64_t except) {
  const std::string message = as_message(notice);
  for (auto& [id, each] : connections_)
    if (id != except && !each.greeting) queue(each, message);
}

/// Tells everybody, also the accused, which may still be able to read it.
void store_server::implementation::fail_member(connection& failed, const std::string& reason, failure_kind kind) {
  failed.is_member = false;
  std::erase_if(lost_links_, [&](const lost_link& each) { return each.from == failed.peer || each.to == failed.peer; });
  // Without an address to ask, nobody can have opened a store of his own: a closed connection is the process's end.
  const bool has_closed = kind == failure_kind::dead;
  const auto standby = standbys_.find(failed.peer.value);
  const bool is_certain = has_closed && standby == standbys_.end();
  if (!state_.fail(failed.peer, reason, kind, is_certain)) return;
  push({errc::peer_failed, failed.peer, reason, kind, {}, is_certain}, 0);
  if (has_closed && !is_certain) probes_.add(failed.peer, standby->second, clock::now());
}

/// One end of a lost connection speaks. Whether the other end lives is known when it is heard the next time: a rank
/// that has died, or falls silent, is found by the rules for those.
void store_server::implementation::note_lost_link(connection& from, wire::reader& fields) {
  const rank to = fields.number<std::int32_t>();
  const std::string scope(fields.text());
  const std::string_view reason = fields.text();
  const bool is_known = std::any_of(lost_links_.begin(), lost_links_.end(), [&](const lost_link& each) {
    const bool is_same = (each.from == from.peer && each.to == to) || (each.from == to && each.to == from.peer);
    return is_same && each.scope == scope;
  });
  if (!is_known && to != from.peer && !state_.is_aborted(scope))
    lost_links_.push_back({from.peer, to, scope, std::string(reason), clock::now()});
}

/// Both ends of a lost connection live: the one has said so, and the other is heard now, so long after that its death
/// would be known. Each of them is told of the other, and the rest of the end that did not speak.
void store_server::implementation::testify(const connection& living) {
  const auto found = std::find_if(lost_links_.begin(), lost_links_.end(), [&](const lost_link& each) {
    return each.to == living.peer && clock::now() - each.since > options_.peer_timeout / links_judged_after;
  });
  if (found == lost_links_.end() || !living.is_member) return;
  const lost_link link = *found;
  lost_links_.erase(found);
  const std::string reason = "the link between rank " + to_string(std::min(link.from, link.to)) + " and rank " +
                             to_string(std::max(link.from, link.to)) + " is cut, the store hears both (" + link.reason +
                             ")";
  push({errc::peer_failed, link.to, reason, failure_kind::cut_link, link.scope}, living.id);
  if (const auto other = connections_.find(living.id); other != connections_.end())
    queue(other->second, as_message({errc::peer_failed, link.from, reason, failure_kind::cut_link, link.scope}));
}

}  // namespace hawser::bootstrap
