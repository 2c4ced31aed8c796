// What the two sides of staged messages share: the texts that they send each other, and the ways below and beside them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>

#include <hawser/core/error.hpp>
#include <hawser/executor/staged.hpp>

#include "staging_memory.hpp"

namespace hawser::executor {

/// Announces a message of more than `staging_options::eager_bytes`, on the message's own tag. Its size is one that
/// hardly any payload has, so that a short receive in its place is a mismatch.
struct announcement {
  static constexpr std::uint64_t magic_number = 0x68617773'73746731;  // "hawsstg1"
  std::uint64_t magic = magic_number;
  std::uint64_t bytes = 0;    ///< of the message
  std::uint64_t largest = 0;  ///< the largest piece that the sender can send
  std::uint32_t number = 0;   ///< of the message, among its sender's to this peer

  static constexpr std::size_t text_bytes = 29;
  using text = std::array<std::byte, text_bytes>;

  text written() const noexcept {
    text made{};
    std::memcpy(made.data(), &magic, 8);
    std::memcpy(made.data() + 8, &bytes, 8);
    std::memcpy(made.data() + 16, &largest, 8);
    std::memcpy(made.data() + 24, &number, 4);
    return made;
  }
  /// Empty where it is no announcement.
  static std::optional<announcement> read(const text& from) noexcept {
    announcement made;
    std::memcpy(&made.magic, from.data(), 8);
    std::memcpy(&made.bytes, from.data() + 8, 8);
    std::memcpy(&made.largest, from.data() + 16, 8);
    std::memcpy(&made.number, from.data() + 24, 4);
    if (made.magic != magic_number || made.largest == 0) return std::nullopt;
    return made;
  }
};

/// The receiver has posted the receive of the next piece of a message; no bytes: it wants no more of it.
struct grant {
  std::uint64_t bytes = 0;
  std::uint32_t number = 0;

  static constexpr std::size_t text_bytes = 12;
  using text = std::array<std::byte, text_bytes>;

  text written() const noexcept {
    text made{};
    std::memcpy(made.data(), &bytes, 8);
    std::memcpy(made.data() + 8, &number, 4);
    return made;
  }
  static grant read(const text& from) noexcept {
    grant made;
    std::memcpy(&made.bytes, from.data(), 8);
    std::memcpy(&made.number, from.data() + 8, 4);
    return made;
  }
};

/// The transport below, and what both sides know. A call that throws there has failed, as one whose completion says so.
struct staged_ground {
  transport::any_transport inner;
  stream_device& device;
  staging_options options;
  std::optional<transport::failure> closed{};  ///< after shutdown

  void send(rank peer, transport::tag match, std::span<const std::byte> bytes, transport::completion& done) {
    post(peer, done, [&] { inner.send(peer, match, bytes, done); });
  }
  void receive(rank peer, transport::tag match, transport::sink into, transport::completion& done) {
    post(peer, done, [&] { inner.receive(peer, match, into, done); });
  }

  /// Whether only the device can be trusted to touch these bytes. Throws errc::invalid_argument for another device's.
  bool is_staged(const void* memory, std::size_t bytes) const {
    if (bytes == 0 || memory == nullptr) return false;
    const memory_kind kind = device.kind_of(memory);
    if (kind == memory_kind::other_device)
      fail(errc::invalid_argument, "a message lies in memory of another device",
           "this rank's is " + std::string(device.name()), "pass memory of the device that the communicator is on");
    return kind == memory_kind::device || kind == memory_kind::managed;
  }

  /// Whether a message goes in pieces that its receiver asks for: told by what both ends know, its tag and its size,
  /// so that they agree whatever memory each of them has.
  bool is_announced(transport::tag match, std::size_t bytes) const {
    return bytes > options.eager_bytes && (!options.may_be_device || options.may_be_device(match));
  }

 private:
  template <class Post>
  static void post(rank peer, transport::completion& done, Post&& post_it) {
    transport::failure why{errc::internal, peer, {}};
    try {
      return post_it();
    } catch (const error& raised) {
      why = {raised.code(), raised.peer().value_or(peer), raised.what()};
    } catch (const std::exception& raised) {
      why.what = raised.what();
    }
    done.done(done, &why);
  }
};

}  // namespace hawser::executor
