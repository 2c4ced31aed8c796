// An InfiniBand fabric as the tools tell it, port by port, and the topology graph that follows. All sources of fabrics
// fill the same model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <hawser/discovery/source.hpp>
#include <hawser/topology/finding.hpp>
#include <hawser/topology/graph.hpp>

#include "fabric_speed.hpp"

namespace hawser::discovery::fabric {

enum class device_kind { unknown, adapter, network_switch, router };

/// A switch, channel adapter or router.
struct device {
  device_kind kind = device_kind::unknown;
  std::string id;           ///< what the source calls it; unique within it
  std::string description;  ///< "node01 mlx5_0", "MF0;leaf1:MQM8700/U1"
  std::uint64_t guid = 0;   ///< of the node; 0: unknown
  std::vector<std::uint64_t> port_guids{};
  std::uint32_t ports = 0;     ///< that it has by its record; 0: unknown
  bool is_described = false;   ///< listed itself, not only as the far end of a cable
  std::size_t down_ports = 0;  ///< listed without a far end
};

/// A port of a device, by its number in `model::devices`.
struct port {
  std::size_t device = 0;
  std::uint32_t number = 0;
  friend bool operator==(const port&, const port&) = default;
  friend auto operator<=>(const port&, const port&) = default;
};

/// What one end says of its cable.
struct cable_end {
  port here;
  port there;
  link_speed speed{};
  link_speed could{};  ///< what the source says that both ends support; only where it is more than `speed`
};

/// Both ends' words about a cable; where only one speaks, `at_b` is what `at_a` says.
struct cable {
  port a;
  port b;
  link_speed at_a{};
  link_speed at_b{};
  link_speed could{};
};

// A subnet has 49,151 unicast LIDs, one or more per port of an adapter and per switch.
inline constexpr std::size_t max_devices = std::size_t{1} << 18;
inline constexpr std::size_t max_cable_ends = std::size_t{1} << 20;

/// A few findings of each code, and how many more there are.
class notes {
 public:
  void add(topology::finding what);
  /// The findings, and one more for each code of which there were too many.
  std::vector<topology::finding> all() const;

 private:
  struct tally {
    std::size_t number = 0;
    topology::finding last;
  };
  std::vector<topology::finding> kept_;
  std::unordered_map<std::string, tally> by_code_;
};

struct model {
  std::vector<device> devices;
  std::vector<cable_end> ends;
  notes remarks;

  /// The device of an id; a new one where there is none. A kind, description and GUID that are known complete it.
  std::size_t of_id(const std::string& id, device_kind kind = device_kind::unknown, std::string_view description = {},
                    std::uint64_t guid = 0);
  void add_port_guid(std::size_t of, std::uint64_t guid);

 private:
  std::unordered_map<std::string, std::size_t> by_id_;
};

/// Throws errc::parse where a file describes more than a fabric can be.
void check_size(const document& file, std::size_t line, const model& network);

/// The cables, each once, in the order in which their first ends were told. Ends that contradict each other, loops back
/// to the same device and ends that only one side tells of become findings.
std::vector<cable> cables_of(model& network);

/// By device: 1 for switches with an adapter that is no aggregation node, n + 1 for the next ones by hops; 0 for others
/// and where no adapter is in reach.
std::vector<int> levels_of(const model& network, const std::vector<cable>& cables);

/// SHARP's device in a switch: no host's, but its switch reduces.
bool is_aggregation_node(const device& part);

topology::graph to_graph(model network, topology::provenance source);

/// 16 hexadecimal digits after an optional "0x", or fewer; 0 for anything else.
std::uint64_t parse_guid(std::string_view text) noexcept;
std::string guid_text(std::uint64_t guid);  ///< "0x506b4b0300c8ae42"

/// The id of an adapter of which only port GUIDs are known: manufacturers number them from the adapter's own.
std::string adapter_id(std::uint64_t port_guid, std::uint32_t port, std::string_view description);

}  // namespace hawser::discovery::fabric
