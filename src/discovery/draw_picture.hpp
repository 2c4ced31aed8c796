// What a drawing shows: boxes of parts, and lines of links between boxes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <hawser/discovery/draw.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery::drawing {

using counts = std::array<std::size_t, topology::node_kind_names.size()>;

/// A part of the machine that is drawn as one: a host with all that it holds, or a single node.
struct unit {
  topology::node_index node = 0;
  counts holds{};        // by kind, without itself
  int level = 0;         // higher is further up in the drawing
  std::size_t host = 0;  // the number of its host's box, from 1 on, where hosts are drawn open
};

/// Units with the same place in the machine.
struct box {
  std::vector<std::size_t> units;
  std::size_t frame = 0;  // 0: none, else the number of a frame plus 1
};

/// A frame around boxes: an open host, a rack, an NVLink domain.
struct frame {
  topology::node_kind around = topology::node_kind::host;  // host, leaf_switch (a rack), nvswitch (a domain)
  std::string title;
};

/// All links of one kind between two boxes, or within one.
struct line {
  std::size_t upper = 0, lower = 0;
  topology::edge_kind kind = topology::edge_kind::pci;
  std::map<double, std::size_t> links_of_rate;  // 0: unknown
  std::size_t links = 0;
  std::size_t subject = 0;          // the box whose parts have the links: hosts and GPUs rather than switches
  std::size_t least = 0, most = 0;  // links per unit of that box
  bool is_tree = false;             // each unit of that box has links to one unit of the other only
};

struct picture {
  std::vector<unit> units;
  std::vector<box> boxes;
  std::vector<frame> frames;
  std::vector<line> lines;
  bool shows_names = true;  // of every unit
};

/// Whether a part is drawn: not the device by which a switch reduces (SHARP), which is no NIC of anybody's.
inline bool is_drawn(const topology::node& part) {
  return !part.attributes.contains("aggregation_node");
}

picture picture_of(const topology::graph& machine, const draw_options& options);

/// A link between units.
struct unit_link {
  std::size_t a = 0, b = 0;
  topology::edge_kind kind = topology::edge_kind::pci;
  double rate = 0;
};

/// The class of each unit: units whose links go to the same units, in the same number (also "all to all" among
/// themselves).
std::vector<std::size_t> twins(const topology::graph& machine, const std::vector<unit>& units,
                               const std::vector<unit_link>& links);

/// The class of each unit: units that look the same as far around as there are at most `most` classes.
std::vector<std::size_t> look_alikes(const topology::graph& machine, const std::vector<unit>& units,
                                     const std::vector<unit_link>& links, std::size_t most);

}  // namespace hawser::discovery::drawing
