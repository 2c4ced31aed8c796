#!/bin/sh
# What MPI launchers call in place of ssh: node_shell.sh [-option...] NODE COMMAND... runs COMMAND in a node of the
# emulated cluster. HAWSER_RACKS_HOLDERS is a file of "NODE PROCESS" lines.
while [ "${1#-}" != "$1" ]; do
  case $1 in
    -o | -l | -p | -i) shift 2 ;;
    *) shift ;;
  esac
done
node=$1
shift
process=$(sed -n "s/^$node //p" "$HAWSER_RACKS_HOLDERS")
if [ -z "$process" ]; then
  echo "compare: there is no node \"$node\"" >&2
  exit 1
fi
exec nsenter --target "$process" --mount --uts --ipc --net sh -c "$*"
