// One view of JSON and YAML, for the kinds of files that are written in either.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text.hpp"

namespace hawser::discovery {

inline constexpr std::size_t max_values = 2'000'000;  ///< of a file: some 200 bytes each

/// A value: a text (numbers, booleans and null too), a list, or a map whose members have keys.
struct value {
  enum class shape { null, text, list, map };
  shape form = shape::null;
  std::string key;  ///< of a member of a map
  std::string text;
  std::vector<value> items;  ///< of a list or a map, in the order of the file
  std::size_t line = 0;      ///< 0: unknown, as in JSON

  bool is_map() const noexcept { return form == shape::map; }
  bool is_list() const noexcept { return form == shape::list; }
  bool is_text() const noexcept { return form == shape::text; }
  /// A member of a map; null where there is none, or this is no map.
  const value* find(std::string_view name) const noexcept;
  /// The text of a member; empty where there is none or it is no text.
  std::string_view text_of(std::string_view name) const noexcept;
};

/// The documents of a JSON text (where it begins as one) or a YAML text, within the limits of size, depth and number of
/// values. Throws errc::parse with line and reason, errc::unsupported where hawser was built without the parser.
std::vector<value> parse_values(const document& file);

/// Throws errc::parse that names the line, or the key where no line is known.
[[noreturn]] void fail_at(const document& file, const value& at, std::string_view reason,
                          std::string_view suggestion = {});

/// The items of a list; none where the value is null or absent. Throws errc::parse where it is something else.
const std::vector<value>& list_of(const document& file, const value* at, std::string_view what);
/// The members of a map, in the same way.
const std::vector<value>& members_of(const document& file, const value* at, std::string_view what);
/// A text that must be there.
std::string required_text(const document& file, const value& in, std::string_view name);
/// A whole number; empty where there is none. Throws errc::parse where it is something else.
std::optional<std::int64_t> integer_of(const document& file, const value& in, std::string_view name);

/// The beginning of a text without comments and blank lines: what a source looks at to recognise its kind.
struct first_lines {
  explicit first_lines(std::string_view text);
  /// Some line begins with this after blanks and list dashes.
  bool has_key(std::string_view key) const;
  /// Some line begins with this at its first character.
  bool has_top_key(std::string_view key) const;
  /// Anywhere.
  bool mentions(std::string_view words) const { return text.find(words) != std::string::npos; }
  bool is_json = false;
  std::string text;
  std::vector<std::string> lines;
};

}  // namespace hawser::discovery
