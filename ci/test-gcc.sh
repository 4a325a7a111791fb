#!/usr/bin/env bash
# What depends on the compiler, with g++: in a target directory of its own, so that neither build undoes the other, and
# without a sanitizer. With `all` the whole of the README's test command, under every sanitizer.
set -euo pipefail
export CXX=g++ CARGO_TARGET_DIR=target/gcc
if [ "${1:-}" != all ]; then
  cargo test --test control --test control_primitives --test check_images --test scenarios -- --skip sanitizer
  exit
fi
cargo test
