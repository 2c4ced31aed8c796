// The parser behind every JSON file: limits, duplicate keys, and errors with line and column.
#ifdef HAWSER_HAS_JSON

#include "json_reader.hpp"

namespace hawser::topology::detail {

namespace {

// Far above any file of 32 MiB that hawser writes (an edge takes some 150 bytes and seven values), and well below what
// makes a value's own memory (some 160 bytes for a nested object) a burden.
constexpr std::size_t max_values = 4'000'000;

// Receives the events of the parser; nlohmann's own parser with a callback is quadratic in the number of objects.
class document_builder : public nlohmann::json_sax<json> {
 public:
  explicit document_builder(const element& nowhere) : nowhere_(nowhere) {}
  json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool is_true) override { return add(is_true); }
  bool number_integer(number_integer_t number) override { return add(number); }
  bool number_unsigned(number_unsigned_t number) override { return add(number); }
  bool number_float(number_float_t number, const string_t&) override { return add(number); }
  bool string(string_t& text) override { return add(std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const auto [entry, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(std::move(name));
    if (!is_new) nowhere_.fail_here("the key \"" + entry->first + "\" occurs twice in one object");
    member_ = &entry->second;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception& failure) override {
    const std::string message = failure.what();  // "[json.exception.parse_error.101] parse error at line 1, ..."
    const std::size_t tag = message.find("] ");
    nowhere_.fail_here(tag == std::string::npos ? message : message.substr(tag + 2));
  }

 private:
  template <typename Value>
  bool add(Value&& what) {
    place() = std::forward<Value>(what);
    return true;
  }
  bool open(json&& empty) {
    if (open_.size() >= static_cast<std::size_t>(max_json_depth))
      nowhere_.fail_here("it is nested more than 256 levels deep");
    json& at = place();
    at = std::move(empty);
    open_.push_back(&at);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // Where the next value goes. The open values do not move: only the innermost one grows.
  json& place() {
    if (++count_ > max_values) nowhere_.fail_here("it has more than " + std::to_string(max_values) + " values");
    if (open_.empty()) return root_;
    return open_.back()->is_object() ? *member_ : open_.back()->get_ref<json::array_t&>().emplace_back();
  }

  const element& nowhere_;
  json root_;
  std::vector<json*> open_;
  json* member_ = nullptr;  // of the innermost object, the one whose key came last
  std::size_t count_ = 0;
};

}  // namespace

json parse_document(std::string_view text, std::string_view file_name) {
  const json nothing;
  const element nowhere(nothing, file_name);
  if (text.size() > max_json_bytes) nowhere.fail_here("it is larger than 32 MiB");
  document_builder builder(nowhere);
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

void check_schema(const element& root, std::string_view schema) {
  const std::string given = root.member("schema").text();
  if (given != schema)
    root.member("schema").fail_here("the schema is \"" + given + "\", not \"" + std::string(schema) + "\"");
}

std::string dump_document(const ordered_json& document) {
  try {
    return document.dump(2);
  } catch (const json::exception&) {
    fail(errc::invalid_argument, "the topology cannot be written as JSON", "a name in it is not UTF-8");
  }
}

}  // namespace hawser::topology::detail

namespace hawser::topology {

std::variant<hosted_hierarchy, graph> any_from_json(std::string_view text, std::string_view file_name) {
  const detail::json document = detail::parse_document(text, file_name);
  const detail::element root(document, file_name);
  const std::string schema = root.member("schema").text();
  if (schema == hierarchy_schema) return detail::read_hierarchy(root);
  if (schema == topology_schema) return detail::read_graph(root);
  root.member("schema").fail_here("the schema \"" + schema.substr(0, detail::most_quoted) + "\" is not a topology",
                                  "use " + std::string(hierarchy_schema) + " or " + std::string(topology_schema));
}

}  // namespace hawser::topology

#else

#include <hawser/topology/json.hpp>

namespace hawser::topology {

namespace {
[[noreturn]] void refuse() {
  fail(errc::unsupported, "topology files cannot be read or written", "built without nlohmann-json",
       "install nlohmann-json3-dev and build again");
}
}  // namespace

std::string to_json(const hierarchy&) {
  refuse();
}
std::string to_json(const hosted_hierarchy&) {
  refuse();
}
std::string to_json(const graph&) {
  refuse();
}
hierarchy hierarchy_from_json(std::string_view, std::string_view) {
  refuse();
}
hosted_hierarchy hosted_hierarchy_from_json(std::string_view, std::string_view) {
  refuse();
}
graph graph_from_json(std::string_view, std::string_view) {
  refuse();
}
std::variant<hosted_hierarchy, graph> any_from_json(std::string_view, std::string_view) {
  refuse();
}

}  // namespace hawser::topology

#endif
