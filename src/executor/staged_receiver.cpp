// See staged_receiver.hpp. Completions may begin transfers: nothing is touched after a call that may have ended it.
#include "staged_receiver.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace hawser::executor {

staged_receiver::lane& staged_receiver::lane_from(rank peer) {
  const auto [at, is_new] = lanes_.try_emplace(peer);
  lane& found = at->second;
  if (!is_new) return found;
  found.owner = this;
  found.peer = peer;
  found.broken = ground_.closed;
  return found;
}

void staged_receiver::receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
  lane& from = lane_from(peer);
  if (from.broken) {
    const transport::failure why = *from.broken;
    return done.done(done, &why);
  }
  const bool is_staged = ground_.is_staged(into.data, into.bytes);
  const bool is_long = ground_.is_announced(match, into.bytes);
  if (!is_staged && !is_long) return ground_.inner.receive(peer, match, into, done);
  incoming& made = from.all.emplace_front();
  made.home = &from;
  made.self = from.all.begin();
  made.into = into;
  made.done = &done;
  made.is_staged = is_staged;
  made.is_long = is_long;
  made.first.whole = made.copied.whole = &made;
  made.first.done = &on_first;
  made.copied.copied = &on_small_copied;
  made.held = 1;
  transport::sink first{.data = made.text.data(), .bytes = made.text.size()};
  if (!is_long) {
    made.copy.resize(into.bytes);
    first = {.data = made.copy.data(), .bytes = into.bytes};
  }
  ground_.receive(peer, match, first, made.first);
}

void staged_receiver::on_first(transport::completion& self, const transport::failure* failed) {
  incoming& message = *static_cast<part<transport::completion, incoming>&>(self).whole;
  staged_receiver& owner = *message.home->owner;
  --message.held;
  if (failed && !message.why) {
    const bool is_other_size = failed->code == errc::mismatch && message.is_long;
    const std::string sent = "at most " + std::to_string(owner.ground_.options.eager_bytes);
    message.why = is_other_size ? owner.other_size(message, sent) : *failed;
  }
  if (message.why) return owner.finish_if_over(message);
  if (message.is_long) return owner.on_announced(message);
  ++message.held;
  owner.want_small_.push_back(&message);
  owner.begin_small_copies();
}

void staged_receiver::begin_small_copies() {
  while (!want_small_.empty()) {
    pinned_buffer* const through = small_buffers_.take();
    if (through == nullptr) return;
    incoming& next = *want_small_.front();
    want_small_.pop_front();
    next.through = through;
    std::memcpy(through->data, next.copy.data(), next.copy.size());
    copies_.begin(next.into.data, through->data, next.copy.size(), *through, next.copied);
  }
}

void staged_receiver::on_small_copied(copy_work& self, const transport::failure* failed) {
  incoming& message = *static_cast<part<copy_work, incoming>&>(self).whole;
  staged_receiver& owner = *message.home->owner;
  owner.small_buffers_.give(*std::exchange(message.through, nullptr));
  --message.held;
  message.arrived = message.into.bytes;
  if (failed && !message.why) message.why = *failed;
  owner.finish_if_over(message);
  owner.begin_small_copies();
}

transport::failure staged_receiver::other_size(const incoming& message, const std::string& sent) const {
  const rank peer = message.home->peer;
  return {errc::mismatch, peer,
          describe("a message from rank " + to_string(peer) + " has another size than its receive",
                   sent + " bytes were sent, " + std::to_string(message.into.bytes) + " expected",
                   "call the collective with the same counts and types on every rank")};
}

/// How large the pieces may be, from what both ends can do; or why the message cannot be received.
std::optional<transport::failure> staged_receiver::judge(incoming& message, const announcement& of) const {
  if (of.bytes != message.into.bytes) return other_size(message, std::to_string(of.bytes));
  const std::size_t own = message.is_staged ? ground_.options.buffer_bytes : std::numeric_limits<std::size_t>::max();
  message.largest = std::min<std::size_t>(of.largest, own);
  if (!message.into.consume || message.largest >= of.bytes) return std::nullopt;
  message.largest -= message.largest % message.into.granule;
  if (message.largest > 0) return std::nullopt;
  return transport::failure{
      errc::unsupported, message.home->peer,
      describe("elements of " + std::to_string(message.into.granule) +
                   " bytes cannot be reduced as they arrive from device memory",
               "pieces have at most " + std::to_string(of.largest) + " bytes", "raise staging_options::buffer_bytes")};
}

void staged_receiver::on_announced(incoming& message) {
  lane& at = *message.home;
  const std::optional<announcement> heard = announcement::read(message.text);
  if (!heard) {
    message.why = other_size(message, std::to_string(announcement::text_bytes));
    return finish_if_over(message);
  }
  message.number = heard->number;
  message.why = judge(message, *heard);
  if (message.why) return refuse(message);
  at.coming.push_back(&message);
  let_in(at);
}

/// A piece that only its message knows.
staged_receiver::piece& staged_receiver::make_piece(incoming& of, std::size_t bytes) {
  piece& made = of.pieces.emplace_front();
  made.whole = &of;
  made.self = of.pieces.begin();
  made.offset = of.granted;
  made.bytes = bytes;
  made.done = &on_piece;
  made.copied = &on_piece_copied;
  made.told.whole = &made;
  made.told.done = &on_told;
  made.text = grant{.bytes = bytes, .number = of.number}.written();
  of.granted += bytes;
  ++of.held;
  return made;
}

/// Tells the sender that no more of it is wanted.
void staged_receiver::refuse(incoming& message) {
  piece& nothing = make_piece(message, 0);
  nothing.held = 1;
  ground_.send(message.home->peer, staging_grants, nothing.text, nothing.told);
}

