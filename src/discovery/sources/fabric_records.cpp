// Parser of ibnetdiscover's and ibsim's records (formats: infiniband-diags/ibnetdiscover.c, ibsim/sim_net.c).
#include "fabric_records.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "../text.hpp"
#include "fabric_cursor.hpp"
#include "fabric_names.hpp"

namespace hawser::discovery::fabric {

using topology::severity;

namespace {

constexpr std::size_t looked_at = 16384;  // bytes of a file, to recognise it

/// "Switch", "Ca", "Hca" or "Rt", then the number of ports and the quoted id.
struct header {
  device_kind kind = device_kind::unknown;
  std::uint32_t ports = 0;
  std::string_view id;
  std::string_view rest;
};

std::optional<device_kind> kind_of_word(std::string_view word) {
  if (word == "Switch") return device_kind::network_switch;
  if (word == "Ca" || word == "Hca") return device_kind::adapter;
  if (word == "Rt") return device_kind::router;
  return std::nullopt;
}

// Nothing where the line is no header; a header without id where it is a malformed one.
std::optional<header> parse_header(std::string_view line) {
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  const auto kind = kind_of_word(word);
  if (!kind) return std::nullopt;
  cursor at(line.substr(word.size()));
  at.skip_blanks();
  const auto ports = at.number();
  if (!ports && at.front() == ':') return std::nullopt;  // "Switch : 0x...": a list of nodes
  at.skip_blanks();
  const auto id = at.quoted();
  if (!ports || !id || id->empty()) return header{*kind, 0, {}, {}};
  return header{*kind, *ports, *id, at.rest()};
}

/// The text between the first quote and the last, and what follows: descriptions may contain quotes.
struct comment {
  std::optional<std::string_view> quoted;
  std::string_view after;
  bool is_open = false;  // the quote is not closed
};
comment parse_comment(std::string_view text) {
  const std::size_t first = text.find('"'), last = text.rfind('"');
  if (first == std::string_view::npos) return {std::nullopt, text, false};
  if (first == last) return {std::nullopt, {}, true};
  return {text.substr(first + 1, last - first - 1), text.substr(last + 1), false};
}

// S-0008f10400410015, H-..., R-..., or the number itself.
std::uint64_t guid_of_id(std::string_view id) {
  if (id.size() == 18 && id[1] == '-') return parse_guid(id.substr(2));
  return id.starts_with("0x") ? parse_guid(id) : 0;
}
device_kind kind_of_id(std::string_view id) {
  if (id.size() < 3 || id[1] != '-') return device_kind::unknown;
  return id[0] == 'S'   ? device_kind::network_switch
         : id[0] == 'H' ? device_kind::adapter
         : id[0] == 'R' ? device_kind::router
                        : device_kind::unknown;
}

/// [1](8f10403961355) "S-0008f10400410015"[6] # lid 16 lmc 1 "description" lid 3 4xSDR
struct port_line {
  std::uint32_t port = 0;
  std::uint64_t port_guid = 0;
  std::string_view id;
  std::optional<std::uint32_t> far_port;
  std::uint64_t far_port_guid = 0;
  std::string_view options;  // before the comment: w=12 s=4
  std::string_view remark;   // after the '#'
};

class record_parser {
 public:
  record_parser(const document& file, record_style style) : file_(file), lines_(file.text), style_(style) {}

  model run() {
    while (lines_.next()) parse_line(lines_.line());
    if (records_ == 0) fail_in(file_, {}, "it holds no switch and no channel adapter");
    if (switches_ == 0 && network_.ends.empty())
      fail_in(file_, {}, "it holds no switch and no link", "the discovery was cut short; run it again");
    resolve_unknown();
    if (ignored_ > 0)
      network_.remarks.add({severity::info, "line-ignored", std::string(file_.name),
                            std::to_string(ignored_) + " lines are no part of a fabric; the first is line " +
                                std::to_string(first_ignored_)});
    return std::move(network_);
  }

 private:
  [[noreturn]] void fail(std::string_view reason, std::string_view suggestion = {}) const {
    fail_at_line(file_, lines_.number(), reason, suggestion);
  }

  void parse_line(std::string_view line) {
    if (line.starts_with('[')) return parse_port(line);
    if (line.starts_with('#') || trimmed(line).empty()) return;
    if (const auto found = parse_header(line)) return begin_record(*found);
    parse_setting(line);
  }

