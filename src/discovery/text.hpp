// Reading text files line by line, with errors that say file, line and reason.
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>

namespace hawser::discovery {

inline constexpr std::size_t max_quoted = 80;  ///< characters of a file that a message repeats

/// What is quoted of a file: cut short, control characters as '?'.
inline std::string shortened(std::string_view text) {
  std::string shown(text.substr(0, max_quoted));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text.size() > max_quoted ? shown + "..." : shown;
}

/// Text as it stands in XML, between tags or quoted; control characters, which XML has no way to write, as blanks.
inline std::string xml_escaped(std::string_view text) {
  std::string safe;
  for (char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return safe;
}

[[noreturn]] inline void fail_in(const document& file, std::string_view where, std::string_view reason,
                                 std::string_view suggestion = {}) {
  std::string problem = "cannot read \"" + std::string(file.name) + "\"";
  if (!where.empty()) problem += " at " + std::string(where);
  fail(errc::parse, problem, reason, suggestion);
}
[[noreturn]] inline void fail_at_line(const document& file, std::size_t line, std::string_view reason,
                                      std::string_view suggestion = {}) {
  fail_in(file, "line " + std::to_string(line), reason, suggestion);
}

inline constexpr std::string_view blanks = " \t\r\n\v\f";

constexpr std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The parts between separators; empty ones too.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

/// The words between blanks.
inline std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t start = text.find_first_not_of(blanks); start != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(blanks, start);
    found.push_back(text.substr(start, end - start));
    start = end == std::string_view::npos ? end : text.find_first_not_of(blanks, end);
  }
  return found;
}

/// A whole decimal number, or nothing: no sign but '-', nothing after it, no overflow.
template <typename Integer>
std::optional<Integer> to_integer(std::string_view text, int base = 10) noexcept {
  Integer value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}
/// A finite number in decimal notation, or nothing.
inline std::optional<double> to_number(std::string_view text) noexcept {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (!(value - value == 0)) return std::nullopt;
  return value;
}

/// The lines of a file, numbered from 1, without their ends (LF, CR LF).
class line_reader {
 public:
  explicit line_reader(std::string_view text) : rest_(text) {}

  /// Moves to the next line; false at the end.
  bool next() {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    ++number_;
    return true;
  }
  std::string_view line() const noexcept { return line_; }
  std::size_t number() const noexcept { return number_; }

 private:
  std::string_view rest_;
  std::string_view line_;
  std::size_t number_ = 0;
};

}  // namespace hawser::discovery
