// Parser of iblinkinfo, with and without -l (format: infiniband-diags/iblinkinfo.c, print_port).
#include <array>
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
constexpr std::string_view opens = "==(", arrow = "==>";

/// One end of a line, as far as it is told: GUIDs only with -l and of adapters, kinds only without -l.
struct line_end {
  device_kind kind = device_kind::unknown;
  std::uint64_t guid = 0;
  std::uint32_t lid = 0;
  std::uint32_t number = 0;
  std::string_view name;
};

struct link_line {
  line_end here;
  std::optional<line_end> there;
  link_speed speed;
  link_speed could;
};

std::uint64_t take_guid(cursor& at) {
  at.skip_blanks();
  return at.rest().starts_with("0x") ? parse_guid(at.word()) : 0;
}

// "4X 10.0 Gbps", "Could be 12X Could be 10.0 Gbps", "4X 10.0 Gbps (FDR10)"
link_speed speed_in(std::string_view text) {
  link_speed found;
  const std::vector<std::string_view> parts = words(text.substr(0, 256));
  for (std::size_t each = 0; each < parts.size(); ++each) {
    if (found.lanes == 0) found.lanes = parse_lanes(parts[each]);
    const auto gbit = to_number(parts[each]);
    if (gbit && each + 1 < parts.size() && parts[each + 1].starts_with("Gbps")) found.each = speed_of_signal(*gbit);
    if (parts[each].find("FDR10") != std::string_view::npos) found.each = speed_of_name("FDR10");
  }
  return found;
}

/// The first pass: lines with their headers' device.
class link_line_parser {
 public:
  explicit link_line_parser(const document& file) : file_(file), lines_(file.text) {}

  std::vector<link_line> run(notes& found) {
    while (lines_.next()) parse_line(lines_.line());
    if (all_.empty()) fail_in(file_, {}, "it holds no line of a link");
    if (ignored_ > 0)
      found.add({severity::info, "line-ignored", std::string(file_.name),
                 std::to_string(ignored_) + " lines are no part of a fabric; the first is line " +
                     std::to_string(first_ignored_)});
    return std::move(all_);
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    fail_at_line(file_, lines_.number(), reason,
                 "as in: 2 1[ ] ==( 4X 10.0 Gbps Active/ LinkUp)==> 3 1[ ] \"node01\" ( )");
  }

  void parse_line(std::string_view line) {
    const std::size_t open = line.find(opens);
    if (open != std::string_view::npos) return parse_link(line, open);
    const std::string_view text = trimmed(line);
    if (text.empty() || text.front() == '#' || begin_device(text)) return;
    if (ignored_++ == 0) first_ignored_ = lines_.number();
  }

  // "Switch: 0x0002c9020046c588 leaf1:", "CA: node01 HCA-1:"
  bool begin_device(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, device_kind>, 5> kinds = {
        {{"Switch:", device_kind::network_switch},
         {"Switch ", device_kind::network_switch},
         {"CA:", device_kind::adapter},
         {"Router:", device_kind::router},
         {"??:", device_kind::unknown}}};
    for (const auto& [word, kind] : kinds) {
      if (!text.starts_with(word)) continue;
      cursor at(text.substr(word.size()));
      context_ = {kind, take_guid(at), 0, 0, trimmed(at.rest())};
      if (context_.name.ends_with(':')) context_.name.remove_suffix(1);
      return true;
    }
    return false;
  }

  void parse_link(std::string_view line, std::size_t open) {
    const std::size_t end = line.find(arrow, open);
    if (end == std::string_view::npos) fail("the line was cut: \"==>\" is missing");
    const std::string_view state = line.substr(open + opens.size(), end - open - opens.size());
    link_speed could;
    const line_end here = near_end(line.substr(0, open));
    std::optional<line_end> there = far_end(line.substr(end + arrow.size()), could);
    if (state.find("Down") != std::string_view::npos) there.reset();
    all_.push_back({here, there, speed_in(state), could});
    if (all_.size() > max_cable_ends) fail("it describes more than " + std::to_string(max_cable_ends) + " ports");
  }

  line_end near_end(std::string_view text) const {
    cursor at(text);
    line_end end = context_;
    const std::uint64_t guid = take_guid(at);
    if (guid != 0) end.guid = guid;
    at.skip_blanks();
    if (at.front() == '"') {  // -l: the name may hold quotes
      const std::size_t close = at.rest().rfind('"');
      if (close == 0) fail("the name is not closed");
      end.name = trimmed(at.rest().substr(1, close - 1));
      at = cursor(at.rest().substr(close + 1));
    }
    if (!take_address(at, end)) fail("LID and port are expected before \"==(\"");
    if (end.guid == 0 && end.name.empty()) fail("the link stands below no device");
    return end;
  }

  // Nothing where no port is at the far end.
  std::optional<line_end> far_end(std::string_view text, link_speed& could) const {
    cursor at(text);
    line_end end;
    end.guid = take_guid(at);
    at.skip_blanks();
    if (end.guid == 0 && (at.front() == '[' || at.front() == '"')) return std::nullopt;
    if (!take_address(at, end)) fail("LID and port are expected after \"==>\"");
    at.skip_extended_port();
    const std::string_view rest = at.rest();
    const std::size_t first = rest.find('"'), last = rest.rfind('"');
    if (first == std::string_view::npos || first == last) fail("the far end's name is expected in quotes");
    end.name = trimmed(rest.substr(first + 1, last - first - 1));
    const std::string_view hint = rest.substr(last + 1);
    if (hint.find("Could be") != std::string_view::npos) could = speed_in(hint);
    return end;
  }

