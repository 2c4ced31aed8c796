// Writes a drawing in Graphviz's DOT language. Names only occur in HTML-like labels, escaped; nodes are b0, b1, ...
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <string_view>

#include "draw_picture.hpp"

namespace hawser::discovery {

namespace {

using namespace drawing;  // NOLINT: this file is about nothing else
using topology::edge_kind;
using topology::node_kind;

constexpr std::size_t most_characters = 40;  // of a name

struct look {
  const char* one;
  const char* many;
  const char* color;
};
look look_of(const topology::node& part) {
  switch (part.kind) {
    case node_kind::gpu: return {"GPU", "GPUs", "#b7e1a1"};
    case node_kind::nvswitch: return {"NVSwitch", "NVSwitches", "#76b900"};
    case node_kind::cpu: return {"NUMA node", "NUMA nodes", "#bcd6f2"};
    case node_kind::pci_switch: return {"PCI switch", "PCI switches", "#d9d9d9"};
    case node_kind::nic: return {"NIC", "NICs", "#ffd08a"};
    case node_kind::host: return {"host", "hosts", "#f4f1ea"};
    case node_kind::leaf_switch: return {"leaf switch", "leaf switches", "#cdb9ea"};
    case node_kind::spine_switch: return {"spine switch", "spine switches", "#b094dd"};
    case node_kind::core_switch: break;
  }
  return {"core switch", "core switches", "#9470cf"};
}

struct stroke {
  const char* name;
  const char* color;
  const char* width;
};
stroke stroke_of(edge_kind kind) {
  switch (kind) {
    case edge_kind::contains:
    case edge_kind::pci: return {"PCI Express", "#8c8c8c", "1.2"};
    case edge_kind::interconnect: return {"CPU interconnect", "#3f7fbf", "1.6"};
    case edge_kind::nvlink: return {"NVLink", "#4f8a00", "2.4"};
    case edge_kind::xgmi: return {"Infinity Fabric", "#c8412b", "2.4"};
    case edge_kind::infiniband: return {"InfiniBand", "#7a4fc0", "1.8"};
    case edge_kind::ethernet: break;
  }
  return {"Ethernet", "#b0722b", "1.8"};
}

// Length of a well-formed UTF-8 sequence at the front; 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t each) { return static_cast<unsigned char>(text[each]); };
  const std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xc2 ? 0 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 0;
  if (length > text.size()) return 0;
  for (std::size_t each = 1; each < length; ++each)
    if ((byte(each) & 0xc0) != 0x80) return 0;
  if (length == 3 && ((byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xed && byte(1) >= 0xa0) ||
                      (byte(0) == 0xef && byte(1) == 0xbf && byte(2) >= 0xbe)))
    return 0;
  return length;
}

// Text for an HTML-like label: short, and nothing that DOT, HTML or XML could take for its own.
std::string escaped(std::string_view text) {
  if (text.size() > most_characters && text.find('.', 1) != std::string_view::npos)
    text = text.substr(0, text.find('.', 1));
  std::string safe;
  std::size_t shown = 0;
  for (; !text.empty(); ++shown) {
    if (shown == most_characters) return safe + "...";
    const std::size_t length = sequence_length(text);
    const char c = text[0];
    if (length == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      safe += '?';
    else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\\' || c == '\'')
      safe += "&#" + std::to_string(static_cast<int>(c)) + ";";
    else
      safe += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  return safe.empty() ? "-" : safe;
}

std::string rate_text(double rate) {
  std::string text = to_string(bandwidth{rate});
  const std::size_t unit = text.find_first_not_of("0123456789.e+-");
  return unit == std::string::npos ? text : text.insert(unit, " ");
}

std::string counted(std::size_t count, const look& of) {
  return std::to_string(count) + " " + (count == 1 ? of.one : of.many);
}

// "18 x 25 GB/s", "18 x 25 GB/s per GPU", "2-4 links per host".
std::string links_text(const line& drawn, const std::string& per) {
  std::string number = std::to_string(drawn.most);
  if (drawn.least != drawn.most) number = std::to_string(drawn.least) + "-" + number;
  const auto& rates = drawn.links_of_rate;
  if (rates.size() == 1 && rates.begin()->first > 0)
    return (number == "1" ? "" : number + " x ") + rate_text(rates.begin()->first) + per;
  std::string text = number + (number == "1" ? " link" : " links") + per;
  if (rates.rbegin()->first > 0) text += ", up to " + rate_text(rates.rbegin()->first);
  return text;
}

// A part's name without that of its host, where the host is drawn around it.
std::string_view name_of(const topology::graph& machine, const picture& shown, std::size_t unit) {
  std::string_view name = machine.nodes()[shown.units[unit].node].name;
  if (shown.units[unit].host == 0) return name;
  const std::string& host = shown.frames[shown.units[unit].host - 1].title;
  if (name.size() > host.size() + 1 && name.starts_with(host)) name.remove_prefix(host.size());
  while (name.size() > 1 && (name[0] == ':' || name[0] == '-' || name[0] == '/')) name.remove_prefix(1);
  return name;
}

// What the names of a box begin and end with, where that is long: the cells show the rest.
struct shared_text {
  std::string_view start, end;
};

shared_text shared_by(const topology::graph& machine, const picture& shown, const box& drawn) {
  const std::string_view first = name_of(machine, shown, drawn.units[0]);
  shared_text shared{first, first.substr(std::min(first.find('.'), first.size()))};
  for (const std::size_t each : drawn.units) {
    const std::string_view name = name_of(machine, shown, each);
    const auto same = std::ranges::mismatch(shared.start, name).in1 - shared.start.begin();
    shared.start = shared.start.substr(0, static_cast<std::size_t>(same));
    if (!name.ends_with(shared.end) || name.size() == shared.end.size()) shared.end = {};
  }
  const auto is_cut = [](char c) { return (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) & 0x80) != 0; };
  while (!shared.start.empty() && is_cut(shared.start.back())) shared.start.remove_suffix(1);
  if (shared.end.size() < 6) shared.end = {};
  if (shared.start.size() < 6) shared.start = {};
  if (shared.start.size() + shared.end.size() >= first.size()) shared.start = {};
  return shared;
}

class writer {
 public:
  writer(const topology::graph& machine, const picture& shown, const draw_options& options)
      : machine_(machine), shown_(shown), options_(options) {}

