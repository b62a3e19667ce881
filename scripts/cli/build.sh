# Builds flavours: one at a time in each folder, output into work/logs, a word beforehand when it takes long.
# shellcheck shell=bash disable=SC2034,SC2154

# Ninja targets that a user's subcommand needs of a flavour; the unit tests are built by `test` only.
tool_targets() {
  case $1 in
    fuzz | fuzz-sched | tsan | msan | afl) echo 'assay_tool fuzz_targets' ;;
    release) echo 'assay_tool assay_fragmentation assay_worker assay_record assay_failpoints ximalloc ximalloc_shared bench_workload bench_memory_return' ;;
    *) echo 'assay_tool' ;;
  esac
}

# Processor seconds of one build step, measured on the reference machine (two cores).
step_seconds() {
  case $1 in
    fuzz) echo 2.2 ;;
    *) echo 1.8 ;;
  esac
}

install_packages() {
  mkdir -p "$ASSAY_ROOT/work/logs" "$ASSAY_ROOT/build" 2>/dev/null || refuse "$ASSAY_ROOT: cannot be written"
  local log=$ASSAY_ROOT/work/logs/bootstrap.log missing
  missing=$("$ASSAY_ROOT/scripts/bootstrap.sh" --missing)
  [[ -n $missing ]] || return 0
  tell "installing $(wc -w <<<"$missing") Debian packages (log: work/logs/bootstrap.log)"
  local reason
  if ! reason=$("$ASSAY_ROOT/scripts/bootstrap.sh" 2>&1 >"$log"); then
    refuse "${reason##*$'\n'}"
  fi
}

# first_error LOG: the line that says why a build failed.
first_error() {
  local line
  line=$(grep -m1 -E '(fatal )?error:|undefined symbol' "$1" || grep -m1 -A1 'CMake Error' "$1" || tail -n 1 "$1")
  tr -s '\n ' ' ' <<<"$line"
}

# try_build FLAVOUR TARGET…: status 1 when it does not build; the log is work/logs/build-FLAVOUR.log.
try_build() {
  local name=$1 folder=$ASSAY_ROOT/build/$1 log=$ASSAY_ROOT/work/logs/build-$1.log
  shift
  mkdir -p "$ASSAY_ROOT/work/logs" "$folder"
  # The lock goes with this process; a build that waits here finds everything done.
  exec {lock}>"$folder.lock"
  flock "$lock"
  local status=0
  {
    if [[ ! -f $folder/build.ninja ]]; then
      (cd "$ASSAY_ROOT" && cmake --preset "$name")
    fi
  } >"$log" 2>&1 {lock}>&- || status=1
  if ((status == 0)); then
    announce_build "$name" "$folder" "$@"
    # Ninja runs CMake again by itself when a CMake file has changed.
    ninja -C "$folder" -j "$(build_jobs)" "$@" >>"$log" 2>&1 {lock}>&- || status=1
  fi
  exec {lock}>&-
  return "$status"
}

build_jobs() {
  local cores
  cores=$(nproc)
  echo "$((cores > 2 ? cores : 2))"
}

# Says how long it takes when there is much to build: what was never built here. (`ninja -n` would be exact, but stops
# where CMake must look at its globs again.)
announce_build() {
  local name=$1 folder=$2 steps done_before=0
  shift 2
  steps=$(ninja -C "$folder" -t commands "$@" 2>/dev/null | wc -l) || true
  if [[ -f $folder/.ninja_log ]]; then
    done_before=$(cut -f 4 "$folder/.ninja_log" | sort -u | wc -l)
  fi
  steps=$((steps - done_before))
  if ((steps > 12)); then
    local minutes
    minutes=$(awk -v n="$steps" -v s="$(step_seconds "$name")" -v j="$(nproc)" \
      'BEGIN { m = n * s / j / 60; print (m < 1 ? "less than a minute" : sprintf("about %d min", m + 0.5)) }')
    tell "building $name: $steps steps, $minutes (log: work/logs/build-$name.log)"
  fi
}

# build_flavour FLAVOUR [TARGETS]: refuses when it does not build.
build_flavour() {
  local name=$1
  # Words on purpose.
  # shellcheck disable=SC2086
  if ! try_build "$name" ${2:-all}; then
    refuse "the $name flavour does not build: $(first_error "$ASSAY_ROOT/work/logs/build-$name.log") (log: work/logs/build-$name.log)"
  fi
}

