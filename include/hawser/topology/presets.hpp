// Well-known machines by name, as hierarchies and as topology graphs; every figure with its public source.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/core/error.hpp>
#include <hawser/topology/defaults.hpp>
#include <hawser/topology/graph.hpp>
#include <hawser/topology/hierarchy.hpp>

namespace hawser::topology {

/// One NVLink domain of a known machine: `hosts` hosts with `gpus_per_host` GPUs and as many NICs each.
struct machine {
  std::string_view name;
  std::string_view unit;  ///< the level name of one domain: "node" where it is one host
  int hosts = 1;
  int gpus_per_host = 8;
  int nvswitches = 1;       ///< chips, or trays in a rack
  bool can_reduce = false;  ///< NVLink SHARP, from the third NVSwitch generation on
  bandwidth nvlink{};       ///< per GPU, per direction
  bandwidth nic{};          ///< per NIC, per direction; one NIC per GPU

  constexpr int gpus() const noexcept { return hosts * gpus_per_host; }
};

// Vendors give NVLink figures for both directions together: half of them is one direction. Networks are given per
// direction in bits. Latencies have no vendor figure: those of `default_link` are used.
inline constexpr std::array<machine, 5> machines = {{
    // NVIDIA DGX A100 user guide (8 ConnectX-6, 200 Gb/s HDR); A100 architecture white paper (600 GB/s per GPU, 6
    // NVSwitches of the second generation, which cannot reduce).
    {"dgx-a100", "node", 1, 8, 6, false, bandwidth{300e9}, bandwidth{25e9}},
    // NVIDIA DGX H100 user guide (8 ConnectX-7, 400 Gb/s NDR, 4 NVSwitches); Hopper architecture page (900 GB/s per
    // GPU; the third NVSwitch generation reduces by SHARP).
    {"dgx-h100", "node", 1, 8, 4, true, bandwidth{450e9}, bandwidth{50e9}},
    // NVIDIA DGX B200 user guide (8 ConnectX-7, 400 Gb/s; 2 NVSwitches, 14.4 TB/s in all, so 1.8 TB/s per GPU).
    {"dgx-b200", "node", 1, 8, 2, true, bandwidth{900e9}, bandwidth{50e9}},
    // NVIDIA DGX GB200 user guide, networking (1.8 TB/s per GPU, NVSwitch with SHARP); 18 trays of 4 GPUs, 9 switch
    // trays and one ConnectX-7 with 400 Gb/s per GPU: NVIDIA GB200 NVL72 data sheet.
    {"gb200-nvl72", "nvlink_domain", 18, 4, 9, true, bandwidth{900e9}, bandwidth{50e9}},
    // NVIDIA enterprise reference architecture for NVL72, components (18 trays of 4 GPUs and 4 ConnectX-8, 9 switch
    // trays, 130 TB/s in all, so 1.8 TB/s per GPU); ConnectX-8 data sheet (800 Gb/s).
    {"gb300-nvl72", "nvlink_domain", 18, 4, 9, true, bandwidth{900e9}, bandwidth{100e9}},
}};

/// Throws errc::not_found, naming those that exist.
inline const machine& find_machine(std::string_view name) {
  std::string known;
  for (const machine& each : machines) {
    if (each.name == name) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  fail(errc::not_found, "there is no topology preset \"" + std::string(name) + "\"", {}, "the presets are " + known);
}

namespace detail {

inline link reported_link(std::string_view level_name, double bytes_per_second) {
  return {bandwidth{bytes_per_second}, default_link(level_name).latency, provenance::reported};
}

inline void check_units(std::int64_t units) {
  if (units < 1) fail(errc::invalid_argument, "a preset needs at least one unit", std::to_string(units) + " asked for");
}

}  // namespace detail

/// `units` NVLink domains of a known machine (nodes of a DGX, racks of an NVL72) below one non-blocking network, each
/// linked upwards by all its NICs together; a single unit is one level of GPUs. Bandwidths are reported, latencies
/// assumed. Throws errc::not_found, errc::invalid_argument. No memory per rank.
inline hierarchy preset(std::string_view name, std::int64_t units = 1) {
  const machine& known = find_machine(name);
  detail::check_units(units);
  std::vector<level> levels;
  if (units > 1)
    levels.push_back({std::string(known.unit), child_counts::uniform(1, units),
                      detail::reported_link(known.unit, known.gpus() * known.nic.bytes_per_second)});
  levels.push_back({"gpu", child_counts::uniform(units, known.gpus()),
                    detail::reported_link("gpu", known.nvlink.bytes_per_second), known.can_reduce});
  return hierarchy(std::move(levels));
}

/// The same as a topology graph: hosts with their GPUs and NICs, NVSwitches, and one leaf switch per rail (NICs of the
/// same index) that joins all units. One switch per rail is an idealisation: it stands for a non-blocking network.
graph preset_graph(std::string_view name, int units = 1);

namespace detail {

/// Adds the hosts, GPUs, NICs and NVSwitches of one NVLink domain; NICs are linked to the switch of their rail.
class machine_builder {
 public:
  machine_builder(const machine& known, graph& into) : known_(known), graph_(into) {}

  void add_rails() {
    for (int rail = 0; rail < known_.gpus_per_host; ++rail) {
      const std::string name = "rail" + std::to_string(rail);
      rails_.push_back(graph_.add_node({node_kind::leaf_switch, name, {"switch/" + name}, {}}));
    }
  }

  void add_unit(int unit) {
    const std::string prefix = std::string(known_.name) + "-" + std::to_string(unit);
    std::vector<node_index> switches;
    for (int each = 0; each < known_.nvswitches; ++each) {
      const std::string name = prefix + "-nvswitch" + std::to_string(each);
      switches.push_back(graph_.add_node({node_kind::nvswitch, name, {"nvswitch/" + name}, {}, 0, known_.can_reduce}));
    }
    for (int host = 0; host < known_.hosts; ++host)
      add_host(known_.hosts == 1 ? prefix : prefix + "-" + std::to_string(host), switches);
  }

 private:
  void add_host(const std::string& name, const std::vector<node_index>& switches) {
    const std::string identity = "host/" + name;
    const node_index host = graph_.add_node({node_kind::host, name, {identity}, {}});
    for (int index = 0; index < known_.gpus_per_host; ++index) {
      const std::string number = std::to_string(index);
      const node_index gpu =
          graph_.add_node({node_kind::gpu, name + "-gpu" + number, {identity + "/gpu/" + number}, {{"index", number}}});
      const node_index nic =
          graph_.add_node({node_kind::nic, name + "-nic" + number, {identity + "/nic/" + number}, {{"index", number}}});
      graph_.add_edge({host, gpu, edge_kind::contains, {}, {}});
      graph_.add_edge({host, nic, edge_kind::contains, {}, {}});
      for (node_index nvswitch : switches) {
        const bandwidth share{known_.nvlink.bytes_per_second / static_cast<double>(switches.size())};
        graph_.add_edge({gpu, nvswitch, edge_kind::nvlink, share, default_link("gpu").latency, provenance::reported});
      }
      if (!rails_.empty())
        graph_.add_edge({nic, rails_[static_cast<std::size_t>(index)], edge_kind::infiniband, known_.nic,
                         default_link(known_.unit).latency, provenance::reported});
    }
  }

  const machine& known_;
  graph& graph_;
  std::vector<node_index> rails_;
};

}  // namespace detail

inline graph preset_graph(std::string_view name, int units) {
  const machine& known = find_machine(name);
  detail::check_units(units);
  graph built;
  detail::machine_builder builder(known, built);
  if (units > 1) builder.add_rails();
  for (int unit = 0; unit < units; ++unit) builder.add_unit(unit);
  return built;
}

inline constexpr std::string_view preset_prefix = "preset:";

/// Reads "preset:NAME" or "preset:NAME*UNITS". Throws errc::parse, and what `preset` throws.
inline hierarchy parse_preset(std::string_view text) {
  const std::string quoted = "cannot read the topology \"" + std::string(text) + "\"";
  constexpr std::string_view example = "write it like preset:dgx-h100*4";
  if (!text.starts_with(preset_prefix)) fail(errc::parse, quoted, "it does not start with \"preset:\"", example);
  const std::string_view name = text.substr(preset_prefix.size());
  const std::size_t star = name.find('*');
  if (star == std::string_view::npos) return preset(name);
  const char* const end = name.data() + name.size();
  std::int32_t units = 0;
  const auto [rest, status] = std::from_chars(name.data() + star + 1, end, units);
  if (status != std::errc{} || rest != end || units < 1)
    fail(errc::parse, quoted, "the number of units after the * must be a whole number from 1 on", example);
  return preset(name.substr(0, star), units);
}

}  // namespace hawser::topology