  std::string run() {
    text_ =
        "graph topology {\n"
        "  graph [fontname=\"Helvetica\" fontsize=13 rankdir=TB ranksep=0.75 nodesep=0.3 newrank=true labelloc=t "
        "label=<<b>" +
        summary() +
        "</b>>];\n"
        "  node [shape=plain fontname=\"Helvetica\" fontsize=11];\n"
        "  edge [fontname=\"Helvetica\" fontsize=10];\n";
    for (std::size_t each = 0; each < shown_.frames.size(); ++each) write_frame(each);
    for (std::size_t each = 0; each < shown_.boxes.size(); ++each)
      if (shown_.boxes[each].frame == 0) write_box(each);
    for (const line& each : shown_.lines)
      if (each.upper != each.lower) write_line(each);
    write_ranks();
    if (options_.has_legend) write_legend();
    return text_ + "}\n";
  }

 private:
  const topology::node& part_of(std::size_t box) const {
    return machine_.nodes()[shown_.units[shown_.boxes[box].units[0]].node];
  }

  // "36 hosts, 144 GPUs, 4 leaf switches"
  std::string summary() const {
    std::map<node_kind, std::size_t> counts;
    std::map<node_kind, look> looks;
    for (const topology::node& each : machine_.nodes()) {
      if (!is_drawn(each)) continue;
      ++counts[each.kind];
      looks.emplace(each.kind, look_of(each));
    }
    std::string text;
    for (const node_kind kind : {node_kind::host, node_kind::gpu, node_kind::nic, node_kind::nvswitch,
                                 node_kind::leaf_switch, node_kind::spine_switch, node_kind::core_switch})
      if (counts.contains(kind)) text += (text.empty() ? "" : ", ") + counted(counts[kind], looks.at(kind));
    return text.empty() ? "nothing" : text;
  }

  // What a host holds, as cells: GPUs first.
  std::string contents(std::size_t box) const {
    const counts& holds = shown_.units[shown_.boxes[box].units[0]].holds;
    std::string cells;
    for (const node_kind kind : {node_kind::gpu, node_kind::nic, node_kind::nvswitch, node_kind::cpu}) {
      const std::size_t count = holds[static_cast<std::size_t>(kind)];
      topology::node like;
      like.kind = kind;
      if (count > 0)
        cells += "<td bgcolor=\"" + std::string(look_of(like).color) + "\">" + counted(count, look_of(like)) + "</td>";
    }
    return cells;
  }

  std::string short_name(std::size_t unit, const shared_text& hidden = {}) const {
    std::string_view name = name_of(machine_, shown_, unit);
    if (name.size() > hidden.start.size() + hidden.end.size()) {
      name.remove_suffix(hidden.end.size());
      name.remove_prefix(hidden.start.size());
    }
    return escaped(name);
  }

