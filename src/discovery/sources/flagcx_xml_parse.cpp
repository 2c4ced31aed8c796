// FlagCX's XML: text to document. The grammar is that of flagcx/core/topo.cc (parseInterServerRouteFile).
#ifdef HAWSER_HAS_XML

#include "flagcx_xml_parse.hpp"

#include "../xml.hpp"

namespace hawser::discovery::flagcx {

namespace {

class parser {
 public:
  explicit parser(const discovery::document& file) : file_(file) { parse_xml(file, xml_); }

  document run() {
    const pugi::xml_node root = xml_.document_element();
    read_.root = root.name();
    if (read_.root == "system")
      read_gpus(root);
    else if (read_.root == "interserver_route")
      read_routes(root);
    else
      fail_at(file_, root, "the outermost element must be <system> or <interserver_route>");
    return std::move(read_);
  }

 private:
  std::string_view required(const pugi::xml_node& element, const char* name) const {
    const std::string_view text = trimmed(text_of(element, name));
    if (text.empty()) fail_at(file_, element, std::string(name) + " is missing");
    return text;
  }
  int number(const pugi::xml_node& element, const char* name, int most) const {
    const std::string_view text = required(element, name);
    const auto value = to_integer<int>(text);
    if (!value || *value < 0 || *value > most)
      fail_at(
          file_, element,
          std::string(name) + " is \"" + shortened(text) + "\", not a whole number from 0 to " + std::to_string(most));
    return *value;
  }
  double rate(const pugi::xml_node& element, const char* name) const {
    const std::string_view text = required(element, name);
    const auto value = to_number(text);
    constexpr double most = 1e6;  // GB/s
    if (!value || *value < 0 || *value > most)
      fail_at(file_, element, std::string(name) + " is \"" + shortened(text) + "\", not a number of GB/s");
    return *value;
  }
  void count(const pugi::xml_node& element) {
    if (++items_ > max_items) fail_at(file_, element, "more than " + std::to_string(max_items) + " elements");
  }

  void read_gpus(const pugi::xml_node& root) {
    for (const pugi::xml_node& each : root.children("gpu")) {
      count(each);
      read_.gpus.push_back({number(each, "dev", INT32_MAX), std::string(trimmed(text_of(each, "net")))});
    }
    if (read_.gpus.empty()) fail_at(file_, root, "there is no <gpu> in it");
  }

  void read_routes(const pugi::xml_node& root) {
    const pugi::xml_node pairs = root.child("nic_pairs");
    if (!pairs) fail_at(file_, root, "there is no <nic_pairs> in it");
    for (const pugi::xml_node& pair : pairs.children("pair")) {
      route now;
      now.from = guid(pair, "nic1");
      now.to = guid(pair, "nic2");
      const pugi::xml_node switches = pair.child("interSwitch");
      if (!switches) fail_at(file_, pair, "there is no <interSwitch> in it");
      for (const pugi::xml_node& each : switches.children("switch")) now.hops.push_back(read_hop(each));
      if (now.hops.size() > max_hops) fail_at(file_, switches, "more than " + std::to_string(max_hops) + " switches");
      const auto said = static_cast<std::size_t>(number(switches, "count", INT32_MAX));
      if (said != now.hops.size())
        fail_at(
            file_, switches,
            "count is " + std::to_string(said) + ", but there are " + std::to_string(now.hops.size()) + " switches");
      read_.routes.push_back(std::move(now));
    }
  }
  std::string guid(const pugi::xml_node& pair, const char* nic) const {
    const pugi::xml_node element = pair.child(nic);
    if (!element) fail_at(file_, pair, "there is no <" + std::string(nic) + "> in it");
    std::string_view text = required(element, "guid");
    std::string whole(text);
    if (text.starts_with("0x")) text.remove_prefix(2);
    if (!to_integer<std::uint64_t>(text, 16)) fail_at(file_, element, "guid is \"" + shortened(whole) + "\"");
    return whole;
  }
  hop read_hop(const pugi::xml_node& each) {
    count(each);
    return {rate(each, "downBw"), rate(each, "upBw"), number(each, "upLink", max_links),
            number(each, "downLink", max_links), number(each, "isTop", 1) == 1};
  }

  const discovery::document& file_;
  pugi::xml_document xml_;
  document read_;
  std::size_t items_ = 0;
};

}  // namespace

document parse(const discovery::document& file) {
  return parser(file).run();
}

}  // namespace hawser::discovery::flagcx

#endif