# The value of the header line `flavour:` of a text program, or nothing.
header_flavour() {
  local line first=true
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%%#*}
    line=${line%$'\r'}
    if $first; then
      [[ $line =~ ^assay[[:space:]]+[0-9]+[[:space:]]*$ ]] || return 0
      first=false
      continue
    fi
    if [[ $line =~ ^[[:space:]]*flavour:[[:space:]]*([a-z-]+)[[:space:]]*$ ]]; then
      echo "${BASH_REMATCH[1]}"
      return
    fi
    # The header ends with the first operation.
    [[ $line != *'('* ]] || return 0
  done < <(head -c 65536 -- "$1" | tr -d '\0')
}

# What the selected mutants are built from, a line each: flavour, target, hunter; from the headers of the patches.
mutant_builds() {
  local globs=() patches=() list='' word compares=false
  for word in "${words[@]}"; do
    case $word in
      --filter | --patch) list=$word ;;
      --compare) compares=true list='' ;;
      --filter=*) globs+=("${word#*=}") ;;
      --patch=*) patches+=("${word#*=}"); list=--patch ;;
      -*) list='' ;;
      *)
        [[ $list != --filter ]] || { globs+=("$word"); list=''; }
        [[ $list != --patch ]] || patches+=("$word") ;;
    esac
  done
  local patch glob
  if ((${#patches[@]} == 0)); then
    for patch in "$ASSAY_ROOT"/mutants/*.patch; do
      for glob in "${globs[@]-*}"; do
        # The right side is a pattern on purpose.
        # shellcheck disable=SC2053
        [[ $(basename "$patch" .patch) == $glob ]] && patches+=("$patch") && break
      done
    done
  fi
  if $compares; then
    echo 'fuzz differential fuzz'
    return
  fi
  for patch in "${patches[@]}"; do
    sed -n -E '/^# Expect: /{s/^# Expect: ([a-z_]+)(@([a-z-]+))? ([a-z]+) .*/\3 \1 \4/;s/^ /fuzz /;p;q}' "$patch"
  done
}

# Sets `flavour`, the one that runs, and `flavours_to_build` ("flavour:targets").
choose_flavours() {
  local default_flavour=release file named wanted=()
  case $subcommand in
    fuzz | replay | minimize | sweep | diff | export-c | mutants) default_flavour=fuzz ;;
    explore) default_flavour=sched ;;
  esac
  # Threads are stopped between accesses only where the allocator tells of them.
  case $subcommand:$mode_option in
    fuzz:schedule) default_flavour=fuzz-sched ;;
    replay:schedule | minimize:schedule) default_flavour=sched ;;
  esac
  # AFL++ has a flavour of its own.
  [[ $engine_option != afl ]] || default_flavour=afl
  flavour=${flavour_option:-}
  if [[ $subcommand =~ ^(replay|minimize|export-c|explore)$ && -z $flavour_option ]]; then
    for file in "${positionals[@]}"; do
      named=$(header_flavour "$file")
      [[ -n $named ]] || named=$default_flavour
      [[ " ${flavours[*]} " == *" $named "* ]] || refuse "$file: unknown flavour '$named' (here: ${flavours[*]})"
      [[ -n $flavour ]] || flavour=$named
      wanted+=("$named")
    done
  fi
  flavour=${flavour:-$default_flavour}
  wanted+=("$flavour")
  local subject
  for subject in "${subject_options[@]}"; do
    # A flavour of ximalloc, and the worker process that any other library may need.
    case $subject in
      ximalloc@*) wanted+=("${subject#*@}") ;;
      *) wanted+=(release) ;;
    esac
  done
  # Who compares needs a worker process for most of the others.
  if [[ $subcommand == diff ]] || [[ $subcommand == fuzz && " ${positionals[*]} " == *" differential "* ]]; then
    wanted+=(release)
  fi
  local -A tests=()
  if [[ $subcommand == mutants ]]; then
    wanted+=(fuzz)
    local target hunter
    while read -r named target hunter; do
      wanted+=("$named")
      # It compares, as above.
      [[ $target != differential ]] || wanted+=(release)
      [[ $hunter != test || " ${tests[$named]-} " == *" $target "* ]] || tests[$named]+=" $target"
    done < <(mutant_builds)
  fi
  flavours_to_build=()
  for named in $(printf '%s\n' "${wanted[@]}" | sort -u); do
    [[ " ${flavours[*]} " == *" $named "* ]] || refuse "unknown flavour '$named' (here: ${flavours[*]})"
    flavours_to_build+=("$named:$(tool_targets "$named")${tests[$named]-}")
  done
}
