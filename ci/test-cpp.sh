#!/usr/bin/env bash
# The runtime by itself: its unit tests under ctest, with clang under every sanitizer and with g++ without a sanitizer. With `all`,
# g++ too goes through every sanitizer, and the bundled runtime as a target is built under each, which cargo's tests do as well.
set -euo pipefail
clang=$(compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -t- -k2 -n | tail -n 1)
for compiler in "$clang" g++; do
  sanitizers="none thread address"
  if [ "$compiler" = g++ ] && [ "${1:-}" != all ]; then sanitizers=none; fi
  for sanitizer in $sanitizers; do
    folder=build/$compiler-$sanitizer
    cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DTHREADBARE_SANITIZER="$sanitizer" >/dev/null
    tests=()
    if [ "$sanitizer" = none ] || [ "${1:-}" = all ]; then
      cmake --build "$folder"
    else
      cmake --build "$folder" --target component_tests
      tests=(--exclude-regex '^bundled_runtime$')
    fi
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "${tests[@]}"
  done
done
