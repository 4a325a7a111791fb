#!/usr/bin/env bash
# Builds what a release has, in dist/: the archive that `cargo binstall` fetches (Cargo.toml names it), and its digest.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
name=threadbare-$target
cargo build --profile dist --locked
rm -rf "dist/$name" && mkdir -p "dist/$name"
cp "${CARGO_TARGET_DIR:-target}/dist/threadbare" LICENSE-APACHE LICENSE-MIT README.md "dist/$name/"
strip --strip-debug "dist/$name/threadbare"
tar -C dist --owner=0 --group=0 --sort=name -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
