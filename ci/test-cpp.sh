#!/usr/bin/env bash
# The runtime by itself: its unit tests under ctest, with clang under both sanitizers and with g++ without one, which also
# builds the bundled runtime as a target. With `all` both compilers go through every sanitizer and without, the bundled runtime
# is built under each, which cargo's tests do as well, and headers are not precompiled, so that each file must include what
# it uses.
set -euo pipefail
clang=$(compgen -c clang++- | grep -E '^clang\+\+-[0-9]+$' | sort -t- -k2 -n | tail -n 1)
for compiler in "$clang" g++; do
  sanitizers="thread address"
  if [ "$compiler" = g++ ]; then sanitizers=none; fi
  if [ "${1:-}" = all ]; then sanitizers="none thread address"; fi
  for sanitizer in $sanitizers; do
    folder=build/$compiler-$sanitizer
    unaided=OFF
    if [ "${1:-}" = all ]; then unaided=ON; fi
    cmake -S . -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DTHREADBARE_SANITIZER="$sanitizer" \
      -DCMAKE_DISABLE_PRECOMPILE_HEADERS="$unaided" >/dev/null
    tests=()
    if [ "$compiler" = g++ ] || [ "${1:-}" = all ]; then
      cmake --build "$folder"
    else
      cmake --build "$folder" --target component_tests
      tests=(--exclude-regex '^bundled_runtime$')
    fi
    ctest --test-dir "$folder" --output-on-failure --no-tests=error "${tests[@]}"
  done
done
