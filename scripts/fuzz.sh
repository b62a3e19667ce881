#!/usr/bin/env bash
# ./assay fuzz from any folder, for a job that calls scripts.
exec "$(dirname -- "$(readlink -f -- "$0")")/../assay" fuzz "$@"
