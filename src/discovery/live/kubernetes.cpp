// Kubernetes: this node's labels, where they are mounted.
#include <filesystem>

#include <hawser/core/error.hpp>

#include "discovery/file.hpp"
#include "discovery/sources/kubernetes_labels.hpp"
#include "live_sources.hpp"

namespace hawser::discovery {
namespace {

using topology::severity;

constexpr std::size_t max_label_bytes = std::size_t{1} << 20;

// One line of the downward API: KEY="VALUE", the value with Go's escapes. A label's value needs none.
void add_label(std::string_view line, label_map& labels, placement& into) {
  const std::size_t equals = line.find('=');
  const std::string_view key = trimmed(line.substr(0, equals));
  if (line.empty() || !is_placement_label(key)) return;
  std::string_view text = equals == std::string_view::npos ? std::string_view() : trimmed(line.substr(equals + 1));
  const bool is_quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  if (is_quoted) text = text.substr(1, text.size() - 2);
  if (text.empty() || text.size() > 255 || text.find_first_of("\"\\") != std::string_view::npos)
    return into.note(severity::warning, "malformed-label", shortened(key),
                     "its value \"" + shortened(text) + "\" is not one of a label");
  labels.emplace(key, text);
}

topology::graph discover(const live_environment& environment) {
  const auto given = environment.variable("HAWSER_NODE_LABELS");
  const std::filesystem::path wanted = given && !given->empty() ? *given : "/etc/podinfo/labels";
  const std::string path = (std::filesystem::path(environment.root) / wanted.relative_path()).string();
  const document file{{}, path};
  placement into(file, topology::provenance::reported);
  std::error_code unusable;
  if (!std::filesystem::is_regular_file(path, unusable)) {
    into.note(given ? severity::warning : severity::info, "no-node-labels", environment.host,
              "there is no file of node labels \"" + path + "\"");
    return into.finish();
  }
  labelled_node node{environment.host, {}, {}};
  try {
    const std::string text = read_text(path, max_label_bytes);
    line_reader lines(text);
    while (lines.next()) add_label(trimmed(lines.line()), node.labels, into);
  } catch (const error& failure) {
    into.note(severity::warning, "unreadable-file", path, failure.what());
  }
  // The GPUs themselves are for the driver to tell: a container may see fewer.
  node.labels.erase("nvidia.com/gpu.count");
  if (node.labels.empty())
    into.note(severity::info, "no-node-labels", environment.host,
              "none of the labels in \"" + path + "\" says where the node is");
  else
    place_nodes(into, {node});
  return into.finish();
}

}  // namespace

const live_source live_kubernetes{"kubernetes", "Kubernetes: this node's labels, where they are mounted", discover,
                                  scope::placement};

}  // namespace hawser::discovery
