#!/usr/bin/env bash
# The README's test command, and the controller's tests under each sanitizer, with clang.
set -euo pipefail
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control
done
