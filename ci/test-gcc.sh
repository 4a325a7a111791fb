#!/usr/bin/env bash
# What depends on the compiler, with g++: in a target directory of its own, so that neither build undoes the other, and
# without a sanitizer. With `all` the whole of the README's test command, under every sanitizer.
set -euo pipefail
export CXX=g++ CARGO_TARGET_DIR=target/gcc
if [ "${1:-}" != all ]; then
  cargo test --test controlled -- --skip sanitizer --skip allocation_failures --skip bugs --skip fuzz_targets
  exit
fi
cargo test