  void write_box(std::size_t number) {
    const box& drawn = shown_.boxes[number];
    const look face = look_of(part_of(number));
    const std::size_t count = drawn.units.size();
    const bool is_virtual = part_of(number).attributes.contains("virtual");
    const bool shows_names = shown_.shows_names && count > 1 && count <= options_.most_cells;
    const std::size_t columns = shows_names ? grid_columns(count, part_of(number).kind) : 1;
    const std::string inside = contents(number);
    const shared_text hidden = shows_names ? shared_by(machine_, shown_, drawn) : shared_text{};
    std::string title = count == 1 ? short_name(drawn.units[0]) : counted(count, face);
    if (count == 1 && (topology::switch_tier(part_of(number)) > 0 || part_of(number).kind == node_kind::nvswitch))
      title = std::string(face.one) + "<br/>" + title;
    title = "<b>" + title + "</b>";
    if (reduces(drawn)) title += "<br/>reducing";
    if (!hidden.start.empty() || !hidden.end.empty())
      title += "<br/>" + (hidden.start.empty() ? "" : escaped(hidden.start)) + "..." +
               (hidden.end.empty() ? "" : escaped(hidden.end));
    const std::string border =
        is_virtual ? "border=\"1\" cellborder=\"0\" style=\"dashed\"" : "border=\"0\" cellborder=\"1\"";
    std::string table = "<table " + border + " cellspacing=\"0\" cellpadding=\"5\" bgcolor=\"" + face.color + "\">";
    table += "<tr><td>" + title + among(number) + "</td></tr>";
    if (!inside.empty())
      table += "<tr><td><table border=\"0\" cellborder=\"0\" cellspacing=\"4\"><tr>" + inside +
               (count > 1 ? "<td>each</td>" : "") + "</tr></table></td></tr>";
    if (shows_names)
      table += names(drawn, columns, hidden);
    else if (count > 1)
      table += "<tr><td>" + short_name(drawn.units.front()) + " ... " + short_name(drawn.units.back()) + "</td></tr>";
    text_ += "  b" + std::to_string(number) + " [label=<" + table + "</table>>];\n";
  }

  // Whether all of a box are switches of the network that can reduce.
  bool reduces(const box& drawn) const {
    return std::ranges::all_of(drawn.units, [&](std::size_t each) {
      const topology::node& part = machine_.nodes()[shown_.units[each].node];
      return topology::switch_tier(part) > 0 && part.can_reduce;
    });
  }

