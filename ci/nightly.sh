#!/usr/bin/env bash
# What takes too long for every change: `ci/nightly.sh PART…`, or every part.
#   tests                   scenarios and unit tests under the remaining compilers and sanitizers, the examples to check,
#                           random programs by tens of thousands
#   pages                   pages of cases in a headless Chromium (chromium and chromedriver, or Debian's chromium-driver; node 18)
#   field                   a long exploration of what Debian has of others' concurrent libraries, and all shipped adapters
#   figures                 the search for every seeded bug with control and without, and the throughput
#   none, thread, address   a long exploration under this sanitizer, and its fuzz targets from where the last night ended
# Figures, reports and findings land in nightly/, the corpora in fuzz/corpus/. BUDGET sets the time of each
# exploration, TARGET_SECONDS that of each fuzz target.
set -euo pipefail
cd "$(dirname "$0")/.."
threadbare=${CARGO_TARGET_DIR:-target}/release/threadbare
seed=$(date +%Y%m%d)
status=0

# Goes on after what found something, and remembers it.
run() {
  echo "== $*"
  "$@" || status=$?
}

tests() {
  bash ci/install-packages.sh lldb
  run bash ci/test-gcc.sh all
  export THREADBARE_ALL_SANITIZERS=1
  run env CXX=g++ CARGO_TARGET_DIR=target/gcc cargo test --test controlled scenarios
  run cargo test --test controlled scenarios
  judge
  run bash ci/test-cpp.sh all
  run bash ci/check-examples.sh
  run cargo test --test library -- --ignored clusterfuzzlite cargo_fuzz
  run cargo test --release --test library --test cli -- --ignored inputs fuzz_findings lldb
}

# Tens of thousands of random programs, other ones each night, under both compilers.
judge() {
  export THREADBARE_JUDGE_SEED=${seed}000000 THREADBARE_JUDGE_TIMES=${JUDGE_TIMES:-50}
  run env CXX=g++ CARGO_TARGET_DIR=target/gcc cargo test --test controlled judge
  run cargo test --test controlled judge
}

# Pages of a program, of a task graph and of ten thousand steps, opened, clicked through, searched and measured.
pages() {
  cargo build --release
  local tool folder=nightly/pages case
  tool=$(realpath "$threadbare")
  rm -rf "$folder" && mkdir -p "$folder"
  for source in examples/check/lost_update.c examples/check/lock_order.c ci/many_steps.c; do
    "$tool" check "$source" --sanitizer none --executions 300 --stop-at-first --seed 3 --findings "$folder" > /dev/null || true
  done
  cp tests/corpus/lost-notify.case "$folder"
  for case in "$folder"/*.case; do
    run "$tool" show "$case" --format html --output "$case.html"
  done
  run node ci/test-page.mjs "$folder"/*.html
}

# Libraries that others wrote and many use, also by way of adapters: nothing may be reported there that is not so.
field() {
  bash ci/install-packages.sh libboost1.81-dev libconcurrentqueue-dev libreaderwriterqueue-dev
  cargo build --release
  local tool
  tool=$(realpath "$threadbare")
  cd tests/field
  run "$tool" check --executions "${FIELD_EXECUTIONS:-1000000}" --seed "$seed"
  cd ../..
  # oneTBB's scheduler is compiled from its sources.
  local tbb=nightly/onetbb
  bash ci/fetch-onetbb.sh "$tbb"
  CPLUS_INCLUDE_PATH=$(realpath "$tbb")/include:$(realpath "$tbb")/src
  export CPLUS_INCLUDE_PATH
  for runtime in jthread-pool asio boost-asio onetbb; do
    run "$tool" runtime check --runtime "$runtime"
    run "$tool" fuzz --runtime "$runtime" --threads 1,2,3,4 --executions "${ADAPTER_EXECUTIONS:-600000}" --seed "$seed"
  done
  unset CPLUS_INCLUDE_PATH
}

figures() {
  cargo build --release
  run "$threadbare" bench --json nightly/bench.json
  run "$threadbare" bugs --trials 20 --free --json nightly/bugs.json
  run "$threadbare" bugs --trials 20 --search coverage-guided --json nightly/bugs-guided.json
}

explore() {
  local sanitizer=$1 results=nightly/$1
  mkdir -p "$results/findings"
  cargo build --release
  local campaign=fuzz/corpus/$sanitizer/campaign
  run "$threadbare" ci --budget "${BUDGET:-1h}" --seed "$seed" --sanitizer "$sanitizer" --corpus "$campaign" \
    --findings "$results/findings" \
    --junit "$results/junit.xml" --sarif "$results/threadbare.sarif" --json "$results/ci.json"
  # The orders of the bundled runtime.
  run "$threadbare" fuzz --memory cpp20 --sanitizer "$sanitizer" --threads 2,3,4,8 \
    --executions "${WEAK_EXECUTIONS:-1000000}" --seed "$seed" --findings "$results/findings"

  run "$threadbare" corpus minimise "$campaign"

  local targets=(differential lease) limits=(-max_len=4096 -timeout=60 -rss_limit_mb=4096)
  # No sanitizer changes anything about these two.
  [ "$sanitizer" != none ] || targets+=(text history)
  local built=$PWD/build/targets/$sanitizer
  mkdir -p "$built/source"
  ln -sfn "$PWD" "$built/source/threadbare"
  SRC=$built/source OUT=$built SANITIZER=$sanitizer bash .clusterfuzzlite/build.sh
  for target in "${targets[@]}"; do
    local corpus=fuzz/corpus/$sanitizer/$target
    mkdir -p "$corpus"
    run "$built/$target" -max_total_time="${TARGET_SECONDS:-900}" "${limits[@]}" -artifact_prefix="$results/findings/$target-" \
      "$corpus" "fuzz/seeds/$target"
    # Only what adds something is worth a place in the next night.
    rm -rf "$corpus.new" && mkdir "$corpus.new"
    if "$built/$target" -merge=1 "${limits[@]}" "$corpus.new" "$corpus"; then
      rm -r "$corpus" && mv "$corpus.new" "$corpus"
    fi
  done
}

mkdir -p nightly
[ $# -gt 0 ] || set -- tests pages field figures none thread address
for part in "$@"; do
  case $part in
    tests | pages | field | figures) "$part" ;;
    none | thread | address) explore "$part" ;;
    *)
      echo "nightly.sh: there is no part $part; choose tests, pages, field, figures, none, thread or address" >&2
      exit 2
      ;;
  esac
done
exit "$status"
