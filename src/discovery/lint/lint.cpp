// The registry of lint rules: one line per code.
#include <hawser/discovery/lint.hpp>

#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "rules.hpp"

namespace hawser::discovery {

namespace {

constexpr std::array rules = {
    lint_rule{"gpu-lost", "a GPU that the driver cannot talk to", check_lost_gpus},
    lint_rule{"mig-enabled", "a GPU divided by MIG, whose instances have no peer access", check_mig},
    lint_rule{"ragged-hosts", "hosts with another number of GPUs than most", check_ragged_hosts},
    lint_rule{"missing-numa", "parts on NUMA node -1, which is none", check_numa},
    lint_rule{"gpu-without-nvlink", "a GPU without NVLink among peers that have it", check_missing_nvlink},
    lint_rule{"unequal-nvlinks", "GPUs of a host or domain with different numbers of NVLinks", check_unequal_nvlinks},
    lint_rule{"inactive-nvlinks", "NVLinks that are down", check_inactive_nvlinks},
    lint_rule{"not-multi-node", "a clique id with a zero cluster UUID, which is no domain of several hosts",
              check_multi_node},
    lint_rule{"sentinel-clique", "clique ids and UUIDs that mean none, or that every rack uses",
              check_sentinel_cliques},
    lint_rule{"mixed-cliques", "GPUs of one host in different NVLink domains", check_mixed_cliques},
    lint_rule{"fabric-not-ready", "GPUs that have not joined the NVLink fabric", check_fabric_state},
    lint_rule{"fabric-failed", "GPUs that failed to join the NVLink fabric", check_fabric_status},
    lint_rule{"fabric-health", "a health mask of the NVLink fabric that is not in order", check_fabric_health},
    lint_rule{"narrow-link", "a link with fewer lanes than it could have or its like do", check_narrow_links},
    lint_rule{"slow-link", "a link slower than it could be or its like are", check_slow_links},
    lint_rule{"nic-down", "a NIC whose port is not active", check_nic_ports},
    lint_rule{"asymmetric-nics", "NICs of one host at different rates, hosts with different numbers of them",
              check_asymmetric_nics},
    lint_rule{"gpu-without-nic", "GPUs without any NIC where those of other hosts have one", check_missing_nics},
    lint_rule{"shared-nic", "more GPUs than NICs that are nearest to them", check_shared_nics},
    lint_rule{"switch-cycle", "switches of one tier in a ring or mesh", check_switch_cycles},
    lint_rule{"several-roots", "a network of several trees that nothing joins", check_roots},
    lint_rule{"host-under-two-leaves", "a host below more switches than most", check_leaves_of_hosts},
    lint_rule{"host-missing-rail", "a host below fewer switches than most", check_missing_rails},
    lint_rule{"host-without-switch", "a host below no switch where others are", check_unattached_hosts},
    lint_rule{"self-loop", "a link of the network that leads back to its own host", check_self_loops},
};

// Some facts a source sees in its file already, with its line; lint does not repeat them. Of several roots there is one
// finding at most, whose subject lists them.
std::string_view subject_in(const topology::finding& each) {
  return each.code == "several-roots" ? std::string_view() : std::string_view(each.subject);
}

}  // namespace

std::span<const lint_rule> lint_rules() {
  return rules;
}

std::vector<topology::finding> lint(const topology::graph& machine) {
  std::vector<topology::finding> found = machine.findings();
  std::set<std::pair<std::string_view, std::string_view>> told;
  for (const topology::finding& each : machine.findings()) told.emplace(each.code, subject_in(each));
  for (const lint_rule& rule : lint_rules()) {
    std::vector<topology::finding> made;
    rule.check(machine, made);
    for (topology::finding& each : made)
      if (!told.contains({each.code, subject_in(each)})) found.push_back(std::move(each));
  }
  return found;
}

}  // namespace hawser::discovery
