// Measuring over a running communicator: calibration of its hierarchy, inference of its racks.
#pragma once

#include <hawser/communicator/communicator.hpp>
#include <hawser/tune/calibrate.hpp>
#include <hawser/tune/infer.hpp>

namespace hawser {

/// Collective, and nothing else of the communicator is under way: measures its links, level by level. The result, with
/// date, host and transports, is the same on all ranks. Throws errc::unsupported without JSON, and as messages do.
tune::tuning calibrate(communicator& members, const tune::effort& how = {});
/// The same for another hierarchy of the same ranks, equal on all of them.
tune::tuning calibrate(communicator& members, const topology::hierarchy& tree, const tune::effort& how = {});

/// Collective, as above: which hosts stand in one rack, by measurement. The same on all ranks.
tune::inferred infer_racks(communicator& members, const tune::infer_options& how = {});

/// The hierarchy of this communicator's ranks in these racks. With `takes_rates` its links have the rates that
/// inference met; without, its fingerprint is that of every such job, and fits a tuning file.
topology::hierarchy hierarchy_of(const communicator& members, const tune::inferred& racks, bool takes_rates);

}  // namespace hawser
