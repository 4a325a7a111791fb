#!/usr/bin/env bash
# Installs the newest clang that the system offers with its sanitizers, cmake and ninja, unless they are there.
set -euo pipefail
if { command -v clang++-22 || command -v clang++-19; } >/dev/null && command -v cmake >/dev/null && command -v ninja >/dev/null; then
  exit
fi
export DEBIAN_FRONTEND=noninteractive
root=()
[ "$(id -u)" = 0 ] || root=(sudo --preserve-env=DEBIAN_FRONTEND)
"${root[@]}" apt-get update -qq
for version in 22 19; do
  if "${root[@]}" apt-get install -y -qq "clang-$version" "libclang-rt-$version-dev" cmake ninja-build; then
    exit
  fi
done
echo "install-clang.sh: neither clang-22 nor clang-19 can be installed; add a package source that has one of them" >&2
exit 2
