// Cluster UUIDs and the domains they stand for.
#include "accelerator_domain.hpp"

#include <cctype>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

namespace hawser::discovery {

std::string cluster_uuid::identity() const {
  return clique.empty() ? "cluster/" + uuid : topology::identity::clique(uuid, clique);
}

domain_record cluster_uuid::domain() const {
  domain_record made{clique.empty() ? uuid : uuid + "." + clique, {}, identity(), {}};
  made.attributes[topology::attribute::cluster_uuid] = uuid;
  if (!clique.empty()) made.attributes[topology::attribute::clique_id] = clique;
  return made;
}

std::optional<cluster_uuid> cluster_uuid_of(std::string_view text) {
  constexpr std::size_t length = 36;
  if (text.size() < length) return std::nullopt;
  cluster_uuid made;
  for (std::size_t at = 0; at < length; ++at) {
    const bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;
    if (is_dash ? text[at] != '-' : !std::isxdigit(static_cast<unsigned char>(text[at]))) return std::nullopt;
    made.uuid += static_cast<char>(std::tolower(static_cast<unsigned char>(text[at])));
  }
  if (text.size() == length) return made;
  if (text[length] != '.' || !to_integer<std::uint32_t>(text.substr(length + 1))) return std::nullopt;
  made.clique = std::string(text.substr(length + 1));
  return made;
}

domain_record accelerator_domain(const std::string& name) {
  if (const auto uuid = cluster_uuid_of(name); uuid && !uuid->clique.empty()) return uuid->domain();
  return {name, {}, "accelerator/" + name, {}};
}

}  // namespace hawser::discovery
