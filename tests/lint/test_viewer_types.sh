#!/usr/bin/env bash
# The viewer's JavaScript must pass tsc --checkJs, strict, as it is built: with the generated constants.
set -euo pipefail
: "${SEKISHO_BUILD:?run this with ctest}" "${SEKISHO_SOURCE:?run this with ctest}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

modules=$SEKISHO_BUILD/test-modules
"$SEKISHO_SOURCE/viewer/build" --modules "$modules"
cp -R "$SEKISHO_BUILD/share/viewer" "$tmp/viewer"
# noVNC's files have no types; its own platform file is ours but goes by the same name.
for file in "$tmp"/viewer/core/novnc/*/*.js; do
	sed -i '1i // @ts-nocheck' "$file"
done
cp "$SEKISHO_SOURCE/viewer/tsconfig.json" "$tmp/viewer/"
node "$modules/node_modules/typescript/bin/tsc" -p "$tmp/viewer"
