#!/usr/bin/env bash
# Builds the fuzz targets into $OUT, as ClusterFuzzLite and OSS-Fuzz ask: with $CXX, $CXXFLAGS, $LIB_FUZZING_ENGINE and
# $SANITIZER, each with its options, seeds and dictionary. Contract:
# https://google.github.io/oss-fuzz/getting-started/new-project-guide/#buildsh
set -euo pipefail
: "${SRC:?the folder that holds the project threadbare}" "${OUT:?the folder for what is built}"
project=$SRC/threadbare
engine=${LIB_FUZZING_ENGINE:-}

# Only C++ is instrumented by a sanitizer, and fuzz/controlled/build.rs chooses the flags for that; fuzz/src/lib.rs tells why.
case ${SANITIZER:-address} in
  address | thread | none) export THREADBARE_SANITIZER=${SANITIZER:-address} ;;
  *)
    echo "build.sh: SANITIZER=$SANITIZER is not supported; choose address (which brings undefined), thread or none" >&2
    exit 2
    ;;
esac

# What is left of the flags: not the sanitizer's, not another library than the hooks are written for, not less
# optimisation than symmetric transfer needs. Nor what they say of coverage: the edges of the C++ under test are counted
# anyway, and with these flags libFuzzer would count its own.
flags=()
for flag in ${CXXFLAGS:-}; do
  case $flag in
    -fsanitize* | -fno-sanitize* | -stdlib=* | -O*) ;;
    *) flags+=("$flag") ;;
  esac
done
export CXXFLAGS="${flags[*]}"
unset CFLAGS

# libfuzzer-sys brings a libFuzzer of its own; another engine is linked in its place.
if [[ $engine == *.a ]]; then
  export CUSTOM_LIBFUZZER_PATH=$engine
elif [ -n "$engine" ] && [ "$engine" != -fsanitize=fuzzer ]; then
  echo "build.sh: LIB_FUZZING_ENGINE=$engine is neither -fsanitize=fuzzer nor a static library" >&2
  exit 2
fi

# Edges of the Rust side count too: the options that cargo-fuzz gives, which stable Rust knows. This replaces what the image sets.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
export THREADBARE_CONTROLLED_RUSTFLAGS=$RUSTFLAGS

# With a target named, flags do not reach build scripts, which have no libFuzzer to call.
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$project/fuzz/target}
cargo build --release --locked --manifest-path "$project/fuzz/Cargo.toml" --target "$host"
# It did that too, unless it was up to date and another build came in between.
controlled=$CARGO_TARGET_DIR/$host/controlled
cargo build --release --locked --manifest-path "$project/fuzz/controlled/Cargo.toml" --target "$host" --target-dir "$controlled"

mkdir -p "$OUT"
for source in "$project"/fuzz/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  # What the target becomes, if that was built apart: it goes to $OUT alone.
  built=$controlled/$host/release/$target
  [ -e "$built" ] || built=$CARGO_TARGET_DIR/$host/release/$target
  cp "$built" "$OUT/"
  rm -f "$OUT/${target}_seed_corpus.zip"
  (cd "$project/fuzz/seeds/$target" && cmake -E tar cf "$OUT/${target}_seed_corpus.zip" --format=zip -- *)
  for kind in options dict; do
    [ ! -e "$project/fuzz/$target.$kind" ] || cp "$project/fuzz/$target.$kind" "$OUT/"
  done
done
