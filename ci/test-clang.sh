#!/usr/bin/env bash
# The README's test command, and the tests that run the subject in their own process under each sanitizer, with clang.
# (The scenarios under sanitizers are the nightly's.)
set -euo pipefail
cargo test
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test control --test control_primitives --test allocation_failures --test check_images
done
