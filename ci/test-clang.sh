#!/usr/bin/env bash
# The README's test command, and the tests that run the subject in their own process under each sanitizer, with clang.
set -euo pipefail
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control --test scenarios --test allocation_failures
done
