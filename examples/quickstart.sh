#!/usr/bin/env bash
# Sets up, builds the program and runs its main job: a hierarchical all-reduce and an all-to-all between the processes
# of 2 racks x 4, each planned, explained, run and checked against a reference.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/setup.sh build

cmake --preset default -DHAWSER_BUILD_TESTS=OFF -DHAWSER_BUILD_EXAMPLES=OFF -DHAWSER_BUILD_BENCH=OFF
if ! cmake --build --preset default --parallel "$(nproc)" --target hawser_program; then
  echo "quickstart: the program was not built; the summary of the configuration above says what it lacks" >&2
  exit 1
fi

for collective in all_reduce all_to_all; do
  command=(build/default/bin/hawser run "$collective" --racks 2 --ranks-per-rack 4 --bytes 16MiB --explain)
  printf '\n$ %s\n' "${command[*]}"
  "${command[@]}" </dev/null
done
printf '\nBoth collectives gave checked results.\n'
