#!/usr/bin/env bash
# Unpacks the sources of oneTBB that Debian has into the directory DIR: `ci/fetch-onetbb.sh DIR`, unless they are there.
set -euo pipefail
[ $# = 1 ] || { echo "fetch-onetbb.sh: name a directory" >&2; exit 2; }
[ ! -f "$1/src/tbb/market.cpp" ] || exit 0
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
archive=$(mktemp)
trap 'rm -f "$archive"' EXIT
curl --fail --silent --show-error --location --output "$archive" "$mirror/pool/main/o/onetbb/onetbb_2021.8.0.orig.tar.xz"
echo "7e9111b8bb59c8800bf6d0b06afe7b0891937443d2dae1ee1101c8e2ede6a7ef  $archive" | sha256sum --check --quiet
mkdir -p "$1"
tar --extract --xz --strip-components 1 --file "$archive" --directory "$1"
