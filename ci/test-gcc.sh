#!/usr/bin/env bash
# What depends on the target's compiler, with g++ and without a sanitizer. The tests are those that ci/test-clang.sh built:
# the compiler is found when they run. With `all` everything is built with g++ as well, in a target directory of its own, and
# the whole of the README's test command runs, under every sanitizer.
set -euo pipefail
if [ "${1:-}" = all ]; then
  CXX=g++ CARGO_TARGET_DIR=target/gcc cargo test
  exit
fi
tests=$(cargo test --no-run --test controlled --message-format json | grep '"name":"controlled"' | grep -o '"executable":"[^"]*"' | cut -d'"' -f4)
CXX=g++ "$tests" --skip sanitizer --skip allocation_failures --skip bugs --skip fuzz_targets
