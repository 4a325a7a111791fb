#!/usr/bin/env bash
# What depends on the compiler, with g++: in a target directory of its own, so that neither build undoes the other. With
# `all` the whole of the README's test command, and the controller under each sanitizer.
set -euo pipefail
export CXX=g++ CARGO_TARGET_DIR=target/gcc
if [ "${1:-}" != all ]; then
  cargo test --test control --test control_primitives --test check_images --test scenarios
  exit
fi
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control --test control_primitives --test check_images
done
