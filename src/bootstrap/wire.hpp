// The store's messages after the handshake: length (4 bytes, of what follows), type (1), fields; little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <hawser/core/error.hpp>

namespace hawser::bootstrap::wire {

enum class message : std::uint8_t {
  // both ways
  heartbeat = 1,  // -
  // to the server
  put,         // id, key, value -> answer
  get,         // id, key -> answer, or is_waiting and an answer when the key is there
  cancel,      // id, key: the get is given up
  erase,       // id, key -> answer
  rendezvous,  // id -> answer when all ranks have joined
  missing,     // id -> answer: which ranks have not joined, in words
  abort,       // scope, reason
  leave,       // id -> answer
  link_lost,   // peer, scope, reason: the connection to it is gone
  agree,       // id, a question -> answer: the agreement
  adopt,       // name, agreement: what an earlier store decided
  admit,       // id -> answer when an agreement admits this newcomer
  // to the client
  welcome,     // peer time-out in ms, this rank's number, how many stores the job had before
  answer,      // id, status (0 or errc + 1), text
  is_waiting,  // id
  failure,     // errc, rank or -1, reason, failure_kind, scope, whether it is certain
  closing,     // -: the server ends in good order
  standbys,    // table: who would open the next store, once all have said where
};

constexpr std::size_t head_bytes = 4;
constexpr std::size_t longest_message = std::size_t{16} << 20;

/// Builds one message.
class writer {
 public:
  explicit writer(message type) : text_(head_bytes, '\0') { number(static_cast<std::uint8_t>(type)); }

  template <class T>
  writer& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i)
      text_.push_back(static_cast<char>(static_cast<std::make_unsigned_t<T>>(value) >> (8 * i)));
    return *this;
  }
  writer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    text_.append(value);
    return *this;
  }
  /// Fields that another writer has made.
  writer& raw(std::string_view fields) {
    text_.append(fields);
    return *this;
  }
  /// The fields alone.
  std::string body() const { return text_.substr(head_bytes + 1); }
  std::string finish() {
    const auto length = static_cast<std::uint32_t>(text_.size() - head_bytes);
    for (std::size_t i = 0; i < head_bytes; ++i) text_[i] = static_cast<char>(length >> (8 * i));
    return std::move(text_);
  }

 private:
  std::string text_;
};

/// Reads the fields of one message; a missing field throws errc::mismatch.
class reader {
 public:
  explicit reader(std::string_view body) : rest_(body) {}

  template <class T>
  T number() {
    need(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    rest_.remove_prefix(sizeof(T));
    return static_cast<T>(value);
  }
  std::string_view text() {
    const auto length = number<std::uint32_t>();
    need(length);
    const std::string_view value = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return value;
  }
  message type() { return static_cast<message>(number<std::uint8_t>()); }

 private:
  void need(std::size_t count) const {
    if (rest_.size() < count) fail(errc::mismatch, "a message of the store ends early");
  }

  std::string_view rest_;
};

/// Cuts a byte stream into messages.
class splitter {
 public:
  void append(const char* data, std::size_t count) { buffer_.append(data, count); }

  /// The body of the next complete message, valid until the next call. Throws errc::mismatch beyond `longest_message`.
  std::optional<std::string_view> next() {
    if (consumed_ == buffer_.size()) buffer_.clear(), consumed_ = 0;
    const std::string_view rest = std::string_view(buffer_).substr(consumed_);
    if (rest.size() < head_bytes) return compact();
    const auto length = reader(rest).number<std::uint32_t>();
    if (length > longest_message) fail(errc::mismatch, "a message of the store is longer than 16 MiB");
    if (rest.size() < head_bytes + length) return compact();
    consumed_ += head_bytes + length;
    return rest.substr(head_bytes, length);
  }

 private:
  std::optional<std::string_view> compact() {
    buffer_.erase(0, consumed_);
    consumed_ = 0;
    return std::nullopt;
  }

  std::string buffer_;
  std::size_t consumed_ = 0;
};

}  // namespace hawser::bootstrap::wire
