#!/usr/bin/env bash
# What takes too long for every change: scenarios and unit tests under the remaining sanitizers, a long campaign, the search for every
# fault with control and without, and the pace. Figures land in nightly/.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p nightly
bash ci/test-gcc.sh all
for sanitizer in address thread; do
  CXX=g++ CARGO_TARGET_DIR=target/gcc cargo test --features "$sanitizer" --test scenarios --test allocation_failures
done
for sanitizer in address thread; do
  cargo test --features "$sanitizer" --test scenarios
done
bash ci/test-cpp.sh all
bash ci/check-examples.sh
cargo test --test clusterfuzzlite -- --ignored
cargo test --release --test inputs -- --ignored
cargo build --release
threadbare=${CARGO_TARGET_DIR:-target}/release/threadbare
"$threadbare" bench --json nightly/bench.json
"$threadbare" faults --trials 20 --free --json nightly/faults.json
"$threadbare" fuzz --seconds "${SECONDS_TO_FUZZ:-3600}" --seed "$(date +%Y%m%d)" --findings nightly/findings --json nightly/fuzz.json
