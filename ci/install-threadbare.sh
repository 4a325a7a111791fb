#!/usr/bin/env bash
# Installs this checkout's threadbare with its compiler wrappers, unless there is one on PATH. With BINSTALL=1 a released
# binary, if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v threadbare >/dev/null; then
  if [ "${BINSTALL:-}" = 1 ] && command -v cargo-binstall >/dev/null; then
    cargo binstall --no-confirm --manifest-path . threadbare
  else
    cargo install --locked --path .
  fi
fi
threadbare install
