// A rank's schedule as an execution trace of MLCommons Chakra, which ASTRA-sim and others read.
// Sridharan et al.: Chakra: Advancing Performance Benchmarking and Co-design using Standardized Execution Traces
// (2023).
#pragma once

#include <string>

#include <hawser/cost/parameters.hpp>
#include <hawser/schedule/program.hpp>
#include <hawser/schedule/request.hpp>

namespace hawser::cli {

/// Throws errc::unsupported where this program was built without protobuf.
void check_chakra();

/// The contents of that rank's file: metadata, then one node per step, each behind its length, one segment. Reductions
/// and copies are compute nodes, timed by `host.reduction` in microseconds, rounded; a reduction of what arrives is a
/// node of its own. The k-th message from one rank to another on channel c has tag 65536 c + k at both ends. Throws
/// errc::unsupported without protobuf, and where tags do not suffice.
std::string to_chakra(const schedule::program& code, const schedule::request& what, const cost::parameters& host);

}  // namespace hawser::cli
