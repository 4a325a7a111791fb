#!/usr/bin/env bash
# The README's test command, and the controller's tests under each sanitizer, with g++: in a target directory of its
# own, so that neither build undoes the other.
set -euo pipefail
export CXX=g++ CARGO_TARGET_DIR=target/gcc
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control --test control_primitives --test check_images
done
