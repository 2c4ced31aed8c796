#!/bin/sh
# usage: deb.sh CPACK BUILD FOLDER HAS_PROGRAM: makes the Debian packages in FOLDER and looks at what they hold.
set -eu
for tool in dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (package dpkg-dev)"; exit 77; }
done
cpack=$1 build=$2 folder=$3 has_program=$4
rm -rf "$folder"
"$cpack" -G DEB --config "$build/CPackConfig.cmake" -B "$folder"

# holds PACKAGE PATTERN
holds() {
  dpkg-deb --contents "$folder/$1"_*.deb | grep -q -E "$2" || { echo "$1 lacks $2"; exit 1; }
}
lacks() {
  ! dpkg-deb --contents "$folder/$1"_*.deb | grep -E "$2" || { echo "$1 should not hold $2"; exit 1; }
}
holds libhawser-dev '/usr/include/hawser/core/error.hpp$'
holds libhawser-dev '/usr/include/hawser.h$'
holds libhawser-dev '/cmake/hawser/hawserConfig.cmake$'
holds libhawser-dev '/cmake/hawser/hawser-core-targets.cmake$'
holds libhawser-dev '/pkgconfig/hawser-core.pc$'
holds libhawser-dev '/libhawser_runtime\.(a|so)$'
lacks libhawser-dev '/usr/bin/'
[ "$(dpkg-deb --field "$folder"/libhawser-dev_*.deb Package)" = libhawser-dev ]
if [ "$has_program" = 1 ]; then
  holds hawser '/usr/bin/hawser$'
  lacks hawser '/usr/include/'
  dpkg-deb --field "$folder"/hawser_*.deb Depends | grep -q libc6 || { echo "hawser has no dependence on libc6"; exit 1; }
fi
