#!/bin/sh
# usage: pkg_config.sh PKG_CONFIG COMPILER PC_FOLDER SOURCES BUILD C_COMPILER: builds and runs the consumers with
# pkg-config's flags.
set -eu
pkg_config=$1 compiler=$2 sources=$4 build=$5 c_compiler=$6
export PKG_CONFIG_PATH="$3"
for component in core topology runtime; do
  program=$build/pkg_config_$component
  # shellcheck disable=SC2046 # the flags are words
  "$compiler" -std=c++20 "$sources/$component.cpp" $("$pkg_config" --cflags --libs "hawser-$component") -o "$program"
  "$program" | grep "consumed hawser::$component"
done
# A C program is compiled by a C compiler and, against a static library, linked by a C++ one.
# shellcheck disable=SC2046 # the flags are words
"$c_compiler" -std=c99 -c "$sources/runtime.c" $("$pkg_config" --cflags hawser-runtime) -o "$build/pkg_config_c.o"
# shellcheck disable=SC2046 # the flags are words
"$compiler" "$build/pkg_config_c.o" $("$pkg_config" --libs hawser-runtime) -o "$build/pkg_config_c"
"$build/pkg_config_c" | grep "consumed hawser::runtime in C"
