#!/usr/bin/env bash
# What of the allocator's source the tests and the corpus reach: a table on stdout, pages in work/coverage.
#
#   scripts/coverage.sh [--corpus] [FILE…]
#
# --corpus: by the corpus alone, in mode sequential, and what has several threads in mode free besides. FILEs are replayed besides, for instance the corpus that a campaign
# has grown.
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
out=$root/work/coverage
corpus_only=false
if [[ ${1-} == --corpus ]]; then
  corpus_only=true
  shift
fi

"$root/assay" build cov
rm -rf "$out"
mkdir -p "$out/raw"
if ! $corpus_only; then
  (cd "$root" && LLVM_PROFILE_FILE=$out/raw/%p-%m.profraw \
    ctest --test-dir build/cov -j "$(nproc)" -E '^house\.' >"$out/ctest.log" 2>&1) ||
    echo "some tests failed in this flavour (work/coverage/ctest.log)" >&2
fi
# %c: the counters lie in the file itself, since the process that runs a program ends without writing them.
mapfile -t programs < <(find "$root/corpus" "$root"/fuzz/*/seeds -name '*.ops' | sort)
LLVM_PROFILE_FILE=$out/raw/%c%p.profraw "$root/build/cov/bin/assay" replay "${programs[@]}" "$@" --flavour cov \
  --subject ximalloc --mode sequential >"$out/replay.log" 2>&1 ||
  echo "some programs failed in this flavour (work/coverage/replay.log)" >&2
# What threads meet, and one after the other cannot: a few runs, since each goes its own way.
mapfile -t threaded < <(grep -lE '@t[1-9]' "${programs[@]}" | xargs -r grep -LE '^(preempt|stale|cas_fails)\(')
LLVM_PROFILE_FILE=$out/raw/free%c%p.profraw "$root/build/cov/bin/assay" replay "${threaded[@]}" --flavour cov \
  --subject ximalloc --mode free --repeat 3 >"$out/free.log" 2>&1 ||
  echo "some programs failed in mode free (work/coverage/free.log)" >&2

# A process that was killed leaves a file that cannot be read.
llvm-profdata-19 merge --failure-mode=all -sparse "$out"/raw/*.profraw -o "$out/all.profdata"
# The first is llvm-cov's operand; those without a line of the allocator's in them would stop it.
objects=("$root/build/cov/bin/assay")
for binary in "$root"/build/cov/bin/*_tests; do
  $corpus_only && break
  llvm-readelf-19 -S "$binary" | grep -q __llvm_covmap && objects+=(-object "$binary")
done
llvm-cov-19 show -format=html -output-dir="$out/html" -instr-profile="$out/all.profdata" "${objects[@]}" \
  -ignore-filename-regex='_test\.cc$' "$root/allocator" 2>"$out/llvm-cov.log"
llvm-cov-19 report -instr-profile="$out/all.profdata" "${objects[@]}" -ignore-filename-regex='_test\.cc$' \
  "$root/allocator" 2>>"$out/llvm-cov.log"
echo "${#programs[@]} programs of the corpus; pages: work/coverage/html/index.html"