/// A consumer gets its pieces one at a time, since those of two messages need not come in order.
bool staged_receiver::may_come(const lane& at, const incoming& next) const {
  return at.under_way < ground_.options.pieces_per_peer && (!next.into.consume || next.pieces.empty());
}

void staged_receiver::let_in(lane& at) {
  while (!at.coming.empty() && may_come(at, *at.coming.front())) {
    incoming& next = *at.coming.front();
    pinned_buffer* through = nullptr;
    if (next.is_staged) {
      through = at.wants_buffer ? nullptr : buffers_.take();
      if (through == nullptr) {
        if (!std::exchange(at.wants_buffer, true)) want_buffer_.push_back(&at);
        return;
      }
    }
    if (next.granted + next.largest >= next.into.bytes) at.coming.pop_front();
    let_in_piece(next, through);
  }
}

/// The receive is posted first: the piece finds it.
void staged_receiver::let_in_piece(incoming& next, pinned_buffer* through) {
  lane& at = *next.home;
  piece& coming = make_piece(next, std::min(next.largest, next.into.bytes - next.granted));
  coming.through = through;
  coming.held = 2;
  ++at.under_way;
  ground_.receive(at.peer, staging_pieces, sink_of(coming), coming);
  if (next.why) return let_go(coming);
  ground_.send(at.peer, staging_grants, coming.text, coming.told);
}

transport::sink staged_receiver::sink_of(piece& coming) {
  const transport::sink& into = coming.whole->into;
  if (coming.through) return {.data = coming.through->data, .bytes = coming.bytes};
  transport::sink own = into;
  own.bytes = coming.bytes;
  if (into.consume) {
    own.consume = &consume;
    own.state = &coming;
  } else {
    own.data += coming.offset;
  }
  return own;
}

void staged_receiver::consume(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) {
  const piece& coming = *static_cast<const piece*>(state);
  const transport::sink& into = coming.whole->into;
  into.consume(into.state, coming.offset + offset, from, bytes);
}

void staged_receiver::on_told(transport::completion& self, const transport::failure* failed) {
  piece& told = *static_cast<part<transport::completion, piece>&>(self).whole;
  lane& at = *told.whole->home;
  staged_receiver& owner = *at.owner;
  if (!failed) return owner.let_go(told);
  const transport::failure why = *failed;
  owner.let_go(told);
  owner.break_lane(at, why);
}

void staged_receiver::on_piece(transport::completion& self, const transport::failure* failed) {
  piece& came = static_cast<piece&>(self);
  incoming& message = *came.whole;
  lane& at = *message.home;
  staged_receiver& owner = *at.owner;
  --at.under_way;
  if (failed) {
    const transport::failure why = *failed;
    if (!message.why) message.why = why;
    owner.let_go(came);
    return owner.break_lane(at, why);
  }
  if (came.through) {
    owner.copies_.begin(message.into.data + came.offset, came.through->data, came.bytes, *came.through, came);
  } else {
    message.arrived += came.bytes;
    owner.let_go(came);
  }
  owner.let_in(at);
}

void staged_receiver::on_piece_copied(copy_work& self, const transport::failure* failed) {
  piece& copied = static_cast<piece&>(self);
  incoming& message = *copied.whole;
  lane& at = *message.home;
  staged_receiver& owner = *at.owner;
  owner.buffers_.give(*std::exchange(copied.through, nullptr));
  if (failed) {
    const transport::failure why = *failed;
    if (!message.why) message.why = why;
    owner.let_go(copied);
    owner.break_lane(at, why);
  } else {
    message.arrived += copied.bytes;
    owner.let_go(copied);
  }
  owner.serve_waiting();
}

/// Pieces that were refused their receive or failed in it still have their buffer.
void staged_receiver::let_go(piece& of) {
  if (--of.held > 0) return;
  incoming& message = *of.whole;
  const bool had_buffer = of.through != nullptr;
  if (had_buffer) buffers_.give(*of.through);
  message.pieces.erase(of.self);
  --message.held;
  lane& at = *message.home;
  finish_if_over(message);
  if (had_buffer) serve_waiting();
  let_in(at);
}

void staged_receiver::serve_waiting() {
  for (std::size_t left = want_buffer_.size(); left > 0 && !want_buffer_.empty(); --left) {
    lane& next = *want_buffer_.front();
    want_buffer_.pop_front();
    next.wants_buffer = false;
    let_in(next);
  }
}

void staged_receiver::finish_if_over(incoming& message) {
  if (message.held > 0 || (!message.why && message.arrived < message.into.bytes)) return;
  transport::completion& done = *message.done;
  const std::optional<transport::failure> why = std::move(message.why);
  if (why) std::erase(message.home->coming, &message);  // what has failed may not have been granted in full
  message.home->all.erase(message.self);
  done.done(done, why ? &*why : nullptr);
}

void staged_receiver::break_lane(lane& broken, const transport::failure& why) {
  const transport::failure cause = broken.broken.value_or(why);  // `why` may be of what ends here
  broken.broken = cause;
  broken.coming.clear();
  if (std::exchange(broken.wants_buffer, false)) std::erase(want_buffer_, &broken);
  const auto of_broken = [&](const incoming* each) { return each->home == &broken; };
  for (incoming* each : want_small_)
    if (of_broken(each)) --each->held;
  std::erase_if(want_small_, of_broken);
  for (incoming& each : broken.all)
    if (!each.why) each.why = cause;
  for (auto next = broken.all.begin(); next != broken.all.end();) finish_if_over(*next++);
}

void staged_receiver::fail_all(const transport::failure& why) {
  for (auto& [peer, each] : lanes_) break_lane(each, why);
}

}  // namespace hawser::executor
