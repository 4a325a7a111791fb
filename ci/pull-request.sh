#!/usr/bin/env bash
# What a pull request must pass: every check, then the regression cases and a short exploration with the build that the tests
# made. Reports and findings land in reports/. BUDGET sets the time of the exploration.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p reports
bash .ci/run
cargo build
"${CARGO_TARGET_DIR:-target}/debug/threadbare" ci --budget "${BUDGET:-3m}" --findings reports/findings \
  --junit reports/junit.xml --sarif reports/threadbare.sarif --json reports/ci.json
