#!/usr/bin/env bash
# Runs what needs a GPU, one log per part, under bench/results/gpu/<date>-<gpu>/ (or the folder given). Exit code 77 where
# there is no GPU. usage: bench/gpu/run_all.sh [FOLDER]     BUILD=build/default names the build.
set -uo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-build/default}
if ! command -v nvidia-smi >/dev/null || ! gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1) || [[ -z $gpu ]]; then
  echo "SKIPPED: no GPU (nvidia-smi is missing or lists none)"
  exit 77
fi
if [[ ! -x $build/bin/test_gpu.all ]]; then
  cmake --preset default -DHAWSER_WITH_CUDA=ON && cmake --build "$build" --target test_gpu.all gpu_bench hawser_program || exit 2
fi
out=${1:-bench/results/gpu/$(date +%F)-${gpu// /-}}
mkdir -p "$out"
failed=0
# part NAME COMMAND...: at most 10 minutes, its output and exit code kept
part() {
  local name=$1
  shift
  { echo "\$ $*"; date -u +%FT%TZ; timeout 600 "$@"; } >"$out/$name.log" 2>&1
  local code=$?
  echo "exit code $code" >>"$out/$name.log"
  printf '%-28s %s\n' "$name" "$([[ $code == 0 ]] && echo passed || echo "exit code $code")"
  [[ $code == 0 ]] || failed=1
}
nvidia-smi -q >"$out/machine.log"
nvidia-smi topo -m >>"$out/machine.log" 2>&1
part B-reduce "$build/bin/test_gpu.all" --gtest_filter='gpu_reduction*'
part C-reduce-speed "$build/bin/hawser" tune --device
part D-ranks-in-one-grid env HAWSER_GPU_CALLS=100000 "$build/bin/test_gpu.all" --gtest_filter='ranks_in_one_grid*'
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck; do
    part "E-$tool" env HAWSER_GPU_CALLS=20 compute-sanitizer --error-exitcode 1 --tool $tool "$build/bin/test_gpu.all" \
      --gtest_filter='ranks_in_one_grid.many*'
  done
else
  echo "E-memcheck, E-racecheck      left out: compute-sanitizer is not installed"
fi
part F-graph-replay "$build/bin/gpu_bench"
part G-ranks-as-threads "$build/bin/test_gpu.all" --gtest_filter='group_on_one_gpu*'
if [[ -x $build/bin/test_gpu.nccl ]] || cmake --build "$build" --target test_gpu.nccl 2>/dev/null; then
  part I-nccl "$build/bin/test_gpu.nccl"
else
  echo "I-nccl                       left out: hawser::nccl was not built"
fi
echo "H (processes, cudaIpc and descriptors), I (NCCL) and J (UCX) have no program yet: see docs/gpu.md"
echo "logs: $out"
exit $failed
