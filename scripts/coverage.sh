#!/usr/bin/env bash
# What of the allocator's source the tests and the corpora reach: a table on stdout, pages in work/coverage.
#
#   scripts/coverage.sh [--corpus | --document] [FILE…]
#
# --corpus: by the corpora alone. --document: writes docs/coverage.md. FILEs are replayed besides, for instance the corpus
# that a campaign has grown. Corpora run in mode sequential, and what has several threads in mode free besides. Exit status 1:
# a region is not reached, and docs/coverage_reasons.txt does not say why (not with --corpus).
set -euo pipefail
root=$(cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd)
out=$root/work/coverage
corpus_only=false document=()
case ${1-} in
  --corpus) corpus_only=true; shift ;;
  --document) document=(--document "$root/docs/coverage.md"); shift ;;
  -*) echo "coverage.sh: unknown option '$1'" >&2; exit 2 ;;
esac
# Those that have the allocator in them, and call it.
test_programs=(ximalloc_tests ximalloc_hook_tests conformance_tests harness_control_tests reset_tests)

export ASSAY_ROOT=$root
subcommand=coverage json=false
source "$root/scripts/cli/answer.sh"
source "$root/scripts/cli/build.sh"
install_packages
targets=assay_tool
$corpus_only || targets+=" ${test_programs[*]}"
build_flavour cov "$targets"
rm -rf "$out"
mkdir -p "$out/raw"
bin=$root/build/cov/bin

# trace NAME: all that was counted so far, as $out/NAME.profdata and NAME.trace. A process that was killed leaves a file that
# cannot be read.
trace() {
  find "$out/raw" -name '*.profraw' >"$out/raw/list"
  llvm-profdata-19 merge --failure-mode=all -sparse -f "$out/raw/list" -o "$out/$1.profdata" 2>>"$out/llvm.log"
  llvm-cov-19 export -format=lcov -instr-profile="$out/$1.profdata" "${objects[@]}" -ignore-filename-regex='_test\.cc$' \
    "$root/allocator" >"$out/$1.trace" 2>>"$out/llvm.log"
}
# The first is llvm-cov's operand.
objects=("$bin/assay")

# %c: the counters lie in the file itself, since the process that runs a program ends without writing them.
mapfile -t programs < <(find "$root/corpus" "$root"/fuzz/*/seeds -name '*.ops' | sort)
LLVM_PROFILE_FILE=$out/raw/%c%p.profraw "$bin/assay" replay "${programs[@]}" "$@" --flavour cov \
  --subject ximalloc --mode sequential >"$out/replay.log" 2>&1 ||
  echo "some programs failed in this flavour (work/coverage/replay.log)" >&2
# What threads meet, and one after the other cannot: a few runs, since each goes its own way.
mapfile -t threaded < <(grep -lE '@t[1-9]' "${programs[@]}" | xargs -r grep -LE '^(preempt|stale|cas_fails)\(')
LLVM_PROFILE_FILE=$out/raw/free%c%p.profraw "$bin/assay" replay "${threaded[@]}" --flavour cov \
  --subject ximalloc --mode free --repeat 3 >"$out/free.log" 2>&1 ||
  echo "some programs failed in mode free (work/coverage/free.log)" >&2
trace corpora
echo "corpora alone, ${#programs[@]} programs: $(python3 "$root/scripts/unreached.py" "$out/corpora.trace")"

if ! $corpus_only; then
  for name in "${test_programs[@]}"; do
    objects+=(-object "$bin/$name")
    LLVM_PROFILE_FILE=$out/raw/$name%c%p.profraw "$bin/$name" >"$out/$name.log" 2>&1 ||
      echo "some tests of $name failed in this flavour (work/coverage/$name.log)" >&2
  done
  trace all
fi
last=$($corpus_only && echo corpora || echo all)
llvm-cov-19 show -format=html -output-dir="$out/html" -instr-profile="$out/$last.profdata" "${objects[@]}" \
  -ignore-filename-regex='_test\.cc$' "$root/allocator" 2>>"$out/llvm.log"
echo 'pages: work/coverage/html/index.html'
if ! $corpus_only; then
  python3 "$root/scripts/unreached.py" "$out/all.trace" --corpora "$out/corpora.trace" --check "${document[@]}"
fi
