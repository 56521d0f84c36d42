#!/usr/bin/env bash
# Every C file is as clang-format 14 writes it with our .clang-format; other releases decide otherwise.
set -euo pipefail
cd "$(dirname "$0")/../.."
tool=$(command -v clang-format-14 || true)
[ -n "$tool" ] || { echo "skipped: no clang-format-14"; exit 77; }
mapfile -t files < <(find gateway auth certs tests -name '*.[ch]' | sort)
"$tool" --dry-run -Werror "${files[@]}" && echo "${#files[@]} files obey"
