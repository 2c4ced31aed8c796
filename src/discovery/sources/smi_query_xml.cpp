// nvidia-smi -q -x: the GPUs of one host and the state of their NVLink fabric, as XML.
#include "smi_query_xml_parse.hpp"

#include <string>

#include "sources.hpp"
#include "xml_sniff.hpp"

#ifdef HAWSER_HAS_XML
#include "../xml.hpp"
#endif

namespace hawser::discovery {

#ifdef HAWSER_HAS_XML
namespace {

std::string value_at(const pugi::xml_node& element, const char* path) {
  return std::string(trimmed(element.first_element_by_path(path).child_value()));
}

void read_pairs(const pugi::xml_node& section, std::map<std::string, std::string>& into) {
  constexpr std::size_t most_values = 32;
  for (const pugi::xml_node& each : section.children())
    if (each.type() == pugi::node_element && into.size() < most_values)
      into.emplace(snake_case(each.name()), std::string(trimmed(each.child_value())));
}

// A GPU that was lost says so in place of every value that had to be asked for.
bool has_lost_value(const pugi::xml_node& gpu) {
  const auto is_lost = [](const pugi::xml_node& each) {
    const std::string_view value = trimmed(each.value());
    return value == "GPU is lost" || value == "[GPU is lost]";
  };
  return static_cast<bool>(gpu.find_node(is_lost));
}

queried_gpu gpu_of(const pugi::xml_node& element) {
  queried_gpu gpu;
  gpu.bus_id = value_at(element, "pci/pci_bus_id");
  if (gpu.bus_id.empty() || says_lost(gpu.bus_id)) gpu.bus_id = text_of(element, "id");
  gpu.product = value_at(element, "product_name");
  gpu.uuid = value_at(element, "uuid");
  gpu.minor = value_at(element, "minor_number");
  gpu.mig = value_at(element, "mig_mode/current_mig");
  gpu.c2c = value_at(element, "c2c_mode");
  gpu.performance = value_at(element, "performance_state");
  gpu.generation = value_at(element, "pci/pci_gpu_link_info/pcie_gen/current_link_gen");
  gpu.max_generation = value_at(element, "pci/pci_gpu_link_info/pcie_gen/max_link_gen");
  gpu.width = value_at(element, "pci/pci_gpu_link_info/link_widths/current_link_width");
  gpu.max_width = value_at(element, "pci/pci_gpu_link_info/link_widths/max_link_width");
  gpu.fabric_state = value_at(element, "fabric/state");
  gpu.fabric_status = value_at(element, "fabric/status");
  gpu.clique_id = value_at(element, "fabric/cliqueId");
  gpu.cluster_uuid = value_at(element, "fabric/clusterUuid");
  read_pairs(element.child("fabric").child("health"), gpu.fabric_health);
  read_pairs(element.child("platformInfo"), gpu.platform);
  if (has_lost_value(element)) gpu.lost = "GPU is lost";
  find_loss(gpu);
  return gpu;
}

}  // namespace

smi_query_document parse_smi_query_xml(const document& file) {
  pugi::xml_document parsed;
  parse_xml(file, parsed);
  const pugi::xml_node root = parsed.document_element();
  if (std::string_view(root.name()) != "nvidia_smi_log")
    fail_at(file, root, "the root is not nvidia_smi_log", "give what nvidia-smi -q -x printed");
  smi_query_document all{value_at(root, "driver_version"), value_at(root, "attached_gpus"), {}};
  for (const pugi::xml_node& each : root.children("gpu")) {
    if (all.gpus.size() == max_queried_gpus)
      fail_in(file, "line " + std::to_string(line_of(file, each)),
              "more than " + std::to_string(max_queried_gpus) + " GPUs");
    all.gpus.push_back(gpu_of(each));
  }
  if (all.gpus.empty() && all.attached_gpus != "0")
    fail_at(file, root, "it has no gpu element", "give the whole text that nvidia-smi -q -x printed");
  return all;
}
#else
smi_query_document parse_smi_query_xml(const document& file) {
  fail(errc::unsupported, "cannot read \"" + std::string(file.name) + "\"",
       "this hawser was built without an XML parser",
       "install pugixml (Debian: libpugixml-dev) and build hawser again");
}
#endif

namespace {

// The line with the command may stand before the text.
bool recognises(const document& file) {
  const std::size_t start = file.text.substr(0, 4096).find('<');
  return start != std::string_view::npos && element_names(file.text.substr(start)).next() == "nvidia_smi_log";
}

topology::graph read(const document& file, const read_options& options) {
  return graph_of(file, parse_smi_query_xml(file), options.host);
}

}  // namespace

const file_source smi_query_xml{"smi-q-xml", "nvidia-smi -q -x", max_markup_bytes, recognises, read};

}  // namespace hawser::discovery
