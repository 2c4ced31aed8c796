#!/usr/bin/env bash
# Sets up, builds and runs all tests: everything with the preset default, then the unit tests under the sanitizers and 15 s
# of fuzzing for each reader of topology files.
# HAWSER_SANITIZERS="tsan asan fuzz" names the presets to run after it; empty for none. None begins once
# HAWSER_LAST_START minutes have passed, where that is set; it is named at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
bash tests/setup.sh test

cores=$(nproc)
read -ra sanitizers <<<"${HAWSER_SANITIZERS-tsan asan fuzz}"
failed=()
late=()
reports=build/reports
rm -rf "$reports"
mkdir -p "$reports"
export CTEST_PARALLEL_LEVEL=$cores CMAKE_BUILD_PARALLEL_LEVEL=$cores
# A fresh clone elsewhere finds what another one compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
# Ranks of the MPI tests outnumber the cores of a small machine, and in a container the user is root.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1

say() { printf '\n== %s (%dm%02ds)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

# run_preset NAME: configures, builds and tests; the results are kept in $reports
run_preset() {
  say "preset $1"
  cmake --preset "$1" || return
  if [[ $1 != fuzz && -f build/$1/unit_tests_left_out.txt ]]; then
    echo "left to the preset default: multiprocess, cli, package, $(<"build/$1/unit_tests_left_out.txt")"
  fi
  cmake --build --preset "$1" || return
  say "tests of preset $1"
  ctest --preset "$1" --output-junit "$PWD/$reports/$1.xml" --test-output-size-passed 1000000 2>&1 | tee "$reports/$1.log"
}

if [[ " ${sanitizers[*]} " == *" fuzz "* ]] && ! command -v clang++ >/dev/null; then
  say "preset fuzz is skipped: it needs clang++ (install clang)"
  for each in "${!sanitizers[@]}"; do
    if [[ ${sanitizers[each]} == fuzz ]]; then unset "sanitizers[each]"; fi
  done
fi
run_preset default || failed+=(default)
for preset in "${sanitizers[@]}"; do
  if ((SECONDS >= 60 * ${HAWSER_LAST_START:-10000})); then
    late+=("$preset")
  else
    run_preset "$preset" || failed+=("$preset")
  fi
done

if command -v python3 >/dev/null; then
  say "skipped tests"
  for preset in default "${sanitizers[@]}"; do
    python3 tests/list_skipped.py "$preset" "$reports/$preset.xml"
  done
fi
if ((${#late[@]})); then
  say "presets left out: ${late[*]} (HAWSER_LAST_START: $HAWSER_LAST_START minutes had passed)"
fi
if ((${#failed[@]})); then
  say "failed presets: ${failed[*]}"
fi
grep -E '^[0-9]+% tests passed' "$reports/default.log" 2>/dev/null || echo "the tests of preset default did not run"
((${#failed[@]} == 0))
