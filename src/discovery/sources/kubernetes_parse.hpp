// Kubernetes objects that say where nodes are, as plain records.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kubernetes_labels.hpp"

namespace hawser::discovery {

struct compute_domain_record {
  std::string name;
  std::optional<std::int64_t> nodes;  ///< as many as it asks for
  std::string claim_template;
  std::string allocation_mode;  ///< empty: not told
};

/// A host in a clique, "UUID.CLIQUE", as the status of a ComputeDomain or a ComputeDomainClique tells.
struct clique_member {
  std::string host;
  std::string clique;
  bool is_ready = true;
};

/// A domain of NVIDIA's mock of NVML.
struct mock_domain {
  std::string name;
  std::string uuid;
  std::vector<std::pair<std::string, std::vector<std::string>>> cliques;  ///< id and hosts
};

struct kubernetes_document {
  std::vector<std::string> kinds;  ///< of the objects, in the order of the file; empty for what has none
  std::vector<labelled_node> nodes;
  std::vector<compute_domain_record> compute_domains;
  std::vector<clique_member> members;
  std::vector<mock_domain> domains;
};

/// Objects, lists of objects, kind's clusters, the mock's domains, and a map of labels alone, which is of `host`.
kubernetes_document parse_kubernetes(const document& file, const std::string& host);

}  // namespace hawser::discovery
