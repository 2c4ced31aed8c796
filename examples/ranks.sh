#!/usr/bin/env bash
# usage: ranks.sh N PROGRAM [ARGUMENT...]: starts N ranks of a program on this host with torchrun's variables.
set -euo pipefail
ranks=$1
shift
export WORLD_SIZE=$ranks MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-$((20000 + $$ % 12000))}
export HAWSER_SECRET=${HAWSER_SECRET:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
started=()
for ((rank = 0; rank < ranks; ++rank)); do
  RANK=$rank LOCAL_RANK=$rank "$@" &
  started+=($!)
done
status=0
for each in "${started[@]}"; do wait "$each" || status=$?; done
exit "$status"
