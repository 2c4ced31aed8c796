// The graph of `nvidia-smi -q`: GPUs, what they say of the NVLink fabric, and the domains that follow.
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <hawser/topology/attributes.hpp>
#include <hawser/topology/identity.hpp>

#include "smi_nvlink_counts.hpp"
#include "smi_query_document.hpp"

namespace hawser::discovery {

namespace attribute = topology::attribute;
namespace identity = topology::identity;
using topology::provenance;
using topology::severity;

namespace {

bool is_told(std::string_view value) {
  return !value.empty() && value != "N/A" && value != "[N/A]" && value != "None" && !says_lost(value) &&
         value != "Not Supported" && value != "[Not Supported]";
}

// Of what is degraded, the words; "ok" where something is told and nothing is; empty where nothing is told.
std::string health_of(const queried_gpu& gpu) {
  std::string degraded;
  bool is_known = false;
  const auto add = [&](const std::string& what) { degraded += (degraded.empty() ? "" : ", ") + what; };
  for (const auto& [key, value] : gpu.fabric_health) {
    if (!is_told(value)) continue;
    is_known = true;
    std::string what = key;
    std::ranges::replace(what, '_', ' ');
    if (key == "partition_assigned") {
      if (value == "False" || value == "No") add("no partition assigned");
    } else if (value == "True" || value == "Yes") {
      add(what);
    } else if (key == "summary" ? value != "Healthy" : value != "Full" && value != "False" && value != "No") {
      add(what + " " + snake_case(value));
    }
  }
  return degraded.empty() && is_known ? "ok" : degraded;
}

bool is_zero(std::string_view uuid) {
  return uuid.find_first_not_of("0-") == std::string_view::npos;
}

class builder {
 public:
  builder(const document& file, const smi_query_document& all, const std::string& host_name)
      : file_(file), all_(all), host_name_(host_name) {}

  topology::graph run() {
    host_ = into_.add_node(
        {.kind = topology::node_kind::host, .name = host_name_, .identities = {identity::host(host_name_)}});
    if (!all_.driver.empty()) into_.describe(host_, "driver", shortened(all_.driver));
    check_number();
    for (std::size_t each = 0; each < all_.gpus.size(); ++each) add_gpu(all_.gpus[each], each);
    into_.tell(topology::aspect::hosts);
    if (is_complete_) into_.tell(topology::aspect::gpus);
    if (tells_fabric_ && is_complete_) into_.tell(topology::aspect::nvlink);
    return std::move(into_);
  }

 private:
  // With -i only some GPUs are printed: their place in the text is not their number then.
  void check_number() {
    const auto attached = to_integer<std::size_t>(all_.attached_gpus);
    is_complete_ = !attached || *attached == all_.gpus.size();
    if (!is_complete_)
      into_.note({severity::warning, "gpu-count-differs", std::string(file_.name),
                  std::to_string(*attached) + " GPUs are attached and the file describes " +
                      std::to_string(all_.gpus.size())});
  }

  void add_gpu(const queried_gpu& gpu, std::size_t place) {
    const auto minor = to_integer<int>(gpu.minor);
    const int number = is_complete_ || !minor || *minor < 0 ? static_cast<int>(place) : *minor;
    topology::node part{.kind = topology::node_kind::gpu,
                        .name = host_name_ + ":GPU" + std::to_string(number),
                        .attributes = {{attribute::index, std::to_string(number)}}};
    if (is_complete_) part.identities.push_back(identity::gpu(host_name_, number));
    if (const auto bus = topology::parse_bus_id(gpu.bus_id)) {
      part.attributes[attribute::pci] = to_string(*bus);
      identify(part, identity::pci(host_name_, *bus));
    }
    if (is_told(gpu.uuid)) {
      part.attributes[attribute::uuid] = gpu.uuid;
      if (!is_zero(std::string_view(gpu.uuid).substr(std::min<std::size_t>(4, gpu.uuid.size()))))
        identify(part, identity::uuid(gpu.uuid));
    }
    describe(gpu, part);
    const topology::node_index added = into_.add_node(std::move(part));
    into_.contain(host_, added);
    note_width(gpu, added);
    if (gpu.lost.empty()) add_to_domain(gpu, added);
  }

