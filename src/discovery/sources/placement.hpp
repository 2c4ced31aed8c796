// What schedulers say of a cluster, switches above hosts and NVLink domains of hosts, as a topology graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/topology/graph.hpp>

#include "discovery/text.hpp"

namespace hawser::discovery {

/// A switch and what is below it, by name.
struct switch_record {
  std::string name;
  std::vector<std::string> switches;
  std::vector<std::string> hosts;
  std::map<std::string, std::string> attributes;
};

/// Hosts that share an NVLink domain: a Slurm block, a clique, an accelerator domain.
struct domain_record {
  std::string name;
  std::vector<std::string> hosts;
  std::string identity;
  std::map<std::string, std::string> attributes;
};

/// Builds the graph of one file. At most so many findings of one code are kept; the last one says how many there were.
class placement {
 public:
  placement(const document& file, topology::provenance source) : file_(file), source_(source) {}

  /// The host of a name, added where it is new.
  topology::node_index host(const std::string& name);

  /// Adds a tree of switches: tiers count from the leaves. A cycle is cut, with a finding that names it. Unless
  /// `may_be_implicit`, a child that has no definition of its own is a finding.
  void add_switches(std::vector<switch_record> records, bool may_be_implicit);

  /// A switch of a given tier, by identity; the same where it is there already.
  topology::node_index add_switch(int tier, const std::string& name, const std::string& identity,
                                  std::map<std::string, std::string> attributes);

  /// One link of the network, unless the two are joined already.
  void join(topology::node_index lower, topology::node_index upper);

  /// Adds each domain as a virtual NVSwitch that joins its hosts; `level` names the level that they make, if not empty.
  void add_domains(const std::vector<domain_record>& domains, const std::string& level);

  /// Says that the NVSwitches of a host are those of a domain: sources that know no cliques call them by the host.
  void say_switches(const std::string& host, const std::string& domain_identity);

  /// Slurm's aggregated blocks: groups of successive domains as virtual switches above the hosts. Each of the sizes is
  /// the first one times a power of two, which is the number of domains in a group.
  void aggregate(const std::vector<domain_record>& domains, const std::vector<std::int64_t>& block_sizes);

  /// Where the parts that hold hosts are not connected: a virtual switch above them, and a finding.
  void join_roots();

  void note(topology::severity level, const std::string& code, const std::string& subject, const std::string& message);

  topology::graph& machine() noexcept { return machine_; }
  const document& file() const noexcept { return file_; }
  topology::provenance source() const noexcept { return source_; }
  /// The graph; join_roots() and the counts of the findings are done.
  topology::graph finish();

 private:
  std::vector<topology::node_index> group_switches(const std::vector<domain_record>& domains, std::size_t group,
                                                   std::int64_t size, int tier);

  const document& file_;
  topology::provenance source_;
  topology::edge_kind network_ = topology::edge_kind::ethernet;
  topology::graph machine_;
  std::unordered_map<std::string, topology::node_index> host_of_name_;
  std::map<std::string, std::size_t> notes_of_code_;
};

}  // namespace hawser::discovery
