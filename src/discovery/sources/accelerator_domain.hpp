// NVLink domains by cluster UUID and clique, as NVML, device plugins and fabric managers write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "placement.hpp"

namespace hawser::discovery {

/// "5e797fc6-0f46-421a-8724-0e102c0f723c", or that and ".0" for a clique of the cluster.
struct cluster_uuid {
  std::string uuid;    ///< in lower case
  std::string clique;  ///< empty: not told

  bool is_zero() const { return uuid.find_first_not_of("0-") == std::string::npos; }
  std::string identity() const;
  /// A domain without hosts, with name, identity and attributes.
  domain_record domain() const;
};

/// Empty where the text is anything else.
std::optional<cluster_uuid> cluster_uuid_of(std::string_view text);

/// The domain that a name stands for, which may be a cluster UUID with a clique.
domain_record accelerator_domain(const std::string& name);

}  // namespace hawser::discovery
