// NCCL topology XML: text to document. The grammar is that of NCCL's src/graph/xml.cc and RCCL's, with FlagCX's <apu>.
#ifdef HAWSER_HAS_XML

#include "nccl_xml_parse.hpp"

#include <cctype>

#include "../xml.hpp"

namespace hawser::discovery::nccl {

namespace {

attributes all_of(const pugi::xml_node& element) {
  attributes given;
  for (const pugi::xml_attribute& each : element.attributes()) given.emplace(each.name(), each.value());
  return given;
}

class parser {
 public:
  explicit parser(const discovery::document& file) : file_(file) { parse_xml(file, xml_); }

  document run() {
    for (const pugi::xml_node& root : xml_.children()) {
      if (root.type() != pugi::node_element) continue;
      if (root.name() != std::string_view("system"))
        refuse(root, "the outermost element must be <system>, it is <" + shortened(root.name()) + ">");
      read_system(root);
    }
    if (read_.cpus.empty()) refuse(xml_.document_element(), "there is no <cpu> in it");
    return std::move(read_);
  }

 private:
  [[noreturn]] void refuse(const pugi::xml_node& element, std::string_view reason,
                           std::string_view suggestion = {}) const {
    fail_at(file_, element, reason, suggestion);
  }

  std::optional<std::int64_t> number(const pugi::xml_node& element, const char* name, std::int64_t low,
                                     std::int64_t high) const {
    const std::string_view text = trimmed(text_of(element, name));
    if (text.empty()) return std::nullopt;
    const auto value = to_integer<std::int64_t>(text);
    if (!value || *value < low || *value > high)
      refuse(element, std::string(name) + " is \"" + shortened(text) + "\", not a whole number from " +
                          std::to_string(low) + " to " + std::to_string(high));
    return value;
  }
  std::optional<int> small_number(const pugi::xml_node& element, const char* name, int low) const {
    const auto value = number(element, name, low, INT32_MAX);
    return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
  }

  void count(const pugi::xml_node& element) {
    if (++elements_ > max_elements)
      refuse(element, "more than " + std::to_string(max_elements) + " elements", "a dump of one rank has at most 256");
  }
  void unknown(const pugi::xml_node& element) {
    constexpr std::size_t most = 16;  // names that a message can show
    if (element.type() != pugi::node_element) return;
    const std::string name = shortened(element.name());
    if (read_.unknown_elements.size() < most || read_.unknown_elements.contains(name)) ++read_.unknown_elements[name];
  }

  void read_system(const pugi::xml_node& element) {
    if (const auto version = small_number(element, "version", 0)) read_.version = *version;
    for (const pugi::xml_node& each : element.children())
      if (each.name() == std::string_view("cpu"))
        read_cpu(each);
      else
        unknown(each);
  }

  void read_cpu(const pugi::xml_node& element) {
    count(element);
    cpu now{std::string(trimmed(text_of(element, "host_hash"))), small_number(element, "numaid", -1), all_of(element)};
    read_.cpus.push_back(std::move(now));
    for (const pugi::xml_node& each : element.children()) {
      const std::string_view name = each.name();
      if (name == "pci")
        read_pci(each, std::nullopt);
      else if (name == "nic")
        read_hostless_nic(each);
      else
        unknown(each);
    }
  }

  void read_hostless_nic(const pugi::xml_node& element) {
    device now;
    now.cpu = read_.cpus.size() - 1;
    read_nets(element, now);
    if (!now.nets.empty()) read_.devices.push_back(std::move(now));
  }

  void read_pci(const pugi::xml_node& element, std::optional<std::size_t> parent) {
    count(element);
    const std::size_t index = read_.devices.size();
    device now;
    now.cpu = read_.cpus.size() - 1;
    now.parent = parent;
    now.given = all_of(element);
    const std::string_view id = text_of(element, "busid");
    now.id = topology::parse_bus_id(trimmed(id));
    if (!now.id) refuse(element, "busid is \"" + shortened(id) + "\", not a PCI bus id such as 0000:1b:00.0");
    now.has_devices = static_cast<bool>(element.child("pci"));
    for (const pugi::xml_node& each : element.children()) {
      const std::string_view name = each.name();
      if (name == "gpu" || name == "apu")
        now.gpus.push_back(read_gpu(each));
      else if (name == "nic")
        read_nets(each, now);
      else if (name == "pcilink")
        now.peers.emplace_back(text_of(each, "target"));
      else if (name != "pci")
        unknown(each);
    }
    read_.devices.push_back(std::move(now));
    for (const pugi::xml_node& each : element.children("pci")) read_pci(each, index);
  }

