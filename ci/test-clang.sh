#!/usr/bin/env bash
# The README's test command, with clang: everything, under every sanitizer. (The scenarios under sanitizers are the
# nightly's.)
set -euo pipefail
cargo test
