// The concept that every transport models: bytes, a peer, a tag and a completion. Single-threaded per endpoint.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/core/error.hpp>
#include <hawser/core/failure_kind.hpp>
#include <hawser/core/rank.hpp>

namespace hawser::transport {

/// Matches a message to its receive. Messages of one peer with equal tags match in the order in which they were posted
/// on both sides; messages with different tags may overtake each other.
struct tag {
  std::uint16_t context = 0;    ///< communicator
  std::uint16_t operation = 0;  ///< order number of the collective, modulo 2^16
  std::uint16_t segment = 0;    ///< pipelined part of the message, modulo 2^16
  std::uint16_t channel = 0;    ///< concurrent lane of one schedule

  friend constexpr bool operator==(const tag&, const tag&) = default;

  /// All parts in one number, the context highest.
  constexpr std::uint64_t packed() const noexcept {
    return std::uint64_t{context} << 48 | std::uint64_t{operation} << 32 | std::uint64_t{segment} << 16 | channel;
  }
};

/// Why a transfer did not happen.
struct failure {
  errc code = errc::internal;
  rank peer;
  std::string what;
  failure_kind kind = failure_kind::unknown;  ///< of a failed peer, where the failure detector says
};

/// The caller's end of one transfer. It must stay alive until `done` was called, which happens exactly once, from
/// inside `progress`, `send` or `receive` of the same transport; `failed` is null on success.
struct completion {
  void (*done)(completion& self, const failure* failed) = nullptr;
};

/// Where received bytes go: to `data`, or, where the transport consumes in place, piecewise and in order through
/// `consume`, straight from the transport's own memory (a reduction then needs no staging buffer).
struct sink {
  std::byte* data = nullptr;
  std::size_t bytes = 0;  ///< exactly what the sender sends; anything else is a mismatch error
  void (*consume)(void* state, std::size_t offset, const std::byte* from, std::size_t bytes) = nullptr;
  void* state = nullptr;
  /// Pieces given to `consume` start at multiples of this and are multiples of it long, the last one excepted.
  std::size_t granule = 1;
  /// Nobody reads the bytes soon: a transport that copies them may write past the caches.
  bool is_final = false;
};

/// An endpoint of one rank. All calls come from one thread at a time.
/// - `send` and `receive` never block; memory stays the caller's but may not be touched until the completion.
///   A zero-byte message is a message. `receive` with `sink::consume` needs `consumes_in_place(peer)`.
/// - `progress` moves what can be moved, calls completions, and says whether it did anything.
/// - `wait_descriptor` is a descriptor for poll(2) that turns readable when `progress` has work, or -1 where the
///   transport can only be polled. `arm` must be called before blocking on it; false means: do not block, progress.
/// - `shutdown` drops every pending transfer (completions are called with `errc::aborted`); when it returns, no
///   transport thread, process or device touches the caller's memory any more.
template <class T>
concept transport = requires(T& t, const T& ct, rank peer, tag match, std::span<const std::byte> bytes, sink into,
                             completion& done) {
  { ct.name() } -> std::convertible_to<std::string_view>;
  {t.send(peer, match, bytes, done)};
  {t.receive(peer, match, into, done)};
  { t.progress() } -> std::same_as<bool>;
  { t.arm() } -> std::same_as<bool>;
  { ct.wait_descriptor() } -> std::same_as<int>;
  { ct.consumes_in_place(peer) } -> std::same_as<bool>;
  {t.peer_failed(std::declval<const failure&>())};
  {t.shutdown()};
};

/// The one type erasure of transports; it is crossed once per transfer.
class any_transport {
 public:
  any_transport() = default;

  template <transport T>
  explicit any_transport(std::unique_ptr<T> owned) : self_(std::make_unique<model<T>>(std::move(owned))) {}

  explicit operator bool() const noexcept { return self_ != nullptr; }

  /// As the concept says.
  std::string_view name() const { return self_->name(); }
  void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) {
    self_->send(peer, match, bytes, done);
  }
  void receive(rank peer, tag match, sink into, completion& done) { self_->receive(peer, match, into, done); }
  bool progress() { return self_->progress(); }
  bool arm() { return self_->arm(); }
  int wait_descriptor() const { return self_->wait_descriptor(); }
  bool consumes_in_place(rank peer) const { return self_->consumes_in_place(peer); }
  /// Whether messages to that peer can be carried; back ends without `reaches` reach everybody.
  bool reaches(rank peer) const { return self_->reaches(peer); }
  /// Fails every pending and future transfer with that peer.
  void peer_failed(const failure& why) { self_->peer_failed(why); }
  void shutdown() { self_->shutdown(); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual std::string_view name() const = 0;
    virtual void send(rank, tag, std::span<const std::byte>, completion&) = 0;
    virtual void receive(rank, tag, sink, completion&) = 0;
    virtual bool progress() = 0;
    virtual bool arm() = 0;
    virtual int wait_descriptor() const = 0;
    virtual bool consumes_in_place(rank) const = 0;
    virtual bool reaches(rank) const = 0;
    virtual void peer_failed(const failure&) = 0;
    virtual void shutdown() = 0;
  };

  template <class T>
  struct model final : interface {
    explicit model(std::unique_ptr<T> owned) : impl(std::move(owned)) {}
    std::string_view name() const override { return impl->name(); }
    void send(rank peer, tag match, std::span<const std::byte> bytes, completion& done) override {
      impl->send(peer, match, bytes, done);
    }
    void receive(rank peer, tag match, sink into, completion& done) override { impl->receive(peer, match, into, done); }
    bool progress() override { return impl->progress(); }
    bool arm() override { return impl->arm(); }
    int wait_descriptor() const override { return impl->wait_descriptor(); }
    bool consumes_in_place(rank peer) const override { return impl->consumes_in_place(peer); }
    bool reaches(rank peer) const override {
      if constexpr (requires { impl->reaches(peer); }) return impl->reaches(peer);
      return true;
    }
    void peer_failed(const failure& why) override { impl->peer_failed(why); }
    void shutdown() override { impl->shutdown(); }
    std::unique_ptr<T> impl;
  };

  std::unique_ptr<interface> self_;
};

}  // namespace hawser::transport
