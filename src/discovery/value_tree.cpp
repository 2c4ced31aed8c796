// JSON and YAML into values.
#include "value_tree.hpp"

#include <algorithm>

#include <hawser/core/error.hpp>

#ifdef HAWSER_HAS_JSON
#include <nlohmann/json.hpp>
#endif
#ifdef HAWSER_HAS_YAML
#include "yaml.hpp"
#endif

namespace hawser::discovery {

namespace {

constexpr std::size_t looked_at = 65536;
constexpr std::size_t max_first_lines = 400;

bool begins_as_json(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::string_view start = trimmed(text.substr(0, looked_at));
  return start.starts_with('{') || start.starts_with('[');
}

#ifdef HAWSER_HAS_JSON
// Receives the events of the parser, which keeps no document of its own.
class json_builder : public nlohmann::json::json_sax_t {
 public:
  explicit json_builder(const document& file) : file_(file) {}
  value take() { return std::move(root_); }

  bool null() override { return add(value::shape::null, {}); }
  bool boolean(bool is_true) override { return add(value::shape::text, is_true ? "true" : "false"); }
  bool number_integer(number_integer_t number) override { return add(value::shape::text, std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return add(value::shape::text, std::to_string(number)); }
  bool number_float(number_float_t, const string_t& text) override { return add(value::shape::text, text); }
  bool string(string_t& text) override { return add(value::shape::text, std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(value::shape::map); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(value::shape::list); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& failure) override {
    const std::string_view before = file_.text.substr(0, position);
    const std::string_view reason = failure.what();
    const std::size_t start = reason.find(": ");
    fail_at_line(file_, static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
                 shortened(start == std::string_view::npos ? reason : reason.substr(start + 2)));
  }

 private:
  bool add(value::shape form, std::string text) {
    place(form).text = std::move(text);
    return true;
  }
  bool open(value::shape form) {
    if (open_.size() >= static_cast<std::size_t>(max_depth))
      fail_in(file_, {}, "more than " + std::to_string(max_depth) + " nested values");
    open_.push_back(&place(form));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // The outer values do not move while they are open: only the innermost one grows.
  value& place(value::shape form) {
    if (++count_ > max_values) fail_in(file_, {}, "it has more than " + std::to_string(max_values) + " values");
    value& at = open_.empty() ? root_ : open_.back()->items.emplace_back();
    at.form = form;
    at.key = std::move(key_);
    key_.clear();
    return at;
  }

  const document& file_;
  value root_;
  std::vector<value*> open_;
  std::string key_;
  std::size_t count_ = 0;
};
#endif

value parse_json(const document& file) {
  if (file.text.size() > max_markup_bytes) fail_in(file, {}, "it is larger than 32 MiB");
#ifdef HAWSER_HAS_JSON
  json_builder builder(file);
  nlohmann::json::sax_parse(file.text.begin(), file.text.end(), &builder);
  return builder.take();
#else
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "this build cannot read JSON",
       "install nlohmann-json3-dev and build again");
#endif
}

std::vector<value> parse_yaml_values([[maybe_unused]] const document& file) {
#ifdef HAWSER_HAS_YAML
  return parse_yaml(file);
#else
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"", "this build cannot read YAML",
       "install libyaml-cpp-dev and build again");
#endif
}

const std::vector<value> no_values;

}  // namespace

const value* value::find(std::string_view name) const noexcept {
  if (!is_map()) return nullptr;
  for (const value& each : items)
    if (each.key == name) return &each;
  return nullptr;
}

std::string_view value::text_of(std::string_view name) const noexcept {
  const value* const found = find(name);
  return found && found->is_text() ? std::string_view(found->text) : std::string_view();
}

std::vector<value> parse_values(const document& file) {
  if (!begins_as_json(file.text)) return parse_yaml_values(file);
  std::vector<value> documents;
  documents.push_back(parse_json(file));
  return documents;
}

void fail_at(const document& file, const value& at, std::string_view reason, std::string_view suggestion) {
  if (at.line > 0) fail_at_line(file, at.line, reason, suggestion);
  fail_in(file, at.key.empty() ? std::string() : "the element \"" + shortened(at.key) + "\"", reason, suggestion);
}

const std::vector<value>& list_of(const document& file, const value* at, std::string_view what) {
  if (!at || at->form == value::shape::null) return no_values;
  if (!at->is_list()) fail_at(file, *at, std::string(what) + " must be a list");
  return at->items;
}

const std::vector<value>& members_of(const document& file, const value* at, std::string_view what) {
  if (!at || at->form == value::shape::null) return no_values;
  if (!at->is_map()) fail_at(file, *at, std::string(what) + " must be a map");
  return at->items;
}

std::string required_text(const document& file, const value& in, std::string_view name) {
  const value* const found = in.find(name);
  if (!found) fail_at(file, in, "the key \"" + std::string(name) + "\" is missing");
  if (!found->is_text() || found->text.empty()) fail_at(file, *found, "\"" + std::string(name) + "\" must be a text");
  return found->text;
}

std::optional<std::int64_t> integer_of(const document& file, const value& in, std::string_view name) {
  const value* const found = in.find(name);
  if (!found || found->form == value::shape::null) return std::nullopt;
  const auto number = found->is_text() ? to_integer<std::int64_t>(found->text) : std::nullopt;
  if (!number) fail_at(file, *found, "\"" + std::string(name) + "\" must be a whole number");
  return number;
}

first_lines::first_lines(std::string_view whole) : is_json(begins_as_json(whole)) {
  line_reader reader(whole.substr(0, looked_at));
  while (lines.size() < max_first_lines && reader.next()) {
    const std::string_view line = trimmed(reader.line());
    if (line.empty() || line.starts_with('#') || line.starts_with("---")) continue;
    lines.emplace_back(reader.line().substr(0, 1024));
  }
  text = is_json ? std::string(whole.substr(0, looked_at)) : std::string();
  if (!is_json)
    for (const std::string& each : lines) text.append(each).append("\n");
}

bool first_lines::has_key(std::string_view key) const {
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
    const std::size_t start = line.find_first_not_of(" -\t");
    return start != std::string_view::npos && line.substr(start).starts_with(key);
  });
}

bool first_lines::has_top_key(std::string_view key) const {
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) { return line.starts_with(key); });
}

}  // namespace hawser::discovery
