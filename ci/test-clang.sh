#!/usr/bin/env bash
# The README's test command, and the tests of the controller and of failing allocations under each sanitizer, with clang.
set -euo pipefail
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control --test allocation_failures
done
