#!/usr/bin/env bash
# Installs the Debian packages that tests need beside compilers, and those that are named, unless they are there.
set -euo pipefail
packages=(
  cmake ninja-build make meson pkg-config   # build systems, of docs/projects.md
  libgtest-dev                              # docs/projects.md, docs/tests.md
  libasio-dev                               # examples/asio, cpp/adapters/asio
  gdb                                       # docs/findings.md
  "$@"
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
export DEBIAN_FRONTEND=noninteractive
root=()
[ "$(id -u)" = 0 ] || root=(sudo --preserve-env=DEBIAN_FRONTEND)
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq "${missing[@]}"