  void read_nets(const pugi::xml_node& nic, device& into) {
    for (const pugi::xml_node& each : nic.children()) {
      if (each.name() != std::string_view("net")) {
        unknown(each);
        continue;
      }
      count(each);
      net now;
      now.given = all_of(each);
      now.name = trimmed(text_of(each, "name"));
      if (now.name.empty()) now.name = "net" + std::string(trimmed(text_of(each, "dev")));
      // -1 is what some plugins say for unknown.
      const auto speed = number(each, "speed", INT32_MIN, std::int64_t{1} << 40);
      if (speed && *speed > 0) now.megabits_per_second = speed;
      into.nets.push_back(std::move(now));
    }
  }

  gpu read_gpu(const pugi::xml_node& element) {
    count(element);
    gpu now;
    now.given = all_of(element);
    now.dev = small_number(element, "dev", -1);
    if (now.dev == -1) now.dev.reset();
    now.sm = small_number(element, "sm", 0);
    for (const pugi::xml_node& each : element.children()) {
      const std::string_view name = each.name();
      if (name == "nvlink" || name == "xgmi") {
        if (link row = read_link(each); row.count > 0) now.links.push_back(std::move(row));
      } else if (name == "c2c") {
        count(each);
        const auto rate = number(each, "bw", 0, INT32_MAX);
        now.chip_links.push_back({rate.value_or(0), counted(each)});
      } else {
        unknown(each);
      }
    }
    return now;
  }

  link read_link(const pugi::xml_node& element) {
    count(element);
    const std::string_view target = trimmed(text_of(element, "target"));
    link row;
    row.is_xgmi = element.name() == std::string_view("xgmi");
    row.target_class = class_of(text_of(element, "tclass"));
    row.count = counted(element);
    // What NCCL writes for a device that a virtual machine hides: "fffffff:ff:ff.0", since 2.28 "fffffff:ffff:ff".
    if (target.starts_with("fffffff:")) return row;
    row.target = topology::parse_bus_id(target);
    if (!row.target) refuse(element, "target is \"" + shortened(target) + "\", not a PCI bus id such as 0000:1b:00.0");
    return row;
  }
  int counted(const pugi::xml_node& element) {
    const auto value = number(element, "count", 0, max_links);
    if (!value) refuse(element, "count is missing");
    all_links_ += static_cast<std::size_t>(*value);
    if (all_links_ > max_all_links) refuse(element, "more than " + std::to_string(max_all_links) + " links");
    return static_cast<int>(*value);
  }

  const discovery::document& file_;
  pugi::xml_document xml_;
  document read_;
  std::size_t elements_ = 0;
  std::size_t all_links_ = 0;
};

}  // namespace

std::string class_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::string digits(text);
  for (char& c : digits) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool is_hex = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  return is_hex && (digits.size() == 4 || digits.size() == 6) ? "0x" + digits : std::string();
}

device_kind kind_of(const device& each) {
  if (!each.gpus.empty()) return device_kind::gpu;
  if (!each.nets.empty()) return device_kind::nic;
  const auto found = each.given.find("class");
  const std::string type = found == each.given.end() ? std::string() : class_of(found->second);
  const auto is_any_of = [&](auto... classes) { return (type.starts_with(classes) || ...); };
  if (each.has_devices || is_any_of("0x0604", "0x0801")) return device_kind::bridge;
  if (is_any_of("0x03", "0x12")) return device_kind::gpu;
  if (is_any_of("0x02")) return device_kind::nic;
  if (is_any_of("0x0680")) return device_kind::nvswitch;
  // PCI code and ID assignment: storage, multimedia, memory, bridges, simple communication, system peripherals, input,
  // docking, serial buses (USB), wireless, satellite, encryption, signal processing. Not processors (0x0b) and 0xff:
  // accelerators call themselves so.
  const bool is_other =
      is_any_of("0x01", "0x04", "0x05", "0x06", "0x07", "0x08", "0x09", "0x0a", "0x0c", "0x0d", "0x0f", "0x10", "0x11");
  return is_other ? device_kind::other : device_kind::unknown;
}

document parse(const discovery::document& file) {
  return parser(file).run();
}

}  // namespace hawser::discovery::nccl

#endif
