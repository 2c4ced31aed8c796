// Steps through one line of a fabric tool's output.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "../text.hpp"

namespace hawser::discovery::fabric {

/// Each step takes what it is named after from the front, or takes nothing and says so.
class cursor {
 public:
  explicit cursor(std::string_view text) : text_(text) {}

  std::string_view rest() const noexcept { return text_; }
  char front() const noexcept { return text_.empty() ? '\0' : text_.front(); }
  void skip_blanks() noexcept { text_.remove_prefix(std::min(text_.find_first_not_of(blanks), text_.size())); }

  std::optional<std::uint32_t> number() noexcept {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (failure != std::errc{}) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return value;
  }
  /// The characters up to the next blank.
  std::string_view word() noexcept {
    const std::string_view found = text_.substr(0, text_.find_first_of(blanks));
    text_.remove_prefix(found.size());
    return found;
  }
  /// "..." up to the next quote.
  std::optional<std::string_view> quoted() noexcept {
    const std::size_t end = front() == '"' ? text_.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view found = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return found;
  }
  /// [12]
  std::optional<std::uint32_t> bracketed() noexcept {
    cursor inner(text_);
    if (inner.front() != '[') return std::nullopt;
    inner.text_.remove_prefix(1);
    inner.skip_blanks();
    const auto value = inner.number();
    inner.skip_blanks();
    if (!value || inner.front() != ']') return std::nullopt;
    text_ = inner.text_.substr(1);
    return value;
  }
  /// [ext 3], [  ], [ 3]: the number that a chassis has outside.
  void skip_extended_port() noexcept {
    if (front() == '[') text_.remove_prefix(std::min(text_.find(']'), text_.size() - 1) + 1);
  }
  /// (8f10403961355)
  std::string_view parenthesised() noexcept {
    const std::size_t end = front() == '(' ? text_.find(')') : std::string_view::npos;
    if (end == std::string_view::npos) return {};
    const std::string_view found = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return found;
  }

 private:
  std::string_view text_;
};

}  // namespace hawser::discovery::fabric
