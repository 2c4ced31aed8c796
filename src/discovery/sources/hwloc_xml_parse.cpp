// hwloc XML: text to document. The grammar is that of hwloc/topology-xml.c.
#ifdef HAWSER_HAS_XML

#include "hwloc_xml_parse.hpp"

#include <array>
#include <cmath>
#include <unordered_map>

#include "../xml.hpp"

namespace hawser::discovery::hwloc {

namespace {

class parser {
 public:
  explicit parser(const discovery::document& file) : file_(file) { parse_xml(file, xml_); }

  void read_version() {
    const pugi::xml_node root = xml_.document_element();
    if (root.name() != std::string_view("topology"))
      fail_at(file_, root, "the outermost element must be <topology>, it is <" + shortened(root.name()) + ">");
    const std::string_view version = trimmed(text_of(root, "version"));
    if (version.empty()) {  // as hwloc 1 wrote
      read_.major = 1;
      return;
    }
    const auto parts = split(version, '.');
    const auto major = to_integer<int>(parts[0]);
    const auto minor = parts.size() > 1 ? to_integer<int>(parts[1]) : std::optional(0);
    if (!major || !minor || *major < 1)
      fail_at(file_, root, "version is \"" + shortened(version) + "\", not a version such as 2.0");
    read_.major = *major;
    read_.minor = *minor;
  }

  document run() {
    read_version();
    const pugi::xml_node root = xml_.document_element();
    if (read_.major > 3) fail_at(file_, root, "version " + std::to_string(read_.major) + " is not one that is known");
    for (const pugi::xml_node& each : root.children("object")) read_object(each, std::nullopt);
    if (read_.objects.empty()) fail_at(file_, root, "there is no <object> in it");
    for (std::size_t at = 0; at < read_.objects.size(); ++at) index(at);
    for (const pugi::xml_node& each : root.children()) {
      const std::string_view name = each.name();
      if (name == "distances2" || name == "distances2hetero") read_matrix(each);
    }
    return std::move(read_);
  }

 private:
  template <typename Number>
  std::optional<Number> number(const pugi::xml_node& element, const char* name) const {
    const std::string_view text = trimmed(text_of(element, name));
    if (text.empty()) return std::nullopt;
    const auto value = to_integer<Number>(text);
    if (!value) fail_at(file_, element, std::string(name) + " is \"" + shortened(text) + "\", not a number");
    return value;
  }

  void read_object(const pugi::xml_node& element, std::optional<std::size_t> parent) {
    const std::size_t here = read_.objects.size();
    if (here == max_objects) fail_at(file_, element, "more than " + std::to_string(max_objects) + " objects");
    object now;
    now.parent = parent;
    now.type = trimmed(text_of(element, "type"));
    if (now.type.empty()) fail_at(file_, element, "type is missing");
    if (now.type == "Socket") now.type = "Package";  // until hwloc 1.10
    // -1 as unsigned is how hwloc writes "unknown".
    if (const auto os_index = number<std::int64_t>(element, "os_index"); os_index && *os_index >= 0)
      if (*os_index <= INT32_MAX) now.os_index = static_cast<int>(*os_index);
    now.gp_index = number<std::uint64_t>(element, "gp_index").value_or(0);
    now.name = text_of(element, "name");
    now.subtype = text_of(element, "subtype");
    now.osdev_type = number<std::uint64_t>(element, "osdev_type").value_or(0);
    if (now.type == "OSDev") now.osdev = read_.major >= 3 ? now.osdev_type : osdev_of_version_2(now.osdev_type);
    read_pci(element, now);
    for (const pugi::xml_node& each : element.children("info"))
      now.info.emplace(each.attribute("name").value(), each.attribute("value").value());
    read_.objects.push_back(std::move(now));
    for (const pugi::xml_node& each : element.children("object")) read_object(each, here);
  }

  // pci_type="0302 [10de:1db8] [10de:131d] a1 00": class, vendor and device, those of the subsystem, revision.
  void read_pci(const pugi::xml_node& element, object& now) const {
    const std::string_view id = trimmed(text_of(element, "pci_busid"));
    if (id.empty()) return;
    now.pci = topology::parse_bus_id(id);
    if (!now.pci) fail_at(file_, element, "pci_busid is \"" + shortened(id) + "\", not a PCI bus id");
    const std::string_view type = text_of(element, "pci_type");
    const auto parts = words(type);
    if (parts.size() < 2 || parts[0].size() < 4 || parts[1].size() != 11)
      fail_at(file_, element, "pci_type is \"" + shortened(type) + "\", not like 0302 [10de:1db8] ...");
    now.pci_class = parts[0].substr(0, 4);
    now.pci_vendor = parts[1].substr(1, 4);
    now.pci_device = parts[1].substr(6, 4);
    const std::string_view speed = trimmed(text_of(element, "pci_link_speed"));
    if (speed.empty()) return;
    const auto value = to_number(speed);
    if (!value || *value < 0 || *value > 1e6)
      fail_at(file_, element, "pci_link_speed is \"" + shortened(speed) + "\", not a number of GB/s");
    now.link_gigabytes = *value;
  }

  void index(std::size_t at) {
    const object& each = read_.objects[at];
    by_gp_.emplace(each.type + ":" + std::to_string(each.gp_index), at);
    if (each.os_index) by_os_.emplace(each.type + ":" + std::to_string(*each.os_index), at);
  }

  void read_matrix(const pugi::xml_node& element) {
    matrix now;
    now.element = element.name();
    now.name = text_of(element, "name");
    const auto size = number<std::uint64_t>(element, "nbobjs").value_or(0);
    if (size == 0 || size > 2000) fail_at(file_, element, "nbobjs must be from 1 to 2000");
    for (const pugi::xml_node& each : element.children("indexes"))
      for (std::string_view word : words(each.text().get())) now.indexes.emplace_back(word);
    for (const pugi::xml_node& each : element.children("u64values"))
      for (std::string_view word : words(each.text().get())) {
        const auto value = to_integer<std::uint64_t>(word);
        if (!value) fail_at(file_, each, "\"" + shortened(word) + "\" is not a number");
        if (++values_ > max_values) fail_at(file_, each, "more than " + std::to_string(max_values) + " values");
        now.values.push_back(*value);
      }
    if (now.indexes.size() != size || now.values.size() != size * size)
      fail_at(file_, element,
              "nbobjs is " + std::to_string(size) + ", but there are " + std::to_string(now.indexes.size()) +
                  " indexes and " + std::to_string(now.values.size()) + " values");
    const bool is_hetero = now.element == "distances2hetero";
    const bool by_os = !is_hetero && text_of(element, "indexing") == "os";
    const std::string type = is_hetero ? "" : std::string(text_of(element, "type")) + ":";
    const auto& table = by_os ? by_os_ : by_gp_;
    for (const std::string& each : now.indexes) {
      const auto found = table.find(type + each);
      now.objects.push_back(found == table.end() ? std::nullopt : std::optional(found->second));
    }
    read_.matrices.push_back(std::move(now));
  }

  const discovery::document& file_;
  pugi::xml_document xml_;
  document read_;
  std::unordered_map<std::string, std::size_t> by_gp_, by_os_;
  std::size_t values_ = 0;
};

}  // namespace

std::uint64_t osdev_of_version_2(std::uint64_t type) {
  constexpr std::array<std::uint64_t, 6> bits = {storage, gpu, network, openfabrics | network, dma, coprocessor | gpu};
  return type < bits.size() ? bits[type] : 0;
}

document parse(const discovery::document& file) {
  return parser(file).run();
}

}  // namespace hawser::discovery::hwloc

#endif
