#!/usr/bin/env bash
# The table of docs/simulator.md: hawser's simulator and SimGrid's on 8 to 512 ranks. usage: simulate_simgrid.sh PROGRAM
set -euo pipefail
program=${1:?usage: simulate_simgrid.sh PROGRAM}
echo "# $(date -u +%FT%TZ), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo "# $0 $*"
echo "# collective, topology, algorithm, bytes per block, segments; seconds by SimGrid and hawser, difference;"
echo "# wall clock in ms of SimGrid (one run, which a process can make), hawser by classes and rank by rank (median of 21 runs,"
echo "# the first one in brackets); SimGrid's over each"
for topology in "gpu:8" "rack:4 gpu:8" "rack:8 gpu:8" "rack:16 gpu:8" "rack:32 gpu:8" "rack:64 gpu:8"; do
  inner=hierarchical\(
  if [[ $topology == rack* ]]; then
    "$program" all_reduce "$topology" "${inner}circulant,circulant)" 16777216 1
    "$program" all_reduce "$topology" "${inner}ring,circulant)" 16777216 8
    "$program" all_to_all "$topology" "${inner}pairwise,pairwise)" 65536 1
  else
    "$program" all_reduce "$topology" ring 16777216 8
    "$program" all_to_all "$topology" pairwise 65536 1
  fi
done