  void begin_record(const header& found) {
    if (found.id.empty())
      fail("a record needs the number of ports and an id in quotes", "as in: Switch 36 \"S-0002...\"");
    ++records_;
    switches_ += found.kind == device_kind::network_switch ? 1 : 0;
    const comment said = parse_comment(found.rest);
    if (said.is_open) fail("the description is not closed", "the line was cut");
    std::string_view description = said.quoted.value_or(std::string_view());
    if (description.empty()) description = unquoted_description(found.rest);
    if (description.empty() && style_ == record_style::ibsim) description = found.id;  // as ibsim itself does
    const std::uint64_t guid = guid_of_id(found.id);
    current_ = network_.of_id(prefixed(found.id), found.kind, description, guid != 0 ? guid : guid_before_);
    guid_before_ = 0;
    device& part = network_.devices[*current_];
    if (part.kind != found.kind) fail("\"" + shortened(found.id) + "\" is of two kinds");
    if (!description.empty()) part.description = std::string(description);
    part.is_described = true;
    part.ports = found.ports;
    check_size(file_, lines_.number(), network_);
  }

  // Some files have no quotes: # leaf1 enhanced port 0 lid 3
  static std::string_view unquoted_description(std::string_view rest) {
    const std::size_t start = rest.find('#');
    if (start == std::string_view::npos) return {};
    std::string_view text = rest.substr(start + 1);
    for (const std::string_view end : {" enhanced port ", " base port ", " lid ", " lmc "})
      text = text.substr(0, text.find(end));
    return trimmed(text);
  }

  void parse_port(std::string_view line) {
    if (!current_) fail("a port stands outside of a record", "the record's first line is missing");
    const port_line said = split_port(line);
    if (said.id.find('@') != std::string_view::npos) return ignore();  // ibsim's aliases of ports
    const device& part = network_.devices[*current_];
    if (said.port > part.ports)
      network_.remarks.add({severity::warning, "port-out-of-range", printable(part.id),
                            "port " + std::to_string(said.port) + " of a device with " + std::to_string(part.ports)});
    const comment remark = parse_comment(said.remark);
    if (remark.is_open) fail("the description is not closed", "the line was cut");
    const std::size_t far =
        network_.of_id(prefixed(said.id), kind_of_id(said.id), remark.quoted.value_or(""), guid_of_id(said.id));
    network_.add_port_guid(*current_, said.port_guid);
    network_.add_port_guid(far, said.far_port_guid);
    cable_end end{{*current_, said.port}, {far, said.far_port.value_or(1)}, speed_of(remark.after), {}};
    if (end.speed.lanes == 0 && style_ == record_style::ibsim) end.speed = enabled_speed(said.options);
    network_.ends.push_back(end);
    check_size(file_, lines_.number(), network_);
  }

  port_line split_port(std::string_view line) const {
    port_line said;
    cursor at(line);
    const auto number = at.bracketed();
    if (!number) fail("a line that begins with '[' needs the number of a port", "as in: [1] \"S-0002...\"[5]");
    said.port = *number;
    at.skip_extended_port();
    said.port_guid = parse_guid(at.parenthesised());
    at.skip_blanks();
    const auto id = at.quoted();
    if (!id || id->empty()) fail("the port does not say what it is cabled to", "an id in quotes is expected");
    said.id = *id;
    at.skip_blanks();
    if (at.front() == '[' && !(said.far_port = at.bracketed())) fail("the far end's port is no number in brackets");
    if (!said.far_port && style_ == record_style::ibnetdiscover) fail("the far end's port is missing");
    at.skip_extended_port();
    at.skip_blanks();
    said.far_port_guid = parse_guid(at.parenthesised());
    const std::string_view rest = at.rest();
    const std::size_t hash = rest.find('#');
    said.options = rest.substr(0, hash);
    if (hash != std::string_view::npos) said.remark = rest.substr(hash + 1);
    return said;
  }

  // "lid 3 4xHDR s=4 w=2": the word after the far end's LID.
  static link_speed speed_of(std::string_view text) {
    const std::vector<std::string_view> parts = words(text.substr(0, 256));
    for (std::size_t each = 0; each + 2 < parts.size(); ++each)
      if (parts[each] == "lid") return parse_link_speed(parts[each + 2]);
    return {};
  }

