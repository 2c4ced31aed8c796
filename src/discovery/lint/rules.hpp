// All lint rules, one function per code; lint.cpp says what each is about.
#pragma once

#include <vector>

#include "parts.hpp"

namespace hawser::discovery {

using findings = std::vector<finding>;

// gpus.cpp
void check_lost_gpus(const graph& machine, findings& found);
void check_mig(const graph& machine, findings& found);
void check_ragged_hosts(const graph& machine, findings& found);
// numa.cpp
void check_numa(const graph& machine, findings& found);
// nvlink.cpp
void check_missing_nvlink(const graph& machine, findings& found);
void check_unequal_nvlinks(const graph& machine, findings& found);
void check_inactive_nvlinks(const graph& machine, findings& found);
// clique.cpp
void check_multi_node(const graph& machine, findings& found);
void check_sentinel_cliques(const graph& machine, findings& found);
void check_mixed_cliques(const graph& machine, findings& found);
// fabric.cpp
void check_fabric_state(const graph& machine, findings& found);
void check_fabric_status(const graph& machine, findings& found);
void check_fabric_health(const graph& machine, findings& found);
// links.cpp
void check_narrow_links(const graph& machine, findings& found);
void check_slow_links(const graph& machine, findings& found);
// nics.cpp
void check_nic_ports(const graph& machine, findings& found);
void check_asymmetric_nics(const graph& machine, findings& found);
void check_missing_nics(const graph& machine, findings& found);
// shared_nic.cpp
void check_shared_nics(const graph& machine, findings& found);
// switch_tree.cpp
void check_switch_cycles(const graph& machine, findings& found);
void check_roots(const graph& machine, findings& found);
// attachment.cpp
void check_leaves_of_hosts(const graph& machine, findings& found);
void check_missing_rails(const graph& machine, findings& found);
void check_unattached_hosts(const graph& machine, findings& found);
void check_self_loops(const graph& machine, findings& found);

}  // namespace hawser::discovery
