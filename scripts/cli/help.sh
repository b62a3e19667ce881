# --help of the wrapper and of each subcommand.
# shellcheck shell=bash disable=SC2154
print_help() {
  echo 'assay finds bugs in memory allocators.'
  echo
  echo 'usage: ./assay SUBCOMMAND [OPTIONS]'
  echo
  local name
  for name in "${subcommand_order[@]}"; do
    printf '  %-9s %s\n' "$name" "${purpose[$name]}"
  done
  echo
  echo "'./assay SUBCOMMAND --help' says more. Each takes --json: one object on stdout."
  echo 'Exit status: 0 clean; 1 a violation, a failed test or a surviving mutant; 2 bad usage or input; 3 a fault of assay.'
}

option_help() {
  case $1 in
    --seconds) echo '--seconds N          stop after N seconds' ;;
    --engine) echo '--engine NAME        libfuzzer' ;;
    --jobs) echo '--jobs J             processes at a time' ;;
    --keep-going) echo '--keep-going         go on after a violation' ;;
    --known) echo '--known FILE         violations that are known: one token a line' ;;
    --full) echo '--full               also what takes long' ;;
    --repeat) echo '--repeat N           run each program N times' ;;
    --gdb) echo '--gdb                stop in gdb before the operation that breaks a promise' ;;
    --window) echo '--window N           operations in each seed program' ;;
    --max) echo '--max N              keep at most N seed programs, the most diverse ones' ;;
    --filter) echo '--filter GLOB        only the mutants whose name matches' ;;
    --patch) echo '--patch FILE…        your own patches on allocator/ instead of mutants/' ;;
    --blind) echo '--blind              also hunt five times without regression files' ;;
    --compare) echo '--compare            hunt by target differential those that say what comparing is to see' ;;
    --against) echo '--against LIST       allocators, separated by commas' ;;
    --runs) echo '--runs N             runs of each workload on each allocator; of explore: schedules at most' ;;
    --subjects) echo '--subjects A,B,…     what is compared (ximalloc,mimalloc,jemalloc; of --table all that are here)' ;;
    --table) echo '--table              what each subject answers to each clause of the standard' ;;
    --bound) echo '--bound N            preemptions in each schedule (2); of pct: depth of a bug (3)' ;;
    --unbounded) echo '--unbounded          as many preemptions as there are places' ;;
    --strategy) echo '--strategy NAME      dfs (all schedules within the bound), pct or random' ;;
    --older) echo '--older N            loads of older values and failed weak exchanges in each schedule (1)' ;;
    --places) echo '--places OUT         writes where in the executable another thread could have gone on' ;;
    --instructions) echo '--instructions       also count instructions with callgrind' ;;
    --sites) echo '--sites              also how often each place of the source that makes a call was hit' ;;
    --threads) echo '--threads N          threads besides t0, 1 to 1022' ;;
    --rounds) echo '--rounds N           how long it goes on, 1 to 100000' ;;
    --flavour) echo "--flavour F          one of: ${flavours[*]}" ;;
    --mode) echo "--mode M             one of: ${modes[*]}" ;;
    --seed) echo '--seed N             seed of the random choices' ;;
    --subject) echo '--subject S          ximalloc, libc, or ./lib.so[:prefix_]; may be repeated' ;;
    -o) echo '-o, --output PATH    where to write' ;;
  esac
}

print_subcommand_help() {
  local name=$1 word line
  printf 'usage: ./assay %s %s\n\n%s\n\n' "$name" "${synopsis[$name]}" "${purpose[$name]}"
  for word in ${options[$name]}; do
    line=$(option_help "${word%%:*}")
    if [[ -n $line ]]; then
      printf '  %s\n' "$line"
    fi
  done
  [[ $name != generate ]] || printf '  NAME                 one of: %s\n' "$(workload_names | fmt -w 90 | sed '2,$s/^/                       /')"
  echo '  --json               one object on stdout, everything else on stderr'
  echo '  -h, --help           this'
}
