// See staged_sender.hpp. Completions may begin transfers: nothing is touched after a call that may have ended it.
#include "staged_sender.hpp"

#include <algorithm>
#include <utility>

namespace hawser::executor {

staged_sender::lane& staged_sender::lane_to(rank peer) {
  const auto [at, is_new] = lanes_.try_emplace(peer);
  lane& found = at->second;
  if (!is_new) return found;
  found.owner = this;
  found.peer = peer;
  found.done = &on_grant;
  found.broken = ground_.closed;
  return found;
}

void staged_sender::send(rank peer, transport::tag match, std::span<const std::byte> bytes,
                         transport::completion& done) {
  lane& to = lane_to(peer);
  if (to.broken) {
    const transport::failure why = *to.broken;
    return done.done(done, &why);
  }
  const bool is_staged = ground_.is_staged(bytes.data(), bytes.size());
  const bool is_long = ground_.is_announced(match, bytes.size());
  if (!is_staged && !is_long && to.leaving.empty()) return ground_.inner.send(peer, match, bytes, done);
  outgoing& made = to.all.emplace_front();
  made.home = &to;
  made.self = to.all.begin();
  made.match = match;
  made.bytes = bytes;
  made.done = &done;
  made.is_staged = is_staged;
  made.is_long = is_long;
  made.first.whole = made.copied.whole = &made;
  made.first.done = &on_first;
  made.copied.copied = &on_small_copied;
  to.leaving.push_back(&made);
  if (is_staged && !is_long) {
    made.copy.resize(bytes.size());
    want_small_.push_back(&made);
    return begin_small_copies();
  }
  made.is_ready = true;
  let_out(to);
}

void staged_sender::begin_small_copies() {
  while (!want_small_.empty()) {
    pinned_buffer* const through = small_buffers_.take();
    if (through == nullptr) return;
    outgoing& next = *want_small_.front();
    want_small_.pop_front();
    next.through = through;
    ++next.held;
    copies_.begin(through->data, next.bytes.data(), next.bytes.size(), *through, next.copied);
  }
}

/// From here on it lies in memory of its own: a pinned buffer is held for as long as a copy takes, never for as long as
/// a peer does.
void staged_sender::on_small_copied(copy_work& self, const transport::failure* failed) {
  outgoing& message = *static_cast<part<copy_work>&>(self).whole;
  lane& home = *message.home;
  staged_sender& owner = *home.owner;
  std::memcpy(message.copy.data(), message.through->data, message.copy.size());
  owner.small_buffers_.give(*std::exchange(message.through, nullptr));
  --message.held;
  message.is_ready = true;
  if (failed)
    owner.break_lane(home, *failed);
  else if (message.why)
    owner.finish_if_over(message);
  else
    owner.let_out(home);
  owner.begin_small_copies();
}

void staged_sender::let_out(lane& from) {
  while (!from.leaving.empty() && from.leaving.front()->is_ready) {
    outgoing& next = *from.leaving.front();
    from.leaving.pop_front();
    post_first(next);
  }
}

void staged_sender::post_first(outgoing& message) {
  lane& home = *message.home;
  std::span<const std::byte> bytes = message.is_staged ? message.copy : message.bytes;
  ++message.held;
  if (message.is_long) {
    const std::size_t largest = message.is_staged ? ground_.options.buffer_bytes : message.bytes.size();
    message.number = home.next_number++;
    message.text = announcement{.bytes = message.bytes.size(), .largest = largest, .number = message.number}.written();
    bytes = message.text;
    home.ungranted.emplace(message.number, &message);
    listen(home);
    if (message.why) return --message.held, finish_if_over(message);
  }
  ground_.send(home.peer, message.match, bytes, message.first);
}

void staged_sender::on_first(transport::completion& self, const transport::failure* failed) {
  outgoing& message = *static_cast<part<transport::completion>&>(self).whole;
  --message.held;
  if (failed) {
    if (!message.why) message.why = *failed;
    if (message.is_long) message.home->ungranted.erase(message.number);
  }
  message.is_sent = message.is_sent || !message.is_long;
  message.home->owner->finish_if_over(message);
}

/// One receive of a grant at a time, and only while one is awaited.
void staged_sender::listen(lane& at) {
  if (at.is_listening || at.ungranted.empty() || at.broken) return;
  at.is_listening = true;
  ground_.receive(at.peer, staging_grants, {.data = at.heard.data(), .bytes = at.heard.size()}, at);
}

void staged_sender::on_grant(transport::completion& self, const transport::failure* failed) {
  lane& at = static_cast<lane&>(self);
  at.is_listening = false;
  if (failed) return at.owner->break_lane(at, *failed);
  at.owner->take(at, grant::read(at.heard));
  at.owner->listen(at);
}

void staged_sender::take(lane& at, const grant& given) {
  const auto found = at.ungranted.find(given.number);
  if (found == at.ungranted.end()) return;
  outgoing& message = *found->second;
  const std::size_t left = message.bytes.size() - message.granted;
  if (given.bytes > left || (message.is_staged && given.bytes > ground_.options.buffer_bytes))
    return break_lane(at, {errc::internal, at.peer, "a piece was asked for that is larger than what is left"});
  if (given.bytes == 0 || given.bytes == left) at.ungranted.erase(found);
  if (given.bytes == 0) {
    message.is_sent = true;  // as a message of another size than its receive is: taken, and of no use
    return finish_if_over(message);
  }
  piece& made = message.pieces.emplace_front();
  made.whole = &message;
  made.self = message.pieces.begin();
  made.done = &on_piece;
  made.copied = &on_piece_copied;
  made.bytes = message.bytes.subspan(message.granted, given.bytes);
  made.is_ready = !message.is_staged;
  message.granted += given.bytes;
  ++message.held;
  at.pieces.push_back(&made);
  if (made.is_ready) return let_pieces_out(at);
  want_buffer_.push_back(&made);
  begin_piece_copies();
}

void staged_sender::begin_piece_copies() {
  while (!want_buffer_.empty()) {
    pinned_buffer* const through = buffers_.take();
    if (through == nullptr) return;
    piece& next = *want_buffer_.front();
    want_buffer_.pop_front();
    next.through = through;
    copies_.begin(through->data, next.bytes.data(), next.bytes.size(), *through, next);
  }
}

void staged_sender::on_piece_copied(copy_work& self, const transport::failure* failed) {
  piece& copied = static_cast<piece&>(self);
  lane& home = *copied.whole->home;
  copied.is_ready = true;
  if (failed) return home.owner->break_lane(home, *failed);
  home.owner->let_pieces_out(home);
}

void staged_sender::let_pieces_out(lane& from) {
  while (!from.pieces.empty() && from.pieces.front()->is_ready) {
    piece& next = *from.pieces.front();
    from.pieces.pop_front();
    if (next.whole->why) {
      end_piece(next);
      continue;
    }
    const std::span<const std::byte> bytes =
        next.through ? std::span<const std::byte>(next.through->data, next.bytes.size()) : next.bytes;
    ground_.send(from.peer, staging_pieces, bytes, next);
  }
}

void staged_sender::on_piece(transport::completion& self, const transport::failure* failed) {
  piece& ended = static_cast<piece&>(self);
  outgoing& message = *ended.whole;
  lane& home = *message.home;
  staged_sender& owner = *home.owner;
  if (!failed) {
    message.sent += ended.bytes.size();
    message.is_sent = message.is_sent || message.sent == message.bytes.size();
    return owner.end_piece(ended);
  }
  const transport::failure why = *failed;
  if (!message.why) message.why = why;
  owner.end_piece(ended);
  owner.break_lane(home, why);
}

void staged_sender::end_piece(piece& ended) {
  outgoing& message = *ended.whole;
  if (ended.through) buffers_.give(*ended.through);
  message.pieces.erase(ended.self);
  --message.held;
  finish_if_over(message);
  begin_piece_copies();
}

void staged_sender::finish_if_over(outgoing& message) {
  if (message.held > 0 || (!message.why && !message.is_sent)) return;
  transport::completion& done = *message.done;
  const std::optional<transport::failure> why = std::move(message.why);
  message.home->all.erase(message.self);
  done.done(done, why ? &*why : nullptr);
}

void staged_sender::break_lane(lane& broken, const transport::failure& why) {
  const transport::failure cause = broken.broken.value_or(why);  // `why` may be of what ends here
  broken.broken = cause;
  broken.leaving.clear();
  broken.ungranted.clear();
  std::erase_if(want_small_, [&](const outgoing* each) { return each->home == &broken; });
  std::erase_if(want_buffer_, [&](piece* each) {
    if (each->whole->home != &broken) return false;
    return each->is_ready = true;
  });
  for (outgoing& each : broken.all)
    if (!each.why) each.why = cause;
  let_pieces_out(broken);
  for (auto next = broken.all.begin(); next != broken.all.end();) finish_if_over(*next++);
}

void staged_sender::fail_all(const transport::failure& why) {
  for (auto& [peer, each] : lanes_) break_lane(each, why);
}

}  // namespace hawser::executor
