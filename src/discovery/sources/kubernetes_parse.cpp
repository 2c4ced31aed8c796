// Reads the Kubernetes objects that say where nodes are.
#include "kubernetes_parse.hpp"

#include <algorithm>

#include <hawser/core/error.hpp>

#include "discovery/host_list.hpp"
#include "discovery/value_tree.hpp"

namespace hawser::discovery {

namespace {

class object_reader {
 public:
  object_reader(const document& file, const std::string& host) : file_(file), host_(host) {}

  void read(const value& object) {
    if (object.form == value::shape::null) return;
    if (object.is_list()) {
      for (const value& each : object.items) {
        if (!each.is_map()) fail_at(file_, each, "an object must be a map");
        read_one(each);
      }
      return;
    }
    if (!object.is_map()) fail_at(file_, object, "an object must be a map");
    const std::string_view kind = object.text_of("kind");
    if (!kind.ends_with("List") || !object.find("items")) return read_one(object);
    for (const value& each : list_of(file_, object.find("items"), "\"items\"")) {
      if (!each.is_map()) fail_at(file_, each, "an item must be a map");
      read_one(each, kind.substr(0, kind.size() - 4));
    }
  }
  kubernetes_document take() { return std::move(found_); }

 private:
  // The items of a list may leave out the kind that the list says.
  void read_one(const value& object, std::string_view kind_of_list = {}) {
    std::string kind(object.text_of("kind"));
    if (kind.empty()) kind = kind_of_list;
    found_.kinds.push_back(kind);
    if (kind == "Node")
      read_node(object);
    else if (kind == "ComputeDomain")
      read_compute_domain(object);
    else if (kind == "ComputeDomainClique")
      read_clique(object);
    else if (kind == "Cluster")
      read_kind_cluster(object);
    else if (kind.empty() && object.find("topology"))
      read_mock(*object.find("topology"));
    else if (kind.empty())
      read_bare_labels(object);
  }

  void read_node(const value& object) {
    labelled_node node;
    const value* const metadata = object.find("metadata");
    if (!metadata || !metadata->is_map()) fail_at(file_, object, "a Node must have \"metadata\"");
    node.host = host_name(required_text(file_, *metadata, "name"), *metadata);
    node.labels = labels_of(metadata->find("labels"));
    const value* const status = object.find("status");
    const value* const capacity = status ? status->find("capacity") : nullptr;
    if (capacity) node.gpus = to_integer<std::int64_t>(capacity->text_of("nvidia.com/gpu"));
    found_.nodes.push_back(std::move(node));
  }

  label_map labels_of(const value* at) const {
    label_map labels;
    for (const value& each : members_of(file_, at, "\"labels\""))
      if (is_placement_label(each.key)) {
        if (!each.is_text()) fail_at(file_, each, "a label must have a text");
        labels.emplace(each.key, each.text.substr(0, max_host_name));
      }
    return labels;
  }

  void read_compute_domain(const value& object) {
    compute_domain_record made;
    if (const value* const metadata = object.find("metadata")) made.name = metadata->text_of("name");
    if (const value* const spec = object.find("spec")) {
      made.nodes = integer_of(file_, *spec, "numNodes");
      const value* const channel = spec->find("channel");
      const value* const claim = channel ? channel->find("resourceClaimTemplate") : nullptr;
      if (claim) made.claim_template = claim->text_of("name");
      if (channel) made.allocation_mode = channel->text_of("allocationMode");
    }
    if (const value* const status = object.find("status"))
      for (const value& each : list_of(file_, status->find("nodes"), "\"nodes\"")) add_member(each, "name");
    found_.compute_domains.push_back(std::move(made));
  }

  void read_clique(const value& object) {
    const value* daemons = object.find("daemons");
    if (const value* const status = object.find("status"); !daemons && status) daemons = status->find("daemons");
    for (const value& each : list_of(file_, daemons, "\"daemons\"")) add_member(each, "nodeName");
  }

  void add_member(const value& at, std::string_view name_key) {
    if (!at.is_map()) fail_at(file_, at, "a node must be a map");
    const std::string_view status = at.text_of("status");
    found_.members.push_back({host_name(required_text(file_, at, name_key), at), std::string(at.text_of("cliqueID")),
                              status.empty() || status == "Ready"});
  }

  // kind calls its nodes CLUSTER-worker, CLUSTER-worker2, ... unless a patch of kubeadm names them.
  void read_kind_cluster(const value& object) {
    const std::string cluster(object.find("name") ? object.text_of("name") : "kind");
    int workers = 0;
    for (const value& each : list_of(file_, object.find("nodes"), "\"nodes\"")) {
      if (!each.is_map()) fail_at(file_, each, "a node must be a map");
      const bool is_worker = each.text_of("role") == "worker";
      if (is_worker) ++workers;
      labelled_node node;
      node.labels = labels_of(each.find("labels"));
      std::string name = patched_name(each);
      if (name.empty())
        name = cluster + (is_worker ? "-worker" + (workers > 1 ? std::to_string(workers) : "") : "-control-plane");
      node.host = host_name(name, each);
      if (is_worker) found_.nodes.push_back(std::move(node));
    }
  }

  std::string patched_name(const value& node) const {
    for (const value& patch : list_of(file_, node.find("kubeadmConfigPatches"), "\"kubeadmConfigPatches\"")) {
      if (!patch.is_text()) continue;
      try {
        for (const value& each : parse_values({patch.text, file_.name}))
          if (const value* const registration = each.find("nodeRegistration");
              registration && !registration->text_of("name").empty())
            return std::string(registration->text_of("name"));
      } catch (const error& failure) {
        if (failure.code() != errc::parse) throw;
        fail_at(file_, patch, "a patch of kubeadm is not YAML");
      }
    }
    return {};
  }

  void read_mock(const value& at) {
    for (const value& each : list_of(file_, at.find("domains"), "\"domains\"")) {
      if (!each.is_map()) fail_at(file_, each, "a domain must be a map");
      mock_domain made{std::string(each.text_of("name")), required_text(file_, each, "uuid"), {}};
      for (const value& clique : list_of(file_, each.find("cliques"), "\"cliques\"")) {
        if (!clique.is_map()) fail_at(file_, clique, "a clique must be a map");
        std::vector<std::string> hosts;
        for (const value& host : list_of(file_, clique.find("nodes"), "\"nodes\"")) {
          if (!host.is_text()) fail_at(file_, host, "a node must be a name");
          hosts.push_back(host_name(host.text, host));
        }
        made.cliques.emplace_back(required_text(file_, clique, "id"), std::move(hosts));
      }
      found_.domains.push_back(std::move(made));
    }
  }

  void read_bare_labels(const value& object) {
    const value* const inner = object.find("labels");
    label_map labels = labels_of(inner ? inner : &object);
    if (!labels.empty()) found_.nodes.push_back({host_, std::move(labels), {}});
  }

  std::string host_name(const std::string& name, const value& at) {
    if (name.empty() || name.size() > max_host_name)
      fail_at(file_, at, "a node's name must have 1 to " + std::to_string(max_host_name) + " characters");
    if (++hosts_ > max_listed_names)
      fail_at(file_, at, "there are more than " + std::to_string(max_listed_names) + " nodes");
    return name;
  }

  const document& file_;
  const std::string& host_;
  kubernetes_document found_;
  std::size_t hosts_ = 0;
};

}  // namespace

kubernetes_document parse_kubernetes(const document& file, const std::string& host) {
  object_reader reader(file, host);
  for (const value& each : parse_values(file)) reader.read(each);
  return reader.take();
}

}  // namespace hawser::discovery
