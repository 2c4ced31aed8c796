// The text of a topology.conf as plain records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <hawser/topology/finding.hpp>

#include "placement.hpp"

namespace hawser::discovery {

struct slurm_conf_document {
  std::vector<switch_record> switches;
  std::vector<domain_record> blocks;
  bool has_block_sizes = false;
  std::vector<std::int64_t> block_sizes;
  std::size_t commented_out = 0;  ///< definitions behind a '#'
  std::vector<topology::finding> findings;
};

/// Reads the lines as Slurm does: continuation by a backslash, comments, quoted values, keys in any case. `Include` is
/// followed to files beside or below the file itself and is a finding elsewhere. Throws errc::parse with file and line.
slurm_conf_document parse_slurm_conf(const document& file);

/// Why Slurm would refuse the sizes of aggregated blocks; empty where it takes them.
std::string problem_of_block_sizes(const std::vector<std::int64_t>& sizes);

/// The graph of switches and blocks, with `source` as provenance.
void place_slurm(placement& into, std::vector<switch_record> switches, const std::vector<domain_record>& blocks,
                 const std::vector<std::int64_t>& block_sizes);

}  // namespace hawser::discovery
