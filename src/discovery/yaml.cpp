// YAML through yaml-cpp: limits and places.
#ifdef HAWSER_HAS_YAML

#include "yaml.hpp"

#include <optional>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>

namespace hawser::discovery {

namespace {

// yaml-cpp 0.7 takes a "," in front of a document for a document without end, and another one, for ever.
class progress_check : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (last_ == mark.pos) throw YAML::ParserException(mark, "a document that never ends");
    last_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  std::optional<int> last_;
};

void check_progress(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  progress_check check;
  while (parser.HandleNextDocument(check)) continue;
}

// Walks without recursion. A cycle of aliases has no end, so it is found as too deep.
void check_limits(const document& file, const YAML::Node& root) {
  std::vector<std::pair<YAML::Node, int>> open{{root, 1}};
  for (std::size_t seen = 0; !open.empty(); ++seen) {
    const auto [node, depth] = open.back();
    open.pop_back();
    if (depth > max_depth) fail_at(file, node, "more than " + std::to_string(max_depth) + " nested values");
    if (seen > max_yaml_nodes || open.size() > max_yaml_nodes)
      fail_at(file, node, "its aliases stand for more than " + std::to_string(max_yaml_nodes) + " values");
    if (node.IsSequence())
      for (const auto& each : node) open.emplace_back(each, depth + 1);
    if (node.IsMap())
      for (const auto& each : node) {
        open.emplace_back(each.first, depth + 1);
        open.emplace_back(each.second, depth + 1);
      }
  }
}

}  // namespace

std::vector<YAML::Node> parse_yaml(const document& file) {
  if (file.text.size() > max_yaml_bytes) fail_in(file, {}, "it is larger than 4 MiB");
  std::vector<YAML::Node> documents;
  try {
    const std::string text(file.text);
    check_progress(text);
    documents = YAML::LoadAll(text);
  } catch (const YAML::Exception& failure) {
    if (failure.mark.is_null()) fail_in(file, {}, failure.msg);
    fail_at_line(file, static_cast<std::size_t>(failure.mark.line) + 1, failure.msg);
  }
  for (const YAML::Node& each : documents) check_limits(file, each);
  return documents;
}

void fail_at(const document& file, const YAML::Node& node, std::string_view reason, std::string_view suggestion) {
  if (!node.IsDefined() || node.Mark().is_null()) fail_in(file, {}, reason, suggestion);
  fail_at_line(file, static_cast<std::size_t>(node.Mark().line) + 1, reason, suggestion);
}

std::string scalar_of(const document& file, const YAML::Node& node, std::string_view what) {
  if (!node.IsDefined()) fail_in(file, {}, std::string(what) + " is missing");
  if (!node.IsScalar()) fail_at(file, node, std::string(what) + " must be a single value");
  return node.Scalar();
}

}  // namespace hawser::discovery

#endif
