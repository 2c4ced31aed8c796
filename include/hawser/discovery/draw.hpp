// Drawings of a topology: hosts, racks, NVLink domains, NICs and fabric, at a glance.
#pragma once

#include <cstddef>
#include <string>

#include <hawser/core/units.hpp>
#include <hawser/topology/graph.hpp>

namespace hawser::discovery {

/// Bounds that keep a drawing readable.
struct draw_options {
  std::size_t most_boxes = 40;   ///< beyond that, parts of the same class share a box
  std::size_t most_cells = 160;  ///< parts that are shown by name; beyond that, only their number is
  bool has_legend = true;
};

/// A drawing in the DOT language of Graphviz. One or two hosts are shown with their NUMA nodes, PCI switches, NICs and
/// GPUs; more hosts as boxes that say what they hold; a large fabric by classes ("24 leaf switches"). Parts with the
/// same links to the same parts share a box, parallel links are one line ("18 x 25 GB/s"). The size of the drawing is
/// bounded by the options, not by the machine.
std::string to_dot(const topology::graph& machine, const draw_options& options = {});

/// The same as SVG, made by Graphviz's program `dot`. Throws errc::unsupported where PATH has no such program,
/// errc::timeout where it takes longer than `limit`, errc::io where it fails.
std::string to_svg(const topology::graph& machine, const draw_options& options = {}, seconds limit = seconds{30});

}  // namespace hawser::discovery
