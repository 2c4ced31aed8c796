#!/bin/sh
# usage: pkg_config.sh PKG_CONFIG COMPILER PC_FOLDER SOURCES BUILD: builds and runs the consumers with pkg-config's flags.
set -eu
pkg_config=$1 compiler=$2 sources=$4 build=$5
export PKG_CONFIG_PATH="$3"
for component in core topology runtime; do
  program=$build/pkg_config_$component
  # shellcheck disable=SC2046 # the flags are words
  "$compiler" -std=c++20 "$sources/$component.cpp" $("$pkg_config" --cflags --libs "hawser-$component") -o "$program"
  "$program" | grep "consumed hawser::$component"
done
