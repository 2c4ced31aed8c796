// See yaml.hpp.
#ifdef HAWSER_HAS_YAML

#include "yaml.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace hawser::discovery {

namespace {

constexpr std::size_t max_alias_bytes = std::size_t{64} << 20;  // of texts that aliases repeat

/// What an anchor names, complete, and what a copy of it costs.
struct anchored {
  value what;
  std::size_t values = 0;
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

anchored measured(const value& what) {
  anchored made{{}, 1, what.text.size() + what.key.size(), 1};
  for (const value& each : what.items) {
    const anchored inner = measured(each);
    made.values += inner.values;
    made.bytes += inner.bytes;
    made.depth = std::max(made.depth, inner.depth + 1);
  }
  return made;
}

class value_builder : public YAML::EventHandler {
 public:
  explicit value_builder(const document& file) : file_(file) {}
  std::vector<value> take() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp 0.7 takes a "," in front of a document for a document without end, and another one, for ever.
    if (last_ == mark.pos) throw YAML::ParserException(mark, "a document that never ends");
    last_ = mark.pos;
    anchors_.clear();
    documents_.emplace_back();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (needs_key()) fail_key(mark);
    keep(place(mark, value::shape::null), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& text) override {
    if (needs_key()) {
      if (anchor != YAML::NullAnchor) keep(value{value::shape::text, {}, text, {}, line_of(mark)}, anchor);
      return take_key(text);
    }
    value& at = place(mark, value::shape::text);
    at.text = text;
    keep(at, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail_at_line(file_, line_of(mark), "a value that contains itself");
    const anchored& named = found->second;
    if (needs_key()) {
      if (!named.what.is_text()) fail_key(mark);
      return take_key(named.what.text);
    }
    check_depth(mark, named.depth);
    spend(mark, named);
    value& at = place(mark, value::shape::null);
    std::string key = std::move(at.key);
    at = named.what;
    at.key = std::move(key);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, value::shape::list, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, value::shape::map, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A list or map that has begun and not ended. It does not move: only the innermost one grows.
  struct opened {
    value* at;
    YAML::anchor_t anchor;
  };

  static std::size_t line_of(const YAML::Mark& mark) { return static_cast<std::size_t>(mark.line) + 1; }
  [[noreturn]] void fail_key(const YAML::Mark& mark) const {
    fail_at_line(file_, line_of(mark), "a key must be a single value");
  }
  bool needs_key() const { return !open_.empty() && open_.back().at->is_map() && !key_; }
  void take_key(const std::string& text) { key_ = text; }

  void check_depth(const YAML::Mark& mark, std::size_t more) const {
    if (open_.size() + more > static_cast<std::size_t>(max_depth))
      fail_at_line(file_, line_of(mark), "more than " + std::to_string(max_depth) + " nested values");
  }
  void check_count(const YAML::Mark& mark) const {
    if (count_ > max_values || bytes_ > max_alias_bytes)
      fail_at_line(file_, line_of(mark),
                   "it has more than " + std::to_string(max_values) + " values, or its aliases " + "repeat more than " +
                       std::to_string(max_alias_bytes >> 20) + " MiB");
  }
  void spend(const YAML::Mark& mark, const anchored& what) {
    count_ += what.values;
    bytes_ += what.bytes;
    check_count(mark);
  }

  value& place(const YAML::Mark& mark, value::shape form) {
    ++count_;
    check_count(mark);
    value& at = open_.empty() ? documents_.back() : open_.back().at->items.emplace_back();
    at.form = form;
    at.line = line_of(mark);
    if (key_) at.key = std::move(*key_);
    key_.reset();
    return at;
  }
  void open(const YAML::Mark& mark, value::shape form, YAML::anchor_t anchor) {
    if (needs_key()) fail_key(mark);
    check_depth(mark, 1);
    value& at = place(mark, form);
    open_.push_back({&at, anchor});
  }
  void close() {
    const opened ended = open_.back();
    open_.pop_back();
    keep(*ended.at, ended.anchor);
  }
  // A copy, since what is in the tree may still move; it counts like any other value.
  void keep(const value& what, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    anchored measures = measured(what);
    YAML::Mark mark;
    mark.line = static_cast<int>(what.line) - 1;
    spend(mark, measures);
    measures.what = what;
    measures.what.key.clear();
    anchors_.insert_or_assign(anchor, std::move(measures));
  }

  const document& file_;
  std::vector<value> documents_;
  std::vector<opened> open_;
  std::optional<std::string> key_;  // of the member of the innermost map whose value comes next
  std::map<YAML::anchor_t, anchored> anchors_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  std::optional<int> last_;
};

}  // namespace

std::vector<value> parse_yaml(const document& file) {
  if (file.text.size() > max_yaml_bytes) fail_in(file, {}, "it is larger than 4 MiB");
  value_builder builder(file);
  try {
    std::istringstream stream{std::string(file.text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& failure) {
    if (failure.mark.is_null()) fail_in(file, {}, failure.msg);
    fail_at_line(file, static_cast<std::size_t>(failure.mark.line) + 1, failure.msg);
  }
  return builder.take();
}

}  // namespace hawser::discovery

#endif
