// Reads Topograph's models.
#include "topograph_parse.hpp"

#include <algorithm>

#include "discovery/host_list.hpp"
#include "discovery/value_tree.hpp"

namespace hawser::discovery {

namespace {

constexpr std::size_t max_gpus_of_node = 1024;

class model_reader {
 public:
  explicit model_reader(const document& file) : file_(file) {}

  void read(const value& root) {
    if (root.form == value::shape::null) return;
    if (root.is_list()) return read_netq(root);
    if (!root.is_map()) fail_at(file_, root, "a model must be a map");
    if (const value* const nodes = root.find("computeNodes")) return read_netq(*nodes);
    each_named(root.find("switches"), "\"switches\"",
               [&](const value& at, const std::string& name) { read_switch(at, name); });
    for (const char* key : {"blocks", "capacity_blocks"})
      each_named(root.find(key), "the blocks", [&](const value& at, const std::string& name) { read_block(at, name); });
    each_named(root.find("nodes"), "\"nodes\"", [&](const value& at, const std::string& name) {
      std::map<std::string, std::string> attributes = texts_of(at.find("attributes"));
      found_.domain_of_host[checked(name, at)] = attributes["nvlink"];
    });
  }

  topograph_document take() {
    // Older models name the blocks of a switch, newer ones the switch of a block.
    for (capacity_block& each : found_.blocks)
      if (const auto above = switch_of_block_.find(each.name);
          each.switch_name.empty() && above != switch_of_block_.end())
        each.switch_name = above->second;
    return std::move(found_);
  }

 private:
  // The entries of a map, or of a list whose items may have names.
  template <typename Read>
  void each_named(const value* at, std::string_view what, Read&& read_entry) {
    if (!at || at->form == value::shape::null) return;
    if (!at->is_map() && !at->is_list()) fail_at(file_, *at, std::string(what) + " must be a map or a list");
    for (const value& each : at->items) {
      if (!each.is_map() && !(at->is_map() && each.form == value::shape::null))
        fail_at(file_, each, "each of " + std::string(what) + " must be a map");
      read_entry(each, at->is_map() ? each.key : std::string(each.text_of("name")));
    }
  }

  void read_switch(const value& at, const std::string& name) {
    switch_record record;
    record.name = checked(name, at);
    record.switches = names_of(at.find("switches"), "\"switches\"");
    record.hosts = names_of(at.find("nodes"), "\"nodes\"");
    record.attributes = texts_of(at.find("labels"));
    record.attributes.merge(texts_of(at.find("metadata")));
    for (const std::string& each : names_of(at.find("capacity_blocks"), "\"capacity_blocks\""))
      switch_of_block_.emplace(each, name);
    found_.switches.push_back(std::move(record));
  }

  void read_block(const value& at, const std::string& name) {
    capacity_block block;
    block.name = name.substr(0, max_host_name);
    block.switch_name = at.text_of("switch").substr(0, max_host_name);
    block.hosts = names_of(at.find("nodes"), "\"nodes\"");
    block.annotations = texts_of(at.find("annotations"));
    std::map<std::string, std::string> attributes = texts_of(at.find("attributes"));
    block.domain = attributes["nvlink"].empty() ? std::string(at.text_of("nvlink").substr(0, max_host_name))
                                                : attributes["nvlink"];
    // accelerator.topology.test/domain, accelerator.topograph.run/domain, ...
    for (const auto& [key, text] : block.annotations) {
      if (!key.starts_with("accelerator.")) continue;
      if (key.ends_with("/sub-domain"))
        block.sub_domain = text;
      else if (key.ends_with("/domain"))
        block.domain = text;
    }
    if (budget_ == 0) fail_at(file_, at, "there are too many blocks");
    --budget_;
    found_.blocks.push_back(std::move(block));
  }

  void read_netq(const value& list) {
    for (const value& each : list_of(file_, &list, "the list of nodes")) {
      if (!each.is_map()) fail_at(file_, each, "a node must be a map");
      netq_node node;
      node.name = checked(required_text(file_, each, "Name"), each);
      node.domain = each.text_of("DomainUUID").substr(0, max_host_name);
      node.health = shortened(each.text_of("Health"));
      for (const value& gpu : list_of(file_, each.find("GpuIDList"), "\"GpuIDList\"")) {
        if (!gpu.is_text() || gpu.text.size() > max_host_name) fail_at(file_, each, "a GPU's id must be a short text");
        if (node.gpus.size() >= max_gpus_of_node)
          fail_at(file_, each, "a node has more than " + std::to_string(max_gpus_of_node) + " GPUs");
        node.gpus.push_back(gpu.text);
      }
      found_.netq_nodes.push_back(std::move(node));
    }
  }

  std::vector<std::string> names_of(const value* at, std::string_view what) {
    std::vector<std::string> names;
    for (const value& each : list_of(file_, at, what)) {
      if (!each.is_text()) fail_at(file_, each, "each of " + std::string(what) + " must be a name");
      expanded_list expanded = expand_hosts(each.text, budget_);
      if (!expanded.problem.empty()) fail_at(file_, each, expanded.problem);
      names.insert(names.end(), expanded.names.begin(), expanded.names.end());
    }
    return names;
  }

  std::map<std::string, std::string> texts_of(const value* at) const {
    std::map<std::string, std::string> texts;
    for (const value& each : members_of(file_, at, "labels, annotations and attributes"))
      if (each.is_text()) texts.emplace(each.key.substr(0, max_host_name), each.text.substr(0, max_host_name));
    return texts;
  }

  std::string checked(const std::string& name, const value& at) {
    if (name.empty() || name.size() > max_host_name)
      fail_at(file_, at, "a name must have 1 to " + std::to_string(max_host_name) + " characters");
    if (budget_ == 0) fail_at(file_, at, "there are more than " + std::to_string(max_listed_names) + " names");
    --budget_;
    return name;
  }

  const document& file_;
  topograph_document found_;
  std::map<std::string, std::string> switch_of_block_;
  std::size_t budget_ = max_listed_names;
};

}  // namespace

topograph_document parse_topograph(const document& file) {
  model_reader reader(file);
  for (const value& each : parse_values(file)) reader.read(each);
  return reader.take();
}

}  // namespace hawser::discovery
