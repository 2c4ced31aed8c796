// The decorator behind with_checksums.
#include <hawser/transport/checksums.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <hawser/core/crc32c.hpp>
#include <hawser/core/error.hpp>
#include <hawser/transport/streaming_copy.hpp>

namespace hawser::transport {
namespace {

/// A checksum, its complement and the format's version: 9 bytes, which hardly any payload has, so that a message that
/// was lost or sent twice is a mismatch of sizes at once.
using trailer = std::array<std::byte, 9>;
constexpr std::byte format{1};

trailer trailer_of(std::uint32_t checksum) {
  trailer made;
  for (unsigned i = 0; i < 4; ++i) {
    made[i] = static_cast<std::byte>(checksum >> (8 * i));
    made[4 + i] = ~made[i];
  }
  made[8] = format;
  return made;
}

std::uint32_t checksum_in(const trailer& sent) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::to_integer<std::uint32_t>(sent[i]) << (8 * i);
  return value;
}

/// The checksum of what a message says beside its bytes: begins that of the bytes.
std::uint32_t checksum_of_head(rank from, rank to, tag match, std::size_t bytes) {
  const std::uint64_t fields[] = {static_cast<std::uint32_t>(from.value), static_cast<std::uint32_t>(to.value),
                                  match.packed(), bytes};
  std::array<std::byte, sizeof fields> head;
  for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<std::byte>(fields[i / 8] >> (8 * (i % 8)));
  return crc32c(head);
}

/// A message and its trailer, either way. It ends for its caller when the message has, and the trailer as well unless
/// the message has failed; it is free when both have ended.
struct exchange {
  struct part : completion {
    exchange* whole = nullptr;
  };
  part message, mark;
  std::vector<exchange*>* free = nullptr;
  completion* told = nullptr;
  trailer text{};
  std::optional<failure> why;
  bool is_message_over = false, is_mark_over = false;
  // of a receive
  bool is_receive = false;
  rank from, to;
  sink into;
  std::uint32_t checksum = 0;
  bool is_summed = false;  // piece by piece, as they came

  void ended(bool is_mark, const failure* failed) {
    (is_mark ? is_mark_over : is_message_over) = true;
    if (failed && !why) why = is_mark && failed->code == errc::mismatch ? out_of_order() : *failed;
    if (told && is_message_over && (why || is_mark_over)) tell();
    // Whoever was told may have begun another one; this object is free only now.
    if (is_message_over && is_mark_over) free->push_back(this);
  }

 private:
  /// Something else than the trailer came after the message.
  failure out_of_order() const {
    return {errc::corrupted, from,
            describe("a message from rank " + to_string(from) + " to rank " + to_string(to) +
                         " was not followed by its checksum",
                     "a message between them was lost, sent twice or reordered",
                     "the transport does not keep its promises; use another one")};
  }

  void tell() {
    if (!why && is_receive) compare();
    completion& owner = *std::exchange(told, nullptr);
    owner.done(owner, why ? &*why : nullptr);
  }

  void compare() {
    if (!is_summed) checksum = crc32c({into.data, into.bytes}, checksum);
    if (text == trailer_of(checksum)) return;
    char reason[160];
    std::snprintf(reason, sizeof reason, "the checksum of its %zu bytes is %08x, rank %d sent %08x", into.bytes,
                  checksum, from.value, checksum_in(text));
    why = failure{
        errc::corrupted, from,
        describe("a message from rank " + to_string(from) + " to rank " + to_string(to) + " was changed on the way",
                 reason, "look for errors of the network or the memory between these two")};
  }
};

void consume_checked(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) {
  exchange& arriving = *static_cast<exchange*>(state);
  arriving.checksum = crc32c({from, bytes}, arriving.checksum);
  const sink& into = arriving.into;
  if (into.consume)
    into.consume(into.state, offset, from, bytes);
  else if (into.is_final)
    copy_past_caches(into.data + offset, from, bytes);
  else
    std::memcpy(into.data + offset, from, bytes);
}

class checked_transport {
 public:
  checked_transport(any_transport inner, rank self) : inner_(std::move(inner)), self_(self) {}
  checked_transport(const checked_transport&) = delete;
  checked_transport& operator=(const checked_transport&) = delete;
  ~checked_transport() { inner_.shutdown(); }  // before what its completions point to is gone

  std::string_view name() const { return inner_.name(); }

  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
    if (bytes.empty()) return inner_.send(peer, match, bytes, done);
    exchange& sent = take(done);
    sent.is_receive = false;
    inner_.send(peer, match, bytes, sent.message);  // on its way while the checksum is taken
    if (sent.told)                                  // else it has failed, and the bytes are the caller's again
      sent.text = trailer_of(crc32c(bytes, checksum_of_head(self_, peer, match, bytes.size())));
    inner_.send(peer, match, sent.text, sent.mark);
  }

  void receive(rank peer, tag match, sink into, completion& done) {
    if (into.bytes == 0) return inner_.receive(peer, match, into, done);
    exchange& wanted = take(done);
    wanted.is_receive = true;
    wanted.from = peer;
    wanted.to = self_;
    wanted.into = into;
    wanted.checksum = checksum_of_head(peer, self_, match, into.bytes);
    wanted.is_summed = inner_.consumes_in_place(peer);
    if (wanted.is_summed)
      into = {.bytes = into.bytes, .consume = &consume_checked, .state = &wanted, .granule = into.granule};
    inner_.receive(peer, match, into, wanted.message);
    inner_.receive(peer, match, {.data = wanted.text.data(), .bytes = wanted.text.size()}, wanted.mark);
  }

  bool progress() { return inner_.progress(); }
  bool arm() { return inner_.arm(); }
  int wait_descriptor() const { return inner_.wait_descriptor(); }
  bool consumes_in_place(rank peer) const { return inner_.consumes_in_place(peer); }
  bool reaches(rank peer) const { return inner_.reaches(peer); }
  void peer_failed(const failure& why) { inner_.peer_failed(why); }
  void shutdown() { inner_.shutdown(); }

 private:
  exchange& take(completion& done) {
    if (free_.empty()) {
      exchange& made = *all_.emplace_back(std::make_unique<exchange>());
      free_.reserve(all_.size());  // giving back must not throw
      free_.push_back(&made);
      made.free = &free_;
      made.message.whole = made.mark.whole = &made;
      made.message.done = [](completion& self, const failure* failed) {
        static_cast<exchange::part&>(self).whole->ended(false, failed);
      };
      made.mark.done = [](completion& self, const failure* failed) {
        static_cast<exchange::part&>(self).whole->ended(true, failed);
      };
    }
    exchange& taken = *free_.back();
    free_.pop_back();
    taken.told = &done;
    taken.why.reset();
    taken.is_message_over = taken.is_mark_over = false;
    return taken;
  }

  std::vector<std::unique_ptr<exchange>> all_;
  std::vector<exchange*> free_;
  any_transport inner_;
  rank self_;
};

static_assert(transport<checked_transport>);

}  // namespace

any_transport with_checksums(any_transport endpoint, rank self) {
  return any_transport(std::make_unique<checked_transport>(std::move(endpoint), self));
}

}  // namespace hawser::transport
