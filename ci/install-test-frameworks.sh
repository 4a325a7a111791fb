#!/usr/bin/env bash
# Installs the framework of tests with which docs/tests.md builds its program, unless it is there.
set -euo pipefail
if [ -e /usr/include/gtest/gtest.h ]; then
  exit
fi
export DEBIAN_FRONTEND=noninteractive
root=()
[ "$(id -u)" = 0 ] || root=(sudo --preserve-env=DEBIAN_FRONTEND)
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq libgtest-dev
