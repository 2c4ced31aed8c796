// In-network reduction where the switches cannot reduce: a process beside a switch does it for them.
#pragma once

#include <memory>
#include <string>

#include <hawser/bootstrap/bootstrap.hpp>
#include <hawser/communicator/options.hpp>

namespace hawser {

/// Joins the job in place of a switch, as one of its last processes, and serves the calls of its ranks until they end:
/// the algorithm in_network sends to it, and the planner considers that where every switch of a level has one. `level`
/// names the units that the switch joins ("rack": the switch between the racks), empty: the outermost level with
/// several; the j-th process that names a level serves its j-th switch. Collective with the communicators of all ranks;
/// options are theirs. Returns when rank 0 leaves the job in good order. Throws as `communicator`; later
/// errc::peer_failed that names the rank, errc::aborted, and what else ends the job.
void serve_switch(std::unique_ptr<bootstrap::bootstrap> job, communicator_options options, std::string level = {});

}  // namespace hawser
