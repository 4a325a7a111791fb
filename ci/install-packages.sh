#!/usr/bin/env bash
# Installs the Debian packages that tests need, unless they are there: one a line.
set -euo pipefail
packages=(
  libasio-dev
)
dpkg-query -W "${packages[@]}" >/dev/null 2>&1 && exit
export DEBIAN_FRONTEND=noninteractive
root=()
[ "$(id -u)" = 0 ] || root=(sudo --preserve-env=DEBIAN_FRONTEND)
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq "${packages[@]}"
