#!/usr/bin/env bash
# clang-tidy-19 over the sources that differ from BASE (default: origin/main, else the commit before), or over all.
#
#   scripts/tidy.sh [--all | --base COMMIT]
#
# Needs the compile commands of the dev flavour (./assay build dev).
set -euo pipefail
cd -- "$(dirname -- "$(readlink -f -- "$0")")/.."

base=$(git rev-parse -q --verify origin/main || git rev-parse -q --verify HEAD~1 || git rev-parse HEAD)
all=false
while (($# > 0)); do
  case $1 in
    --all) all=true ;;
    --base)
      base=${2:?tidy.sh: --base needs a commit}
      shift ;;
    *)
      echo "tidy.sh: unknown option '$1'" >&2
      exit 2 ;;
  esac
  shift
done
if [[ ! -f build/dev/compile_commands.json ]]; then
  echo 'tidy.sh: build/dev/compile_commands.json is missing (./assay build dev)' >&2
  exit 2
fi

# Only what the dev flavour compiles has a compile command.
compiled=$(sed -n 's/^  "file": "\(.*\)",\{0,1\}$/\1/p' build/dev/compile_commands.json | sed "s|^$PWD/||" | sort -u)
if $all; then
  wanted=$compiled
else
  wanted=$( (git diff --name-only --diff-filter=d "$base" -- '*.cc' '*.c'; git ls-files -o --exclude-standard '*.cc' '*.c') |
    sort -u | comm -12 - <(echo "$compiled"))
fi
if [[ -z $wanted ]]; then
  echo 'tidy: no changed source'
  exit 0
fi
# Its count of suppressed warnings in system headers is no news.
xargs -P "$(nproc)" -n 4 clang-tidy-19 -quiet -p build/dev <<<"$wanted" 2> >(grep -v 'warnings\? generated' >&2 || true)
