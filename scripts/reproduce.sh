#!/usr/bin/env bash
# Runs a crash file ten times under the sanitizers and ten times in the dev flavour with its validators, each time in a
# fresh process. Exits 1 when either saw a violation.
#
#   scripts/reproduce.sh FILE [OPTIONS OF replay]
set -euo pipefail
assay=$(dirname -- "$(readlink -f -- "$0")")/../assay
status=0
for flavour in fuzz dev; do
  echo "== $flavour"
  "$assay" replay --repeat 10 --flavour "$flavour" "$@" || {
    result=$?
    ((result == 1)) || exit "$result"
    status=1
  }
done
exit "$status"
