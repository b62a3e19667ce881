# `test [--full]`: builds the flavours, runs CTest, replays the corpus, and counts.
# shellcheck shell=bash disable=SC2034,SC2154
passed=0
failed=0
skipped=0
failed_names=()

record_pass() { passed=$((passed + 1)); }
record_failure() {
  failed=$((failed + 1))
  failed_names+=("$1")
  tell "FAILED $1${2:+: $2}"
}

# A flavour that does not build is a failed test.
test_build() {
  local name=$1
  shift
  if try_build "$name" "$@"; then
    record_pass
  else
    record_failure "build $name" "$(first_error "$ASSAY_ROOT/work/logs/build-$name.log") (log: work/logs/build-$name.log)"
    return 1
  fi
}

# run_ctest FLAVOUR: every test of the flavour; each one counts.
run_ctest() {
  local name=$1 folder=$ASSAY_ROOT/build/$1 results=$ASSAY_ROOT/work/logs/ctest-$1.xml log=$ASSAY_ROOT/work/logs/ctest-$1.log
  tell "running the tests of $name (log: work/logs/ctest-$name.log)"
  rm -f "$results"
  (cd "$ASSAY_ROOT" && ctest --test-dir "$folder" -j "$(nproc)" --output-on-failure --output-junit "$results") >"$log" 2>&1 || true
  local counts
  if ! counts=$(python3 "$ASSAY_ROOT/scripts/cli/junit_counts.py" "$results" 2>/dev/null); then
    record_failure "ctest $name" "$(tail -n 1 "$log")"
    return
  fi
  local kind value
  while IFS=$'\t' read -r kind value; do
    case $kind in
      passed) passed=$((passed + value)) ;;
      skipped) skipped=$((skipped + value)) ;;
      failed) record_failure "$value" "see work/logs/ctest-$name.log" ;;
    esac
  done <<<"$counts"
}

# The committed programs under ASan and UBSan: each file is one test.
replay_corpus() {
  local files=() file
  while IFS= read -r file; do
    files+=("$file")
  done < <(find "$ASSAY_ROOT/corpus" "$ASSAY_ROOT"/fuzz/*/seeds -name '*.ops' -not -path '*/corpus/regress/*' 2>/dev/null | sort)
  if ((${#files[@]} == 0)); then
    record_failure 'corpus' 'there is none'
    return
  fi
  tell "replaying the ${#files[@]} programs of the corpus under ASan and UBSan"
  local results=$ASSAY_ROOT/work/logs/corpus.json kind value
  "$ASSAY_ROOT/build/fuzz/bin/assay" replay --json "${files[@]}" >"$results" 2>"$ASSAY_ROOT/work/logs/corpus.log" || true
  while IFS=$'\t' read -r kind value; do
    case $kind in
      passed) passed=$((passed + value)) ;;
      failed) record_failure "corpus ${value#"$ASSAY_ROOT/"}" "see work/logs/corpus.log" ;;
    esac
  done < <(python3 "$ASSAY_ROOT/scripts/cli/replay_counts.py" "$results" || printf 'failed\tno result\n')
}

# counted NAME COMMAND…: one test, its output in work/logs/NAME.log; one that ends with 77 says in its last line why it
# did nothing.
counted() {
  local name=$1
  shift
  tell "running $name (log: work/logs/$name.log)"
  local status=0
  "$@" >"$ASSAY_ROOT/work/logs/$name.log" 2>&1 || status=$?
  case $status in
    0) record_pass ;;
    77)
      skipped=$((skipped + 1))
      tell "$(tail -n 1 "$ASSAY_ROOT/work/logs/$name.log")" ;;
    *) record_failure "$name" "see work/logs/$name.log" ;;
  esac
}

run_tests() {
  local full=false word
  for word in "${words[@]}"; do
    [[ $word == --full ]] && full=true
  done
  flavour=dev
  install_packages
  local have_release=true
  # shellcheck disable=SC2046
  test_build release $(tool_targets release) conformance_tests limits_exercise || have_release=false
  local have_fuzz=true have_dev=true have_sched=true
  # shellcheck disable=SC2046
  test_build fuzz $(tool_targets fuzz) || have_fuzz=false
  test_build dev all || have_dev=false
  # Regression programs whose schedules name accesses are replayed by it.
  # shellcheck disable=SC2046
  test_build sched $(tool_targets sched) || have_sched=false
  if $full; then
    export ASSAY_FULL=1
  fi
  if $have_dev; then run_ctest dev; fi
  if $have_release; then
    counted limits python3 "$ASSAY_ROOT/tests/limits/limits_test.py" "$ASSAY_ROOT/build/release"
    counted inject python3 "$ASSAY_ROOT/tests/limits/inject.py" "$ASSAY_ROOT/build/release"
  fi
  if $have_fuzz; then
    replay_corpus
    counted regress python3 "$ASSAY_ROOT/tests/minimise/regress_test.py" "$ASSAY_ROOT/build/fuzz/bin/assay"
  fi
  if $have_sched; then
    counted scenarios python3 "$ASSAY_ROOT/tests/sched/scenarios_test.py" "$ASSAY_ROOT/build/sched/bin/assay"
  fi
  # Its build takes minutes: it is tested where it is built already, or all is asked for.
  if $full || [[ -x $ASSAY_ROOT/build/msan/bin/assay ]]; then
    # shellcheck disable=SC2046
    if test_build msan $(tool_targets msan); then
      counted msan env ASSAY_BUILD="$ASSAY_ROOT/build/msan" python3 "$ASSAY_ROOT/tests/e2e/msan_test.py" -v
    fi
  else
    skipped=$((skipped + 1))
    tell 'msan: skipped, that flavour is not built here (./assay build msan, or ./assay test --full)'
  fi
  if $full; then
    if test_build fuzz all; then run_ctest fuzz; fi
    # shellcheck disable=SC2046
    if test_build tsan $(tool_targets tsan) harness_exec_tests failpoints_tests; then
      counted trap "$ASSAY_ROOT/build/tsan/bin/failpoints_tests"
      counted stopped-run python3 "$ASSAY_ROOT/tests/threads/stopped_run_test.py" "$ASSAY_ROOT/build/tsan"
      counted free-runs python3 "$ASSAY_ROOT/tests/threads/free_runs_test.py" "$ASSAY_ROOT/build/tsan/bin/assay"
      counted thread-sanitizer python3 "$ASSAY_ROOT/tests/threads/thread_sanitizer_test.py" "$ASSAY_ROOT/build/tsan"
    fi
    if test_build afl all; then run_ctest afl; fi
    counted slurm python3 "$ASSAY_ROOT/soak/slurm_test.py"
    counted oss-fuzz python3 "$ASSAY_ROOT/scripts/oss-fuzz/gate.py"
    counted clang-tidy "$ASSAY_ROOT/scripts/tidy.sh" --all
    counted coverage "$ASSAY_ROOT/scripts/coverage.sh"
    counted mutants "$ASSAY_ROOT/assay" mutants
  fi
  local line="$passed passed, $failed failed, $skipped skipped"
  if $json; then
    json_answer "$( ((failed == 0)) && echo clean || echo violation)" "$line" \
      passed "$passed" failed "$failed" skipped "$skipped"
  else
    echo "$line"
  fi
  ((failed == 0)) || exit 1
}
