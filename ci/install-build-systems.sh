#!/usr/bin/env bash
# Installs the build systems and GoogleTest, with which docs/projects.md builds its projects, unless they are there.
set -euo pipefail
if command -v cmake && command -v meson && command -v ninja && command -v make && pkg-config --exists gtest_main; then
  exit
fi >/dev/null 2>&1
export DEBIAN_FRONTEND=noninteractive
root=()
[ "$(id -u)" = 0 ] || root=(sudo --preserve-env=DEBIAN_FRONTEND)
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq cmake meson ninja-build make pkg-config libgtest-dev