  static std::size_t grid_columns(std::size_t count, node_kind kind) {
    if (count <= 4) return count;
    const double shape = kind == node_kind::gpu ? 2.0 : 1.5;  // names are wider than high
    return static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count) * shape)));
  }

  std::string names(const box& drawn, std::size_t columns, const shared_text& hidden) const {
    std::string rows;
    for (std::size_t each = 0; each < drawn.units.size(); ++each) {
      if (each % columns == 0) rows += each == 0 ? "<tr>" : "</tr><tr>";
      rows += "<td bgcolor=\"white\">" + short_name(drawn.units[each], hidden) + "</td>";
    }
    const std::size_t left = (columns - drawn.units.size() % columns) % columns;
    if (left > 0) rows += "<td bgcolor=\"white\" colspan=\"" + std::to_string(left) + "\"></td>";
    return "<tr><td border=\"0\" cellpadding=\"0\"><table border=\"0\" cellborder=\"1\" cellspacing=\"0\" "
           "cellpadding=\"5\">" +
           rows + "</tr></table></td></tr>";
  }

  std::string per(std::size_t box) const {
    return shown_.boxes[box].units.size() == 1 ? "" : " per " + std::string(look_of(part_of(box)).one);
  }

  // Links between the parts of a box.
  std::string among(std::size_t number) const {
    std::string text;
    for (const line& each : shown_.lines)
      if (each.upper == number && each.lower == number)
        text += "<br/><font color=\"" + std::string(stroke_of(each.kind).color) + "\">among them " +
                links_text(each, per(number)) + "</font>";
    return text;
  }

  void write_frame(std::size_t number) {
    const frame& drawn = shown_.frames[number];
    const char* const color = drawn.around == node_kind::host       ? "#8a8271"
                              : drawn.around == node_kind::nvswitch ? "#4f8a00"
                                                                    : "#7a4fc0";
    const std::string title = drawn.around == node_kind::host ? "host " + escaped(drawn.title) : escaped(drawn.title);
    text_ += "  subgraph cluster_" + std::to_string(number) + " {\n    graph [style=rounded color=\"" + color +
             "\" penwidth=1.5 margin=20 fontcolor=\"" + color + "\" labeljust=l labelloc=b label=<" + title + ">];\n";
    for (std::size_t each = 0; each < shown_.boxes.size(); ++each)
      if (shown_.boxes[each].frame == number + 1) write_box(each);
    text_ += "  }\n";
  }

  void write_line(const line& each) {
    const stroke pen = stroke_of(each.kind);
    const auto level = [&](std::size_t box) { return shown_.units[shown_.boxes[box].units[0]].level; };
    const bool is_flat = level(each.upper) == level(each.lower);
    text_ += "  b" + std::to_string(each.upper) + " -- b" + std::to_string(each.lower) + " [color=\"" + pen.color +
             "\" fontcolor=\"" + pen.color + "\" penwidth=" + pen.width + (is_flat ? " constraint=false" : "") +
             " label=<" + label_of(each) + ">];\n";
  }

  // The links, and how many hosts hang on each switch where both stand for several.
  std::string label_of(const line& each) const {
    const std::size_t middle = each.subject == each.lower ? each.upper : each.lower;
    const std::size_t parts = shown_.boxes[each.subject].units.size(), switches = shown_.boxes[middle].units.size();
    std::string text = "<table border=\"0\" cellpadding=\"4\"><tr><td align=\"left\" balign=\"left\">";
    text += links_text(each, per(each.subject));
    if (each.is_tree && switches > 1 && parts % switches == 0)
      text += "<br/>" + counted(parts / switches, look_of(part_of(each.subject))) + per(middle);
    return text + "</td></tr></table>";
  }

  // Switches of one tier stand beside each other.
  void write_ranks() {
    std::map<int, std::string> ranks;
    for (std::size_t each = 0; each < shown_.boxes.size(); ++each)
      if (topology::switch_tier(part_of(each)) > 0)
        ranks[shown_.units[shown_.boxes[each].units[0]].level] += " b" + std::to_string(each) + ";";
    std::set<std::pair<int, int>> joined;  // tiers that links hold above each other already
    const auto level_of = [&](std::size_t box) { return shown_.units[shown_.boxes[box].units[0]].level; };
    for (const line& each : shown_.lines) joined.emplace(level_of(each.lower), level_of(each.upper));
    std::string below;
    int last = 0;
    for (const auto& [level, members] : ranks) {
      const std::string first = members.substr(1, members.find(';') - 1);
      text_ += "  { rank=same;" + members + " }\n";
      if (!below.empty() && !joined.contains({last, level}))
        text_ += "  " + first + " -- " + below + " [style=invis];\n";
      below = first, last = level;
    }
  }

  void write_legend() {
    std::map<int, look> looks;
    std::set<edge_kind> kinds;
    bool has_virtual = false;
    for (std::size_t each = 0; each < shown_.boxes.size(); ++each) {
      const unit& first = shown_.units[shown_.boxes[each].units[0]];
      looks.emplace(-std::min(first.level, 9), look_of(part_of(each)));  // core switches of all tiers look the same
      has_virtual = has_virtual || part_of(each).attributes.contains("virtual");
    }
    for (const line& each : shown_.lines) kinds.insert(each.kind);
    std::string rows;
    for (const auto& [level, face] : looks)
      rows += "<tr><td bgcolor=\"" + std::string(face.color) + "\" width=\"18\"></td><td align=\"left\">" + face.one +
              "</td></tr>";
    for (const edge_kind kind : kinds)
      rows += "<tr><td><font color=\"" + std::string(stroke_of(kind).color) +
              "\"><b>&#8212;</b></font></td><td "
              "align=\"left\">" +
              stroke_of(kind).name + "</td></tr>";
    if (has_virtual) rows += "<tr><td>- -</td><td align=\"left\">stands for links</td></tr>";
    if (rows.empty()) return;
    text_ += "  legend [fontsize=9 label=<<table border=\"1\" color=\"#bbbbbb\" cellborder=\"0\" cellspacing=\"2\">" +
             rows + "</table>>];\n";
  }

  const topology::graph& machine_;
  const picture& shown_;
  const draw_options& options_;
  std::string text_;
};

}  // namespace

std::string to_dot(const topology::graph& machine, const draw_options& options) {
  return writer(machine, picture_of(machine, options), options).run();
}

}  // namespace hawser::discovery
