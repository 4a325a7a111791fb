#!/usr/bin/env bash
# Formatting and lints, warnings being errors.
set -euo pipefail
cargo fmt --check
cargo clippy --all-targets -- -D warnings
