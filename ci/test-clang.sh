#!/usr/bin/env bash
# The README's test command, and the tests that run the subject in their own process under each sanitizer, with clang.
# (The scenarios under ThreadSanitizer are the nightly's: they take a minute.)
set -euo pipefail
cargo test
cargo test --features address --test control --test control_primitives --test allocation_failures --test scenarios --test check_images
cargo test --features thread --test control --test control_primitives --test allocation_failures --test check_images