  void identify(topology::node& part, const std::string& name) {
    if (into_.find(name))
      into_.note({severity::error, "repeated-gpu", part.name, "another GPU of the file has the same " + name});
    else
      part.identities.push_back(name);
  }

  static void describe(const queried_gpu& gpu, topology::node& part) {
    const auto set = [&](const char* key, const std::string& value) {
      if (is_told(value)) part.attributes[key] = value;
    };
    set(attribute::model, gpu.product);
    set("minor", gpu.minor);
    set("c2c", snake_case(gpu.c2c));
    set(attribute::mig, snake_case(gpu.mig));
    if (!gpu.lost.empty()) {
      part.attributes[attribute::lost] = gpu.lost;
      return;
    }
    if (is_told(gpu.max_generation)) part.attributes["pcie_generation"] = gpu.max_generation;
    set("pcie_width", gpu.width);
    for (const auto& [key, value] : gpu.platform) set(key.c_str(), value);
    if (is_told(gpu.fabric_state)) part.attributes[attribute::fabric_state] = snake_case(gpu.fabric_state);
    if (is_told(gpu.fabric_status)) part.attributes[attribute::fabric_status] = snake_case(gpu.fabric_status);
    set(attribute::cluster_uuid, gpu.cluster_uuid);
    set(attribute::clique_id, gpu.clique_id);
    set(attribute::fabric_health, health_of(gpu));
  }

  // The generation of an idle link is lowered to save power, its width is not.
  void note_width(const queried_gpu& gpu, topology::node_index added) {
    const auto lanes = [](std::string_view width) {
      return to_integer<int>(width.substr(0, width.find('x'))).value_or(0);
    };
    const int now = lanes(gpu.width), most = lanes(gpu.max_width);
    if (now > 0 && now < most)
      into_.note({severity::warning, "narrow-pcie", into_.nodes()[added].name,
                  "its PCIe link has " + std::to_string(now) + " of " + std::to_string(most) +
                      " lanes: copies to and from the host and its NIC are slower by that share; reseat the card or "
                      "check the slot"});
  }

  // A GPU whose registration with the fabric succeeded is behind NVSwitches: of several hosts where it has a cluster
  // UUID, else of this one.
  void add_to_domain(const queried_gpu& gpu, topology::node_index added) {
    const std::string state = snake_case(gpu.fabric_state);
    if (is_told(gpu.fabric_state)) tells_fabric_ = true;
    if (state != "completed" || gpu.fabric_status != "Success") return;
    const bool is_multi_node = is_told(gpu.cluster_uuid) && !is_zero(gpu.cluster_uuid) && is_told(gpu.clique_id);
    topology::node domain{.kind = topology::node_kind::nvswitch, .attributes = {{attribute::virtual_part, "1"}}};
    std::string uuid = gpu.cluster_uuid;
    for (char& c : uuid) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    domain.name = is_multi_node ? uuid + "." + gpu.clique_id : host_name_ + ":NVSwitch";
    domain.identities = {is_multi_node ? identity::clique(uuid, gpu.clique_id) : identity::nvswitches(host_name_)};
    // Sources that know no cliques call the same switches those of the host.
    if (is_multi_node && !into_.find(identity::nvswitches(host_name_)))
      domain.identities.push_back(identity::nvswitches(host_name_));
    const topology::node_index joined = into_.merge_node(std::move(domain));
    if (!is_multi_node) into_.contain(host_, joined);
    for (int link = 0; link < nvlinks_of_model(gpu.product).value_or(1); ++link)
      into_.add_edge({.a = added, .b = joined, .kind = topology::edge_kind::nvlink, .source = provenance::assumed});
  }

  const document& file_;
  const smi_query_document& all_;
  const std::string& host_name_;
  topology::graph into_;
  topology::node_index host_ = 0;
  bool is_complete_ = true;
  bool tells_fabric_ = false;
};

}  // namespace

topology::graph graph_of(const document& file, const smi_query_document& all, const std::string& host) {
  return builder(file, all, host).run();
}

}  // namespace hawser::discovery
