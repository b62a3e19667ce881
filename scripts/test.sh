#!/usr/bin/env bash
# ./assay test from any folder, for a job that calls scripts.
exec "$(dirname -- "$(readlink -f -- "$0")")/../assay" test "$@"
