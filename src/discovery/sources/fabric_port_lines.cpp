// Parser of ibnetdiscover -p (format: infiniband-diags/ibnetdiscover.c, dump_ports_report).
#include <optional>
#include <utility>

#include "../text.hpp"
#include "fabric_cursor.hpp"
#include "fabric_lines.hpp"
#include "fabric_names.hpp"

namespace hawser::discovery::fabric {

using topology::severity;

namespace {

constexpr std::size_t looked_at = 8192;  // bytes of a file, to recognise it

std::optional<device_kind> kind_of_word(std::string_view word) {
  if (word == "SW") return device_kind::network_switch;
  if (word == "CA") return device_kind::adapter;
  if (word == "RT") return device_kind::router;
  if (word == "??") return device_kind::unknown;
  return std::nullopt;
}

/// CA   134  1 0x7cfe9003003b4bde
struct port_words {
  device_kind kind = device_kind::unknown;
  std::uint32_t number = 0;
  std::uint64_t guid = 0;
};

std::optional<port_words> take_port(cursor& at) {
  at.skip_blanks();
  const auto kind = kind_of_word(at.word());
  if (!kind) return std::nullopt;
  at.skip_blanks();
  const auto lid = at.number();
  at.skip_blanks();
  const auto number = at.number();
  at.skip_blanks();
  const std::string_view guid = at.word();
  if (!lid || !number || !guid.starts_with("0x") || parse_guid(guid) == 0) return std::nullopt;
  return port_words{*kind, *number, parse_guid(guid)};
}

class port_line_parser {
 public:
  explicit port_line_parser(const document& file) : file_(file), lines_(file.text) {}

  model run() {
    while (lines_.next()) parse_line(lines_.line());
    if (network_.devices.empty()) fail_in(file_, {}, "it holds no line of a port");
    if (ignored_ > 0)
      network_.remarks.add({severity::info, "line-ignored", std::string(file_.name),
                            std::to_string(ignored_) + " lines are no part of a fabric; the first is line " +
                                std::to_string(first_ignored_)});
    return std::move(network_);
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    fail_at_line(file_, lines_.number(), reason, "as in: CA 134 1 0x7cfe9003003b4bde 4x EDR - SW ...");
  }

  void parse_line(std::string_view line) {
    cursor at(line);
    at.skip_blanks();
    if (at.rest().empty() || at.front() == '#') return;
    const std::string_view first = cursor(at).word();
    if (!kind_of_word(first)) {
      if (ignored_++ == 0) first_ignored_ = lines_.number();
      return;
    }
    const auto here = take_port(at);
    if (!here) fail("the port's LID, number and GUID are expected after \"" + shortened(first) + "\"");
    at.skip_blanks();
    link_speed speed;
    const std::string_view width = at.word();
    at.skip_blanks();
    const std::string_view generation = at.word();
    speed = {parse_lanes(width), speed_of_name(generation)};
    if (width.empty() || generation.empty()) fail("the line ends before width and speed");
    at.skip_blanks();
    if (at.front() == '-')
      add_cable(*here, speed, at);
    else
      add_down_port(*here, trimmed(at.rest()));
    check_size(file_, lines_.number(), network_);
  }

  void add_cable(const port_words& here, link_speed speed, cursor at) {
    at.word();
    const auto there = take_port(at);
    if (!there) fail("the far end's LID, number and GUID are expected after \"-\"");
    const auto [name, far_name] = names(trimmed(at.rest()));
    const std::size_t a = device_of(here, name), b = device_of(*there, far_name);
    network_.devices[a].is_described = true;
    network_.ends.push_back({{a, here.number}, {b, there->number}, speed, {}});
  }

  // ( 'node01 HCA-1' - 'leaf1' )
  std::pair<std::string_view, std::string_view> names(std::string_view text) const {
    constexpr std::string_view open = "( '", between = "' - '", close = "' )";
    const std::size_t middle = text.find(between);
    if (!text.starts_with(open) || !text.ends_with(close) || middle == std::string_view::npos)
      fail("the names of both ends are expected, as in ( 'node01 HCA-1' - 'leaf1' )");
    text.remove_suffix(close.size());
    const std::size_t second = middle + between.size();
    return {text.substr(open.size(), middle - open.size()), text.substr(std::min(second, text.size()))};
  }

  void add_down_port(const port_words& here, std::string_view name) {
    if (name.size() >= 2 && name.front() == '\'' && name.back() == '\'')
      name = name.substr(1, name.size() - 2);
    else if (name.starts_with('\'') || name.starts_with('('))
      fail("the name is not closed");
    else if (!name.empty())
      network_.remarks.add(
          {severity::info, "unquoted-name", printable(shortened(name)),
           "line " + std::to_string(lines_.number()) + " has no quotes: the rest of the line is taken as the name"});
    device& part = network_.devices[device_of(here, name)];
    part.is_described = true;
    ++part.down_ports;
  }

  std::size_t device_of(const port_words& end, std::string_view name) {
    if (end.kind == device_kind::network_switch)
      return network_.of_id("S" + guid_text(end.guid), end.kind, name, end.guid);
    const std::size_t found = network_.of_id(adapter_id(end.guid, end.number, name), end.kind, name);
    network_.add_port_guid(found, end.guid);
    return found;
  }

  const document& file_;
  line_reader lines_;
  model network_;
  std::size_t ignored_ = 0, first_ignored_ = 0;
};

}  // namespace

bool has_port_line(std::string_view text) {
  for (line_reader lines(text.substr(0, looked_at)); lines.next();) {
    cursor at(lines.line());
    if (take_port(at)) return true;
  }
  return false;
}

model parse_port_lines(const document& file) {
  return port_line_parser(file).run();
}

}  // namespace hawser::discovery::fabric
