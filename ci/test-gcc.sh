#!/usr/bin/env bash
# The same with g++, in a target directory of its own so that neither build undoes the other.
set -euo pipefail
export CXX=g++ CARGO_TARGET_DIR=target/gcc
bash ci/test-clang.sh