  // ibsim's masks of what is enabled: the widest and fastest is what comes up.
  static link_speed enabled_speed(std::string_view options) {
    link_speed most;
    const auto value = [](std::string_view word) { return to_integer<unsigned>(word.substr(2)).value_or(0); };
    unsigned speed = 0, extended = 0;
    for (std::string_view word : words(options.substr(0, 256))) {
      if (word.starts_with("w=")) most.lanes = lanes_of_mask(value(word));
      if (word.starts_with("s=")) speed = value(word);
      if (word.starts_with("e=")) extended = value(word);
    }
    constexpr std::array<std::pair<unsigned, std::string_view>, 4> extended_names = {
        {{8, "NDR"}, {4, "HDR"}, {2, "EDR"}, {1, "FDR"}}};
    constexpr std::array<std::pair<unsigned, std::string_view>, 3> names = {{{4, "QDR"}, {2, "DDR"}, {1, "SDR"}}};
    for (const auto& [bit, name] : names)
      if (most.each == nullptr && (speed & bit) != 0) most.each = speed_of_name(name);
    const lane_speed* faster = nullptr;
    for (const auto& [bit, name] : extended_names)
      if (faster == nullptr && (extended & bit) != 0) faster = speed_of_name(name);
    if (faster) most.each = faster;
    return most;
  }

  void parse_setting(std::string_view line) {
    const std::string_view key = line.substr(0, line.find_first_of("= \t+"));
    constexpr std::array<std::string_view, 17> known = {
        "vendid", "devid",   "sysimgguid",  "hcaguids",  "switchguids", "rtguids",  "width", "speed",    "extspeed",
        "pdebug", "Chassis", "Non-Chassis", "Hostname:", "DR",          "numports", "do",    "Initiated"};
    if (key == "switchguid" || key == "caguid" || key == "rtguid") {
      const std::string_view value = line.substr(std::min(line.size(), key.size() + 1));
      guid_before_ = style_ == record_style::ibnetdiscover ? parse_guid(value.substr(0, value.find('('))) : 0;
    } else if (key == "module") {
      const comment name = parse_comment(line);
      prefix_ = name.quoted ? std::string(*name.quoted) + "#" : std::string();
    } else if (key == "include") {
      network_.remarks.add({severity::warning, "include-ignored", std::string(file_.name),
                            "line " + std::to_string(lines_.number()) +
                                " includes another file, which is not read: what it holds is missing"});
    } else if (std::find(known.begin(), known.end(), key) == known.end()) {
      ignore();
    }
  }

  void ignore() {
    if (ignored_++ == 0) first_ignored_ = lines_.number();
  }

  std::string prefixed(std::string_view id) const {
    return id.find('#') == std::string_view::npos ? prefix_ + std::string(id) : std::string(id);
  }

  // A far end without a record, whose id does not say its kind: with several ports it is a switch.
  void resolve_unknown() {
    std::vector<bool> is_wide(network_.devices.size(), false);
    for (const cable_end& each : network_.ends)
      is_wide[each.there.device] = is_wide[each.there.device] || each.there.number > 2;
    for (std::size_t each = 0; each < network_.devices.size(); ++each) {
      device& part = network_.devices[each];
      if (part.kind != device_kind::unknown) continue;
      const bool names_host = !parse_adapter_name(part.description).device.empty();
      part.kind = is_wide[each] && !names_host ? device_kind::network_switch : device_kind::adapter;
    }
  }

  const document& file_;
  line_reader lines_;
  record_style style_;
  model network_;
  std::optional<std::size_t> current_;
  std::uint64_t guid_before_ = 0;  // of the line before a record
  std::string prefix_;             // ibsim's module
  std::size_t records_ = 0, switches_ = 0, ignored_ = 0, first_ignored_ = 0;
};

}  // namespace

record_style style_of_records(std::string_view text) {
  line_reader lines(text.substr(0, looked_at));
  for (bool is_tool_output = false; lines.next();) {
    const std::string_view line = lines.line();
    if (line.starts_with("# Topology file: generated")) is_tool_output = true;
    for (const std::string_view key : {"switchguid=0x", "caguid=0x", "rtguid=0x"})
      is_tool_output = is_tool_output || line.starts_with(key);
    const auto found = parse_header(line);
    if (!found || found->id.empty()) continue;
    if (line.starts_with("Hca")) return record_style::ibsim;
    const bool has_description = found->rest.find('#') != std::string_view::npos;
    if (is_tool_output || has_description || guid_of_id(found->id) != 0) return record_style::ibnetdiscover;
    return record_style::ibsim;
  }
  return record_style::none;
}

model parse_records(const document& file, record_style style) {
  return record_parser(file, style).run();
}

}  // namespace hawser::discovery::fabric
