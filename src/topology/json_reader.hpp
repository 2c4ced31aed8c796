// Strict reading of JSON: values that know their path, so that every error says file, element and reason.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <hawser/core/error.hpp>
#include <hawser/topology/json.hpp>

namespace hawser::topology::detail {

using json = nlohmann::json;                  // for reading: hostile objects with many keys cost n log n
using ordered_json = nlohmann::ordered_json;  // for writing: keys in the order of the schema

/// A JSON value, its path from the root and the file it is from. Refers to the document, which must outlive it.
class element {
 public:
  element(const json& value, std::string_view file_name) : value_(&value), file_(file_name) {}

  [[noreturn]] void fail_here(std::string_view reason, std::string_view suggestion = {}) const {
    std::string problem = "cannot read ";
    problem += file_.empty() ? std::string("the JSON text") : "\"" + std::string(file_) + "\"";
    if (!path_.empty()) problem += " at " + path_;
    fail(errc::parse, problem, reason, suggestion);
  }

  bool is_null() const { return value_->is_null(); }
  bool is_list() const { return value_->is_array(); }
  bool has(const char* key) const { return object().contains(key); }

  /// Refuses keys that are not listed: a misspelt optional key must not be ignored.
  void allow_keys(std::initializer_list<std::string_view> known) const {
    for (const auto& entry : object().items())
      if (std::find(known.begin(), known.end(), entry.key()) == known.end())
        fail_here("unknown key \"" + entry.key() + "\"");
  }
  element member(const char* key) const {
    const auto found = object().find(key);
    if (found == value_->end()) fail_here("the key \"" + std::string(key) + "\" is missing");
    return {*found, file_, path_.empty() ? key : path_ + "." + key};
  }
  std::vector<element> items() const {
    if (!is_list()) fail_here("a list is expected");
    std::vector<element> all;
    all.reserve(value_->size());
    for (const json& each : *value_) all.push_back({each, file_, path_ + "[" + std::to_string(all.size()) + "]"});
    return all;
  }
  std::vector<std::pair<std::string, element>> entries() const {
    std::vector<std::pair<std::string, element>> all;
    for (const auto& entry : object().items())
      all.emplace_back(entry.key(), element{entry.value(), file_, path_ + "." + entry.key()});
    return all;
  }
  std::string text() const {
    if (!value_->is_string()) fail_here("a string is expected");
    return value_->get<std::string>();
  }
  bool boolean() const {
    if (!value_->is_boolean()) fail_here("true or false is expected");
    return value_->get<bool>();
  }
  /// A whole number from `low` to 2^31 - 1.
  std::int64_t integer(std::int64_t low) const {
    const bool is_small =
        value_->is_number_integer() && (!value_->is_number_unsigned() || value_->get<std::uint64_t>() <= INT32_MAX);
    if (!is_small || value_->get<std::int64_t>() < low || value_->get<std::int64_t>() > INT32_MAX)
      fail_here("a whole number from " + std::to_string(low) + " to 2^31 - 1 is expected");
    return value_->get<std::int64_t>();
  }
  /// A finite number that is not negative (`positive`: nor zero).
  double number(bool positive) const {
    const double value = value_->is_number() ? value_->get<double>() : -1;
    if (!std::isfinite(value) || value < 0 || (positive && value == 0))
      fail_here(positive ? "a number above 0 is expected" : "a number from 0 on is expected");
    return value + 0.0;  // -0 becomes 0
  }
  /// The index of a string among the names of an enumeration.
  template <typename Names>
  std::size_t one_of(const Names& names) const {
    const std::string given = text();
    std::string known;
    for (std::size_t index = 0; index < names.size(); ++index) {
      if (names[index] == given) return index;
      known += (index == 0 ? "" : ", ") + std::string(names[index]);
    }
    fail_here("unknown value \"" + given + "\"", "use one of " + known);
  }

 private:
  element(const json& value, std::string_view file_name, std::string path)
      : value_(&value), file_(file_name), path_(std::move(path)) {}

  const json& object() const {
    if (!value_->is_object()) fail_here("an object is expected");
    return *value_;
  }

  const json* value_;
  std::string_view file_;
  std::string path_;
};

/// Parses text within the limits of size and depth; refuses duplicate keys.
json parse_document(std::string_view text, std::string_view file_name);

inline constexpr std::size_t most_quoted = 80;  ///< characters of a file that a message repeats

/// What a parsed document describes; each fails unless the root is an object of its schema.
hosted_hierarchy read_hierarchy(const element& root);
graph read_graph(const element& root);

/// Fails unless the root is an object of that schema.
void check_schema(const element& root, std::string_view schema);

/// JSON text; throws errc::invalid_argument where a string is not UTF-8.
std::string dump_document(const ordered_json& document);

inline constexpr std::array<std::string_view, 4> provenance_names = {"assumed", "reported", "probed", "file"};

}  // namespace hawser::topology::detail
