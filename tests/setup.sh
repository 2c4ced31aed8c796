#!/usr/bin/env bash
# Installs through apt what the build (argument "build") or the build and its tests ("test") lack; where it may not, it
# says what is missing and goes on, unless the build cannot do without. CUDA is never installed, only used where found.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# package, command or file (a pattern) that shows its presence, and who needs it: needed (cannot build without), build, test
table() {
  cat <<'LIST'
g++                 g++                                    needed
cmake               cmake                                  needed
ninja-build         ninja                                  needed
ccache              ccache                                 build
pkg-config          pkg-config                             build
libucx-dev          /usr/include/ucp/api/ucp.h             build
libopenmpi-dev      mpicxx                                 build
openmpi-bin         mpirun                                 build
libmpich-dev        /usr/bin/mpicc.mpich                   build
mpich               /usr/bin/mpirun.mpich                  test
python3-mpi4py      /usr/lib/python3/dist-packages/mpi4py/__init__.py  test
gfortran            gfortran                               test
nlohmann-json3-dev  /usr/include/nlohmann/json.hpp         build
libcli11-dev        /usr/include/CLI/CLI.hpp               build
libpugixml-dev      /usr/include/pugixml.hpp               build
libyaml-cpp-dev     /usr/include/yaml-cpp/yaml.h           build
libhwloc-dev        /usr/include/hwloc.h                   build
libibnetdisc-dev    /usr/include/infiniband/ibnetdisc.h    build
libibmad-dev        /usr/include/infiniband/mad.h          build
libibumad-dev       /usr/include/infiniband/umad.h         build
libssl-dev          /usr/include/openssl/ssl.h             build
libprotobuf-dev     /usr/include/google/protobuf/message_lite.h  build
protobuf-compiler   protoc                                 build
graphviz            dot                                    build
libgtest-dev        /usr/include/gtest/gtest.h             test
libbenchmark-dev    /usr/include/benchmark/benchmark.h     test
python3             python3                                test
python3-jsonschema  /usr/lib/python3/dist-packages/jsonschema/__init__.py  test
iproute2            /usr/sbin/tc                           test
procps              pgrep                                  test
universal-ctags     ctags                                  test
dpkg-dev            dpkg-shlibdeps                         test
clang               clang++                                test
libclang-rt-14-dev  /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a  test
ibsim-utils         /usr/bin/ibsim                         test
opensm              /usr/sbin/opensm                       test
infiniband-diags    /usr/sbin/ibnetdiscover                test
libsimgrid-dev      /usr/include/simgrid/s4u.hpp           test
LIST
}

is_present() {
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# missing KIND...: the packages of these kinds that are not there
missing() {
  local package probe kind
  while read -r package probe kind; do
    if [[ " $* " == *" $kind "* ]] && ! is_present "$probe"; then echo "$package"; fi
  done < <(table)
}

install_with_apt() {
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    echo "setup: this is not a Debian system, so nothing is installed"
    return
  elif [[ $(id -u) -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "setup: not root, and no sudo without a password, so nothing is installed"
      return
    fi
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
  fi
  local apt=("${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update </dev/null || echo "setup: apt-get update failed; trying with the lists that are there"
  # One package that cannot be had must not keep the others away.
  "${apt[@]}" install -y --no-install-recommends "$@" </dev/null && return
  local package
  for package in "$@"; do
    "${apt[@]}" install -y --no-install-recommends "$package" </dev/null || echo "setup: $package could not be installed"
  done
}

main() {
  local kinds=(needed build)
  case ${1-} in
    build) ;;
    test) kinds+=(test) ;;
    *) echo "usage: setup.sh build|test" >&2; return 2 ;;
  esac
  local packages
  mapfile -t packages < <(missing "${kinds[@]}")
  if ((${#packages[@]})); then
    echo "setup: missing: ${packages[*]}"
    install_with_apt "${packages[@]}"
  fi
  mapfile -t packages < <(missing "${kinds[@]}")
  if ((${#packages[@]})); then
    echo "setup: still missing: ${packages[*]}; as root: apt-get install ${packages[*]}"
  fi
  mapfile -t packages < <(missing needed)
  if ((${#packages[@]})); then
    echo "setup: cannot go on without ${packages[*]}" >&2
    return 1
  fi
}

main "$@"