  static bool take_address(cursor& at, line_end& end) {
    at.skip_blanks();
    const auto lid = at.number();
    at.skip_blanks();
    const auto number = at.number();
    if (!lid || !number || at.front() != '[') return false;
    end.lid = *lid;
    end.number = *number;
    return true;
  }

  const document& file_;
  line_reader lines_;
  line_end context_;
  std::vector<link_line> all_;
  std::size_t ignored_ = 0, first_ignored_ = 0;
};

/// The second pass: which ends are the same device.
class link_resolver {
 public:
  link_resolver(const document& file, std::vector<link_line> lines, notes found)
      : file_(file), lines_(std::move(lines)) {
    network_.remarks = std::move(found);
  }

  model run() {
    for (const link_line& each : lines_) {
      learn(each.here);
      if (each.there) learn(*each.there);
    }
    for (const link_line& each : lines_) {
      if (!each.there) continue;
      if (is_adapter(*each.there)) has_adapter_next_.insert_or_assign(each.here.guid, true);
      if (is_adapter(each.here)) has_adapter_next_.insert_or_assign(each.there->guid, true);
    }
    std::vector<std::size_t> here;
    for (const link_line& each : lines_) here.push_back(add_described(each));
    for (std::size_t each = 0; each < lines_.size(); ++each) add_cable(lines_[each], here[each]);
    return std::move(network_);
  }

 private:
  // A switch has one GUID on all ports, an adapter one on each.
  void learn(const line_end& end) {
    if (end.guid == 0) return;
    const auto [entry, is_new] = first_port_.try_emplace(end.guid, end.number);
    if (!is_new && entry->second != end.number) is_wide_.insert_or_assign(end.guid, true);
  }

  bool is_adapter(const line_end& end) const {
    return end.kind == device_kind::adapter || (end.kind == device_kind::unknown && !is_wide_.contains(end.guid) &&
                                                !parse_adapter_name(end.name).device.empty());
  }

  device_kind kind_of(const line_end& end) const {
    if (end.kind != device_kind::unknown) return end.kind;
    if (is_adapter(end)) return device_kind::adapter;
    const bool is_switch = end.guid != 0 && (is_wide_.contains(end.guid) || has_adapter_next_.contains(end.guid));
    return is_switch || !parse_switch_name(end.name).model.empty() ? device_kind::network_switch : device_kind::adapter;
  }

  std::size_t of_guid(const line_end& end, device_kind kind) {
    if (kind == device_kind::network_switch) return network_.of_id("S" + guid_text(end.guid), kind, end.name, end.guid);
    const std::size_t found = network_.of_id(adapter_id(end.guid, end.number, end.name), kind, end.name);
    network_.add_port_guid(found, end.guid);
    return found;
  }

  std::size_t add_described(const link_line& line) {
    const line_end& end = line.here;
    const std::size_t found =
        end.guid != 0 ? of_guid(end, kind_of(end)) : network_.of_id(nameless_id(end), end.kind, end.name);
    device& part = network_.devices[found];
    part.is_described = true;
    part.down_ports += line.there ? 0 : 1;
    if (end.lid != 0) by_lid_.try_emplace(end.lid, found);
    by_name_.try_emplace(std::string(end.name), found);
    check_devices();
    return found;
  }

  void add_cable(const link_line& line, std::size_t here) {
    if (!line.there) return;
    const std::size_t there = far_device(*line.there, here);
    network_.ends.push_back({{here, line.here.number}, {there, line.there->number}, line.speed, line.could});
    check_devices();
  }

  void check_devices() const {
    if (network_.devices.size() > max_devices)
      fail_in(file_, {}, "it describes more than " + std::to_string(max_devices) + " devices");
  }

  std::size_t far_device(const line_end& end, std::size_t here) {
    if (end.guid != 0) return of_guid(end, kind_of(end));
    if (const auto known = by_lid_.find(end.lid); end.lid != 0 && known != by_lid_.end()) return known->second;
    if (const auto known = by_name_.find(std::string(end.name)); end.lid == 0 && known != by_name_.end())
      return known->second;
    device_kind kind = device_kind::adapter;
    const bool names_host = !parse_adapter_name(end.name).device.empty();
    if (!names_host &&
        (network_.devices[here].kind == device_kind::adapter || !parse_switch_name(end.name).model.empty()))
      kind = device_kind::network_switch;
    return network_.of_id(nameless_id(end), kind, end.name);
  }

  static std::string nameless_id(const line_end& end) {
    return "lid " + std::to_string(end.lid) + " " + std::string(end.name);
  }

  const document& file_;
  std::vector<link_line> lines_;
  model network_;
  std::unordered_map<std::uint64_t, std::uint32_t> first_port_;
  std::unordered_map<std::uint64_t, bool> is_wide_, has_adapter_next_;
  std::unordered_map<std::uint32_t, std::size_t> by_lid_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

}  // namespace

bool has_link_line(std::string_view text) {
  for (line_reader lines(text.substr(0, looked_at)); lines.next();) {
    const std::size_t open = lines.line().find(opens);
    if (open != std::string_view::npos && lines.line().find(arrow, open) != std::string_view::npos) return true;
  }
  return false;
}

model parse_link_lines(const document& file) {
  notes found;
  std::vector<link_line> lines = link_line_parser(file).run(found);
  return link_resolver(file, std::move(lines), std::move(found)).run();
}

}  // namespace hawser::discovery::fabric
