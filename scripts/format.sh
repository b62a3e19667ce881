#!/usr/bin/env bash
# Formats the C and C++ files of the tree with clang-format-19.
#
#   scripts/format.sh            rewrites them
#   scripts/format.sh --check    changes nothing; names each file that differs and exits 1
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "$0")")/.."

# Tables of one row a line (*.def) stay as they were typed.
mapfile -t files < <(find allocator harness failpoints fuzz tools tests bench soak \
  -name '*.h' -o -name '*.hpp' -o -name '*.c' -o -name '*.cc' 2>/dev/null | sort)
case ${1:-} in
  '') clang-format-19 -i "${files[@]}" ;;
  --check)
    status=0
    for file in "${files[@]}"; do
      if ! clang-format-19 "$file" | cmp -s - "$file"; then
        echo "$file: not formatted (scripts/format.sh)"
        status=1
      fi
    done
    exit "$status" ;;
  *)
    echo "format.sh: unknown option '$1'" >&2
    exit 2 ;;
esac
